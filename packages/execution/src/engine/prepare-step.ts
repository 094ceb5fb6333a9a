/** Makes a node ready to run: its parameters, what a run of it does to the world, its limits. */
import { controlBehaviour } from '../control/control-type.ts';
import { RECOVERY_RETRIES, RECOVERY_STRATEGY } from '../control/recovery-nodes.ts';
import { NodeError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { ReferenceScope } from '../model/reference-path.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { EffectKind, NodeType } from '../node-contract.ts';
import { scopedName, variableOf } from './lane-values.ts';
import { numberOf } from './number-of.ts';
import { parseInputs, readInput, readInputs } from './params.ts';
import { runScope } from './run-scope.ts';
import type { RunSession } from './run-session.ts';
import { Exposure } from './secrecy/exposure.ts';
import { fetchSecrets, noSecrets } from './secrets.ts';
import { timeLimitMs } from './time-limit.ts';
import { valueLost } from './unstorable/value-lost.ts';

export interface PreparedStep {
  readonly node: WorkflowNode;
  readonly type: NodeType;
  readonly scope: ReferenceScope;
  /** As the workflow gives them, with secrets left as references: fit for the journal. */
  readonly storableInputs: JsonObject;
  /** As the workflow gives them. */
  readonly inputs: JsonObject;
  readonly params: Readonly<Record<string, unknown>>;
  readonly given: ReadonlySet<string>;
  /** Whether anything secret is among what the node is given. */
  readonly exposure: Exposure;
  readonly effect: EffectKind;
  /** null: no limit. */
  readonly limitMs: number | null;
  readonly retries: RetryRule;
}

export interface RetryRule {
  /** The node's own: it asks for a repetition whatever happened. */
  readonly own: number;
  /** Whether the node's own config names a number of retries. */
  readonly asksForRepetition: boolean;
  /** The workflow's: never repeats what may have happened. */
  readonly fromSettings: number;
  readonly intervalMs: number;
  /** By which factor the interval grows from one attempt to the next. */
  readonly backoff: number;
}

/** @throws NodeError when the parameters or secrets are not to be had */
export async function prepareStep(run: RunSession, node: WorkflowNode): Promise<PreparedStep> {
  const { options, plan, lane } = run;
  const type = plan.typeOf(node.id);
  const secrets = await fetchSecrets(node.config, options.secrets);
  const exposure = new Exposure(run.secrets);
  const scope = exposure.watch(runScope(lane, node.scope, options.clock, secrets));
  const reading = {
    plan,
    lane,
    nodeId: node.id,
    scope,
    onUnknownReference: (reference: string) => run.warnOfReference(node.id, reference),
  };
  const inputs = exposure.see(readInputs(reading));
  const params = parseInputs(type, liveInputs(run, type, inputs));
  const effect = type.effect(params);
  const ownRetries = numberOf(readInput(reading, 'retry_count')) ?? 0;
  const storableInputs =
    secrets.size === 0
      ? inputs
      : readInputs({
          ...reading,
          scope: runScope(lane, node.scope, options.clock, noSecrets),
          onUnknownReference: () => {},
        });
  return {
    node,
    type,
    scope,
    storableInputs,
    inputs,
    params,
    given: givenParams(run, node),
    exposure,
    effect,
    limitMs: timeLimitMs({
      type,
      params,
      given: readInput(reading, 'timeout'),
      settingSeconds: plan.settingsOf(node.id).nodeTimeoutSeconds,
      defaultMs: options.nodeTimeoutMs,
    }),
    retries: {
      own: ownRetries,
      asksForRepetition: ownRetries > 0,
      fromSettings: retriesFromSettings(run, node),
      backoff: Math.max(1, numberOf(readInput(reading, 'retry_backoff')) ?? 1),
      intervalMs: retryIntervalMs(params, (name) => numberOf(readInput(reading, name))),
    },
  };
}

/** As the node gets them. Control-flow nodes pass names on, which the journal can take. */
function liveInputs({ live }: RunSession, type: NodeType, inputs: JsonObject): JsonObject {
  if (!live.isUsed || controlBehaviour(type) !== undefined) return inputs;
  const values = live.fill(inputs, (placeholder) => {
    throw valueLost(placeholder, 'nothing has brought it back');
  });
  return values as JsonObject;
}

/** A null in the config says "not set"; a reference or connection that turns out to be null is given all the same. */
function givenParams({ plan }: RunSession, node: WorkflowNode): ReadonlySet<string> {
  const given = Object.entries(node.config).filter(([, value]) => value !== null);
  return new Set([...given.map(([name]) => name), ...plan.sourcesOf(node.id).keys()]);
}

/** The file's setting, unless an ErrorRecoveryNode has asked for repetition. */
function retriesFromSettings({ plan, lane }: RunSession, node: WorkflowNode): number {
  const asks = variableOf(lane, scopedName(node.scope, RECOVERY_STRATEGY)) === 'retry';
  const asked = asks ? numberOf(variableOf(lane, scopedName(node.scope, RECOVERY_RETRIES)) ?? null) : null;
  return asked ?? plan.settingsOf(node.id).retryCount;
}

const DEFAULT_RETRY_INTERVAL_MS = 1_000;

/** `retry_interval` is in ms; the HTTP nodes' `retry_delay` is in seconds. */
function retryIntervalMs(params: Readonly<Record<string, unknown>>, given: (name: string) => number | null): number {
  const intervalMs = given('retry_interval') ?? numberOf(params.retry_interval);
  if (intervalMs !== null) return Math.max(0, intervalMs);
  const delaySeconds = given('retry_delay') ?? numberOf(params.retry_delay);
  return delaySeconds === null ? DEFAULT_RETRY_INTERVAL_MS : Math.max(0, delaySeconds * 1_000);
}

/** The in-doubt policy that a node's config names; undefined when it names none. */
export function ownInDoubtPolicy(node: WorkflowNode): 'retry' | 'skip' | 'fail' | 'ask' | undefined {
  const policy = node.config.in_doubt;
  return policy === 'retry' || policy === 'skip' || policy === 'fail' || policy === 'ask' ? policy : undefined;
}

/** @throws NodeError `INVALID_EXIT` for an exit that the node's type does not have */
export function checkedExit(run: RunSession, node: WorkflowNode, exit: string | null | undefined): string | null {
  if (exit === null) return null;
  const exits = run.plan.exitsOf(node.id);
  if (exit === undefined) return exits[0] ?? null;
  if (exits.includes(exit)) return exit;
  throw new NodeError(`It chose the exit "${exit}", which its type does not have.`, { code: 'INVALID_EXIT' });
}
