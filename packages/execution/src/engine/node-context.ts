/** The context that a node runs with. What it writes to variables is kept aside until its result counts. */
import { createAccessPolicy } from '../access/access-policy.ts';
import { type ControlContext, type ControlVisit, controlBehaviour } from '../control/control-type.ts';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { findNonJson } from '../model/json-check.ts';
import type { Placeholder } from '../model/placeholder.ts';
import type { ReferenceScope } from '../model/reference-path.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { NodeContext } from '../node-contract.ts';
import {
  innermost,
  innermostCatch,
  innermostLoop,
  innermostRetry,
  isLoopAround,
  openLoop,
  ownParallelLoop,
} from './frame-search.ts';
import { allVariables, outputsOf, scopedName, variableOf, variablesIn } from './lane-values.ts';
import { endedBranches } from './lanes.ts';
import { type NodeAccess, nodeAccess } from './node-access.ts';
import { connectedValue, readInput } from './params.ts';

import type { ResourceChange } from './resource-record.ts';
import { runScope } from './run-scope.ts';
import type { RunSession } from './run-session.ts';
import type { Exposure } from './secrecy/exposure.ts';
import { fetchSecret, noSecrets, secretId } from './secrets.ts';
import { valueLost } from './unstorable/value-lost.ts';

/** Without rules of the operator: files of the work folder, public hosts, no programs. */
const defaultAccess = createAccessPolicy();

export interface StepIdentity {
  readonly node: WorkflowNode;
  /** Which step of its lane, from 1. */
  readonly ordinal: number;
  readonly attempt: number;
}

export interface NodeCall extends StepIdentity {
  readonly params: Readonly<Record<string, unknown>>;
  /** The parameters that config or a connection gives. */
  readonly given: ReadonlySet<string>;
  readonly exposure: Exposure;
  readonly signal: AbortSignal;
  /** That of another call, on whose behalf this one is made. */
  readonly access?: NodeAccess;
}

export interface CallContext {
  readonly ctx: NodeContext;
  /** What the node has written so far. */
  readonly written: ReadonlyMap<string, unknown>;
  /** What the node has done to restorable resources so far. */
  readonly resourceChanges: readonly ResourceChange[];
  /** The first permission that this call was refused; null when there was none. */
  refusal(): NodeError | null;
}

export function nodeContext(run: RunSession, call: NodeCall): CallContext {
  const { options, lane, resources, notify, live } = run;
  const { node, params, given, exposure } = call;
  const written = new Map<string, unknown>();
  const fill = controlBehaviour(run.plan.typeOf(node.id)) === undefined ? live.fill.bind(live) : asItIs;
  const access = call.access ?? nodeAccess(options.access ?? defaultAccess, options.workDir);
  const { scope, changes } = resources.scopeOf({
    nodeId: node.id,
    lane: lane.id,
    isRestorable: run.plan.typeOf(node.id).restore !== undefined,
    restore: run.restorerFor(run, call, access),
  });
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
      get: (name) => {
        if (written.has(name)) return written.get(name) as JsonValue;
        const value = exposure.see(variableOf(lane, scopedName(node.scope, name)));
        return value === undefined ? undefined : (fill(value, refuseLost) as JsonValue);
      },
      has: (name) => written.has(name) || variableOf(lane, scopedName(node.scope, name)) !== undefined,
      set: (name, value) => {
        if (value === undefined) throw noValue(`the variable "${name}"`);
        written.set(name, value);
      },
      all: (): JsonObject => {
        const own = exposure.see(Object.fromEntries(variablesIn(node.scope, allVariables(lane))));
        return { ...(fill(own) as JsonObject), ...(Object.fromEntries(written) as JsonObject) };
      },
    },
    resources: scope,
    workDir: options.workDir,
    resolvePath: access.resolvePath,
    access: access.scope,
    secrets: {
      get: (reference) => {
        exposure.expose();
        return fetchSecret(secretId(reference), options.secrets);
      },
    },
    idempotencyKey: idempotencyKey(run, call),
    attempt: call.attempt,
  };
  return { ctx, written, resourceChanges: changes, refusal: access.refusal };
}

