/** The context that a node runs with. What it writes to variables is kept aside until its result counts. */
import { resolve } from 'node:path';
import type { ControlContext, ControlVisit } from '../control/control-type.ts';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { ReferenceScope } from '../model/reference-path.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { NodeContext } from '../node-contract.ts';
import { findNonJson } from './json-check.ts';
import { connectedValue } from './params.ts';
import { innermost, innermostLoop, openLoop } from './regions.ts';
import type { RunSession } from './run-session.ts';

export interface StepIdentity {
  readonly node: WorkflowNode;
  readonly step: number;
  readonly attempt: number;
}

export interface NodeCall extends StepIdentity {
  readonly params: Readonly<Record<string, unknown>>;
  /** The parameters that config or a connection gives. */
  readonly given: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

export interface CallContext {
  readonly ctx: NodeContext;
  /** What the node has written so far. */
  readonly written: ReadonlyMap<string, JsonValue>;
}

export function nodeContext(run: RunSession, call: NodeCall): CallContext {
  const { options, record, resources, notify } = run;
  const { node, params, given } = call;
  const stored = record.state.variables;
  const written = new Map<string, JsonValue>();
  const ctx: NodeContext = {
    jobId: options.jobId,
    nodeId: node.id,
    nodeType: node.type,
    params,
    given: (param) => given.has(param),
    signal: call.signal,
    log: {
      log: (level, message, fields) => {
        // A field that is not JSON must not cost the whole line.
        const isFit = fields !== undefined && findNonJson(fields) === null;
        notify('log', { level, node_id: node.id, message, ...(isFit ? { fields } : {}) });
      },
    },
    clock: options.clock,
    variables: {
      get: (name) => (written.has(name) ? written.get(name) : stored.get(name)),
      has: (name) => written.has(name) || stored.has(name),
      set: (name, value) => {
        assertJson(value, `the variable "${name}"`);
        written.set(name, value);
      },
      all: (): JsonObject => Object.fromEntries([...stored, ...written]),
    },
    resources,
    workDir: options.workDir,
    resolvePath: (path) => resolve(options.workDir, path),
    idempotencyKey: idempotencyKey(run, call),
    attempt: call.attempt,
  };
  return { ctx, written };
}

/** Names the step, not the attempt: the walk to a step is the same after every restart. */
export function idempotencyKey({ options }: RunSession, { node, step }: StepIdentity): string {
  return `${options.jobId}:${step}:${node.id}`;
}

/** @throws NodeError `OUTPUT_NOT_JSON` naming the port or variable */
export function assertJson(value: unknown, what: string): void {
  const problem = findNonJson(value);
  if (problem === null) return;
  throw new NodeError(`It gave ${what} a value that cannot be kept: the value${problem}.`, {
    code: 'OUTPUT_NOT_JSON',
    errorType: 'TypeError',
  });
}

/** The context of a control-flow node: what it needs to know of the walk besides. */
export function controlContext(run: RunSession, ctx: NodeContext, scope: ReferenceScope): ControlContext {
  return { ...ctx, scope, visit: controlVisit(run, ctx.nodeId) };
}

export function controlVisit({ plan, record }: RunSession, nodeId: string): ControlVisit {
  const { state } = record;
  const top = innermost(state);
  const region = top.kind === 'try' ? top : null;
  return {
    openLoop: openLoop(state, nodeId) ?? null,
    innermostLoop: innermostLoop(state)?.node ?? null,
    isLoopOpen: (loopId) => openLoop(state, loopId) !== undefined,
    pairedLoop: plan.loopOfEnd(nodeId),
    offeredError: region?.phase === 'catch' && region.catches[0] === nodeId ? region.error : null,
    hadError: region?.phase === 'finally' && region.hadError,
    isConnected: (exit) => plan.targetsOf(nodeId, exit).length > 0,
    isFromConnection: (param) => connectedValue(plan.sourcesOf(nodeId).get(param), state) !== undefined,
  };
}
