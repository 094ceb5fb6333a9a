/** What a run of a node yields, checked: the part of a result entry that the node decides. */
import { type ControlBehaviour, type ControlResult, controlBehaviour } from '../control/control-type.ts';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { loopBodyExits } from '../model/pairs.ts';
import { isJsonObject } from '../model/value-text.ts';
import type { WorkflowNode } from '../model/workflow.ts';
import type { NodeResult } from '../node-contract.ts';
import type { ResultEntry } from './journal.ts';
import { scopedName } from './lane-values.ts';
import { longSleep } from './long-sleep.ts';
import { controlContext, controlVisit, nodeContext, type StepIdentity, unlessRefused } from './node-context.ts';
import { readInput } from './params.ts';
import { checkedExit, type PreparedStep } from './prepare-step.ts';
import { runScope } from './run-scope.ts';
import type { RunSession } from './run-session.ts';
import { learnDerivedValues } from './secrecy/derived-values.ts';
import { noSecrets } from './secrets.ts';
import type { Origin } from './unstorable/live-values.ts';
import { inputsMark } from './unstorable/stored-inputs.ts';

export type NodeYield = Pick<
  ResultEntry,
  'exit' | 'outputs' | 'variables' | 'control' | 'resources' | 'secret' | 'unstorable'
>;

/** Runs one attempt. Rejects with whatever the node throws, or with a JournalFault when it must not begin. */
export async function runNode(
  run: RunSession,
  step: PreparedStep,
  identity: StepIdentity,
  signal: AbortSignal,
): Promise<NodeYield> {
  const call = nodeContext(run, {
    ...identity,
    params: step.params,
    given: step.given,
    exposure: step.exposure,
    signal,
  });
  const { ctx, written } = call;
  const behaviour = controlBehaviour(step.type);
  if (behaviour !== undefined) {
    const control = controlContext(run, ctx, step.scope);
    const waitMs = behaviour.waitMs(control);
    if (waitMs > 0) await longSleep(run.options.clock, waitMs, signal);
    return withDerived(run, step, controlYield(run, step.node, behaviour.decide(control)));
  }
  const result = await unlessRefused(call, () => {
    run.record.beforeNode();
    return step.type.run(ctx);
  });
  const yielded = withDerived(run, step, yieldOf(run, step.node, result, written, originOf(run, step, identity)));
  return call.resourceChanges.length === 0 ? yielded : { ...yielded, resources: [...call.resourceChanges] };
}

/** Marks what a node has made of secrets that it was given. */
export function withDerived(run: RunSession, step: PreparedStep, yielded: NodeYield): NodeYield {
  if (!step.exposure.isExposed || step.type.outputsFrom === 'world') return yielded;
  const secret = learnDerivedValues(run.secrets, yielded, step.inputs);
  return secret.length === 0 ? yielded : { ...yielded, secret };
}

/** The next iteration of a loop that needs no parameters for it; null for every other visit. */
export function runLoopAgain(run: RunSession, node: WorkflowNode): NodeYield | null {
  const behaviour: ControlBehaviour | undefined = controlBehaviour(run.plan.typeOf(node.id));
  if (behaviour?.runAgain === undefined) return null;
  const { openLoop } = controlVisit(run, node.id);
  return openLoop === null ? null : controlYield(run, node, behaviour.runAgain(openLoop));
}

function controlYield(run: RunSession, node: WorkflowNode, result: ControlResult): NodeYield {
  const { control } = result;
  const written = new Map(Object.entries(result.variables ?? {}));
  return {
    ...yieldOf(run, node, result, written, () => ({ step: '', node: node.id, inputs: null })),
    ...(control === undefined ? {} : { control }),
  };
}

/** Which run of which node gives the values that cannot be stored. */
export function originOf(
  run: RunSession,
  step: Pick<PreparedStep, 'node' | 'storableInputs'>,
  { ordinal }: Pick<StepIdentity, 'ordinal'>,
): () => Origin {
  return () => ({
    step: `${run.lane.id}${ordinal}`,
    node: step.node.id,
    inputs: inputsMark(run, step.storableInputs),
  });
}

