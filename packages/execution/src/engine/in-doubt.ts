/**
 * A node that had begun when the process died (I4). What may be repeated is repeated; an effect is looked
 * for with the type's `probe`, and what stays unknown is settled by policy: the node's own `in_doubt`, else
 * the run's. `fail` fails the node like any error, so that a try region may take it; `skip` goes on by the
 * node's normal exit without outputs; `ask` ends this call and leaves the run where it stands, until an operator's
 * answer settles it.
 */
import { NodeError } from '../errors.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { ProbeVerdict } from '../node-contract.ts';
import { DEFAULT_ABORT_GRACE_MS, runAttempt } from './attempt.ts';
import type { AnsweredEntry, IntentEntry } from './journal.ts';
import { laneStop } from './lane-shield.ts';
import { idempotencyKey, nodeContext, unlessRefused } from './node-context.ts';
import { type NodeYield, originOf, withDerived, yieldOf } from './node-run.ts';
import { parseInputs } from './params.ts';
import { ownInDoubtPolicy, type PreparedStep } from './prepare-step.ts';
import { verdictOf } from './probe-verdict.ts';
import { redacted } from './redact.ts';
import type { Interruption } from './run-options.ts';
import type { RunSession } from './run-session.ts';
import type { NodeStopCause } from './stop-control.ts';

export type Settlement =
  | { readonly kind: 'run_again' }
  /** `skipped`: why, when the node was passed over; null when its effect was found. */
  | { readonly kind: 'settled'; readonly yielded: NodeYield; readonly skipped: string | null }
  | { readonly kind: 'failed'; readonly thrown: unknown }
  | { readonly kind: 'ask'; readonly reason: string }
  /** The run has to stop before the question is settled. */
  | { readonly kind: 'stopped'; readonly cause: NodeStopCause; readonly hasEnded: boolean };

/** @param interruption what ended the process that ran the node, if that is known */
export async function settleInDoubt(
  run: RunSession,
  step: PreparedStep,
  intent: IntentEntry,
  interruption: Interruption | null,
): Promise<Settlement> {
  if (intent.effect !== 'effect') return { kind: 'run_again' };
  const end = await probe(run, step, intent);
  if (end.kind === 'stopped') return end;
  const { verdict, written } = end;
  if (verdict.state === 'not-done') return { kind: 'run_again' };
  if (verdict.state === 'done') {
    try {
      return {
        kind: 'settled',
        skipped: null,
        yielded: withDerived(
          run,
          step,
          yieldOf(run, step.node, verdict.result, written, originOf(run, step, { ordinal: run.lane.steps })),
        ),
      };
    } catch (thrown) {
      return { kind: 'failed', thrown };
    }
  }
  return byPolicy(run, step, verdict.reason, interruption);
}

/** What an operator's answer makes of it; the world is not looked at again. */
export function settleByAnswer(
  run: RunSession,
  node: WorkflowNode,
  { answer, by, given_at }: AnsweredEntry,
): Settlement {
  switch (answer) {
    case 'retry':
      return { kind: 'run_again' };
    case 'skip':
      return skipped(run, node, "by an operator's answer");
    default:
      return {
        kind: 'failed',
        thrown: new NodeError('It was interrupted, and an operator answered that it failed.', {
          code: 'IN_DOUBT',
          ambiguous: true,
          errorType: 'InDoubtError',
          details: { answered_by: by, answered_at: given_at },
        }),
      };
  }
}

function skipped(run: RunSession, node: WorkflowNode, why: string): Settlement {
  return {
    kind: 'settled',
    skipped: why,
    yielded: { exit: run.plan.normalExitOf(node.id), outputs: {}, variables: {} },
  };
}

function byPolicy(
  run: RunSession,
  { node }: PreparedStep,
  doubt: string,
  interruption: Interruption | null,
): Settlement {
  const reason = interruption === null ? doubt : `${doubt} (${interruption.error.message})`;
  switch (ownInDoubtPolicy(node) ?? run.options.inDoubtPolicy) {
    case 'retry':
      return { kind: 'run_again' };
    case 'skip':
      return skipped(run, node, 'in doubt, by policy');
    case 'fail':
      return {
        kind: 'failed',
        thrown: new NodeError(`It was interrupted, and nobody can tell whether its effect happened: ${reason}.`, {
          code: 'IN_DOUBT',
          ambiguous: true,
          errorType: 'InDoubtError',
          ...(interruption === null ? {} : { details: interruption.error.details }),
        }),
      };
    case 'ask':
      return { kind: 'ask', reason };
  }
}

type ProbeEnd =
  /** `written`: the variables that the probe set, as the node's run would have. */
  | { readonly kind: 'probed'; readonly verdict: ProbeVerdict; readonly written: ReadonlyMap<string, unknown> }
  | Extract<Settlement, { kind: 'stopped' }>;

/** Never rejects: a probe that cannot tell leaves the node in doubt. */
async function probe(run: RunSession, step: PreparedStep, intent: IntentEntry): Promise<ProbeEnd> {
  const { node, type } = step;
  if (type.probe === undefined) return unsettled(`${node.type} cannot look for its effect afterwards`);
  const { options, control } = run;
  const identity = { node, ordinal: run.lane.steps, attempt: intent.attempt };
  const end = await runAttempt({
    run: async (signal) => {
      const params = storedParams(step, intent);
      const call = nodeContext(run, { ...identity, params, given: step.given, exposure: step.exposure, signal });
      const stored = { params, evidence: intent.evidence ?? null, idempotencyKey: idempotencyKey(run, identity) };
      const answer = await unlessRefused(call, async () => type.probe?.(stored, call.ctx));
      return { verdict: verdictOf(answer), written: call.written };
    },
    clock: options.clock,
    limitMs: options.nodeTimeoutMs,
    abortGraceMs: options.abortGraceMs ?? DEFAULT_ABORT_GRACE_MS,
    control,
    mustStop: () => (run.lane.run.stop === null ? (control.cause ?? laneStop(run.lane)) : laneStop(run.lane)),
  });
  if (end.kind === 'stopped') {
    return end.cause === 'grace_over' ? unsettled('the run is being stopped') : { ...end, cause: end.cause };
  }
  if (end.kind === 'failed') return unsettled(redacted(`looking for it failed: ${String(end.thrown)}`, options.redact));
  if (end.kind === 'timed_out') return unsettled('looking for it took too long');
  const { verdict } = end.value;
  return verdict.state === 'unknown'
    ? unsettled(redacted(verdict.reason, options.redact))
    : { kind: 'probed', ...end.value };
}

/** As they were before the effect, except what is not stored: secrets are taken anew. */
function storedParams(step: PreparedStep, intent: IntentEntry): Readonly<Record<string, unknown>> {
  if (intent.params === undefined) return step.params;
  const stored = Object.entries(intent.params);
  const hasSecret = stored.some(([, value]) => JSON.stringify(value).includes('$secret:'));
  return hasSecret ? step.params : parseInputs(step.type, intent.params);
}

/** It is shown to people, and goes to the database with the question. Cut once it is redacted: a half would not be known. */
const longestReason = 1_000;

function unsettled(given: string): ProbeEnd {
  const reason = given.length > longestReason ? `${given.slice(0, longestReason)}…` : given;
  return { kind: 'probed', verdict: { state: 'unknown', reason }, written: new Map() };
}