/** A node that was refused a permission has failed, whatever it made of the refusal. */
export async function unlessRefused<T>({ refusal }: CallContext, work: () => Promise<T>): Promise<T> {
  try {
    const value = await work();
    const refused = refusal();
    if (refused !== null) throw refused;
    return value;
  } catch (thrown) {
    throw refusal() ?? thrown;
  }
}

/** Names the step of its lane, not the attempt: the walk to it is the same after every restart. */
export function idempotencyKey({ options, lane }: RunSession, { node, ordinal }: StepIdentity): string {
  return `${options.jobId}:${lane.id}${ordinal}:${node.id}`;
}

function asItIs(value: JsonValue): unknown {
  return value;
}

function refuseLost(placeholder: Placeholder): never {
  throw valueLost(
    placeholder,
    'a node that takes it as a parameter, by a connection or as {{name}}, can have it brought back',
  );
}

function noValue(what: string): NodeError {
  return new NodeError(`It gave ${what} no value: undefined stands for nothing.`, {
    code: 'OUTPUT_NOT_JSON',
    errorType: 'TypeError',
  });
}

/** The context of a control-flow node: what it needs to know of the walk besides. */
export function controlContext(run: RunSession, ctx: NodeContext, scope: ReferenceScope): ControlContext {
  return { ...ctx, scope, visit: controlVisit(run, ctx.nodeId) };
}

export function controlVisit(run: RunSession, nodeId: string): ControlVisit {
  const { plan, lane } = run;
  const top = innermost(lane);
  const region = top.kind === 'try' ? top : null;
  const ownCall = top.kind === 'call' && top.node === nodeId ? top : null;
  const ownRetry = top.kind === 'retry' && top.node === nodeId && top.phase === 'again' ? top : null;
  return {
    openLoop: openLoop(lane, nodeId) ?? null,
    innermostLoop: innermostLoop(lane)?.node ?? ownParallelLoop(lane),
    isLoopOpen: (loopId) => openLoop(lane, loopId) !== undefined || ownParallelLoop(lane) === loopId,
    isLoopAround: (loopId) => isLoopAround(lane, loopId),
    pairedLoop: plan.loopOfEnd(nodeId),
    offeredError: region?.phase === 'catch' && region.catches[0] === nodeId ? region.error : null,
    hadError: region?.phase === 'finally' && region.hadError,
    openCall: ownCall,
    calleeOutputs: () => calleeOutputs(run, nodeId),
    openRetry: ownRetry === null ? null : { attempt: ownRetry.attempt, lastError: ownRetry.error?.message ?? '' },
    get isInRetry() {
      return innermostRetry(lane) !== undefined;
    },
    get caughtError() {
      return innermostCatch(lane)?.error ?? null;
    },
    get ownOutputs() {
      return outputsOf(lane, nodeId) ?? {};
    },
    get endedBranches() {
      return top.kind === 'split' && plan.joinOf(top.node) === nodeId ? endedBranches(plan, lane, top) : null;
    },
    isConnected: (exit) => plan.targetsOf(nodeId, exit).length > 0,
    isFromConnection: (param) => connectedValue(plan.sourcesOf(nodeId).get(param), lane) !== undefined,
  };
}

/** Of the output nodes of a port, the last one that has a value counts; one that ran keeps what it had then. */
function calleeOutputs(run: RunSession, callId: string): JsonObject {
  const { plan, lane, options } = run;
  const scope = runScope(lane, callId, options.clock, noSecrets);
  const outputs: [string, JsonValue][] = [];
  for (const [port, nodeIds] of plan.portsOf(callId).outputs) {
    let value: JsonValue | undefined;
    for (const nodeId of nodeIds) {
      const onUnknownReference = (reference: string): void => run.warnOfReference(nodeId, reference);
      const reading = { plan, lane, nodeId, scope, onUnknownReference };
      value = outputsOf(lane, nodeId)?.value ?? readInput(reading, 'value') ?? value;
    }
    outputs.push([port, value ?? null]);
  }
  return Object.fromEntries(outputs);
}