/**
 * Values that are no JSON stay in this process: names stand for them in the result.
 *
 * @throws NodeError `INVALID_EXIT`, `INVALID_RESULT`
 */
export function yieldOf(
  run: RunSession,
  node: WorkflowNode,
  result: NodeResult | ControlResult,
  written: ReadonlyMap<string, unknown>,
  origin: () => Origin,
): NodeYield {
  assertResult(result);
  let isUnstorable = false;
  const stored = (values: Iterable<readonly [string, unknown]>, place: 'output' | 'variable'): JsonObject =>
    Object.fromEntries(
      [...values].map(([name, value]) => {
        const kept = run.live.store(value, { place, name }, origin);
        isUnstorable ||= kept !== value;
        return [name, kept];
      }),
    );
  const given = Object.entries(result.outputs ?? {}).filter(([, value]) => value !== undefined);
  const outputs = stored(given, 'output');
  const variables = inScope(node.scope, stored(written, 'variable'));
  const exit = checkedExit(run, node, result.exit);
  return isUnstorable ? { exit, outputs, variables, unstorable: true } : { exit, outputs, variables };
}

/** A node's code is that of others. Its work is done all the same: another attempt would do it again. */
function assertResult(result: unknown): asserts result is NodeResult {
  const { outputs = {} } = isJsonObject(result) ? (result as NodeResult) : { outputs: null };
  if (isJsonObject(outputs)) return;
  const what = isJsonObject(result) ? 'outputs that are no object' : 'no result';
  throw new NodeError(`Its code gave ${what}: what run returns is { outputs: { name: value }, exit }, or {}.`, {
    code: 'INVALID_RESULT',
  });
}

/** Variables as a lane keeps them. */
function inScope(scope: string, variables: JsonObject): JsonObject {
  if (scope === '') return variables;
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [scopedName(scope, name), value]));
}

/** What only looks disabled: the region needs these nodes, whatever they are switched to. */
const structural = new Set(['FinallyNode', 'ForLoopEndNode', 'WhileLoopEndNode', 'JoinNode']);

export function isPassedOver(node: WorkflowNode): boolean {
  return node.disabled && !structural.has(node.type);
}

const failureExits = new Set(['error', 'failed', 'catch', 'on_error', 'fallback']);

function isPassable(type: string, exit: string): boolean {
  return loopBodyExits.get(type)?.has(exit) !== true && !failureExits.has(exit);
}

/**
 * A disabled node copies inputs to outputs of the same name (`x_in` to `x_out`, too) and passes control on:
 * by its normal exit, or else by the first exit that leads somewhere, but never into a loop's or retry's body, nor to
 * where only a failure leads. A fork goes on with its join.
 */
export function passOver(run: RunSession, node: WorkflowNode): NodeYield {
  const { plan, lane, options } = run;
  const scope = runScope(lane, node.scope, options.clock, noSecrets);
  const onUnknownReference = (reference: string): void => run.warnOfReference(node.id, reference);
  const reading = { plan, lane, nodeId: node.id, scope, onUnknownReference };
  const { outputs: declared } = plan.typeOf(node.id);
  const ports = new Set(typeof declared === 'function' ? declared(node.config) : declared);
  const outputs: [string, JsonValue][] = [];
  for (const port of ports.union(plan.usedOutputsOf(node.id))) {
    const value = readInput(reading, port) ?? readInput(reading, port.replace(/_out$/, '_in'));
    if (value !== undefined) outputs.push([port, value]);
  }
  if (node.type === 'ForkNode') {
    return { exit: null, outputs: Object.fromEntries(outputs), variables: {}, control: { op: 'skip_fork' } };
  }
  const normal = plan.normalExitOf(node.id);
  const leading = plan.connectedExitsOf(node.id).filter((exit) => isPassable(node.type, exit));
  const exit = normal !== null && leading.includes(normal) ? normal : (leading[0] ?? normal);
  return { exit, outputs: Object.fromEntries(outputs), variables: {} };
}
