/**
 * Brings back what a node is about to read and a restart took: the type of the node that gave it restores it, or that node
 * runs again if it may; else the reading node fails with an error that says which value is meant and what would help.
 */
import { describePlaceholder, type Placeholder } from '../../model/placeholder.ts';
import type { WorkflowNode } from '../../model/workflow.ts';
import type { LostResource, NodeType } from '../../node-contract.ts';
import { nodeContext, unlessRefused } from '../node-context.ts';
import { prepareStep } from '../prepare-step.ts';
import type { RunSession } from '../run-session.ts';
import { inputsMark, storableInputs } from './stored-inputs.ts';
import { valueLost } from './value-lost.ts';

/** A value may need another one that is lost, too, but not without end. */
const MAX_DEPTH = 50;

/** What the node would be given and is not in this process. */
export function lostInputs(run: RunSession, node: WorkflowNode): readonly Placeholder[] {
  if (!run.live.isUsed) return [];
  const lost = new Map<string, Placeholder>();
  run.live.fill(storableInputs(run, node), (placeholder) => lost.set(placeholder.$unstorable, placeholder));
  return [...lost.values()];
}

/**
 * @param signal of the node that asks
 * @throws NodeError `VALUE_LOST`; what the node that gave the value throws
 */
export async function revive(
  run: RunSession,
  lost: readonly Placeholder[],
  signal: AbortSignal,
  depth = 0,
): Promise<void> {
  for (const placeholder of lost) {
    if (lostOf(run, placeholder)) await reviveOne(run, placeholder, lost, signal, depth);
    if (lostOf(run, placeholder)) throw valueLost(placeholder, 'running that node again did not give it');
  }
}

/** Of several values of one run of a node, the first brings back all. */
function lostOf({ live }: RunSession, placeholder: Placeholder): boolean {
  let isLost = false;
  live.fill(placeholder, () => {
    isLost = true;
  });
  return isLost;
}

async function reviveOne(
  run: RunSession,
  placeholder: Placeholder,
  lost: readonly Placeholder[],
  signal: AbortSignal,
  depth: number,
): Promise<void> {
  const node = run.plan.workflow.nodes.get(placeholder.node);
  if (node === undefined) throw valueLost(placeholder, 'the workflow has no such node');
  const type = run.plan.typeOf(node.id);
  const ofRun = lost.filter((other) => other.step === placeholder.step && other.node === placeholder.node);
  if (type.restore !== undefined) await restore(run, node, type, ofRun, signal);
  if (!lostOf(run, placeholder)) return;
  if (policyOf(node, type) !== 'rerun') {
    throw valueLost(
      placeholder,
      `"unstorable": "rerun" in the config of "${node.id}" would let that node run again, if it may`,
    );
  }
  if (depth > MAX_DEPTH) throw valueLost(placeholder, 'it needs too many other lost values');
  await revive(run, lostInputs(run, node), signal, depth + 1);
  await runAgain(run, node, placeholder, signal);
}

function policyOf({ config }: WorkflowNode, type: NodeType): 'rerun' | 'fail' {
  if (config.unstorable === 'rerun' || config.unstorable === 'fail') return config.unstorable;
  return type.unstorable ?? 'fail';
}

async function runAgain(
  run: RunSession,
  node: WorkflowNode,
  placeholder: Placeholder,
  signal: AbortSignal,
): Promise<void> {
  const { live } = run;
  const step = await prepareStep(run, node);
  if (step.effect === 'effect') {
    throw valueLost(
      placeholder,
      'that node has an effect, and is not run twice for it; put what makes the value into a node without effect',
    );
  }
  const mark = inputsMark(run, step.storableInputs);
  if (placeholder.inputs !== undefined && placeholder.inputs !== mark) {
    throw valueLost(placeholder, 'that node would be given other inputs now than it had then');
  }
  run.notify('log', {
    level: 'warning',
    node_id: node.id,
    message: `The robot was restarted: "${node.id}" runs again, because ${describePlaceholder(placeholder)} could not be stored.`,
  });
  const identity = { node, ordinal: 0, attempt: 1 };
  const call = nodeContext(run, {
    ...identity,
    params: step.params,
    given: step.given,
    exposure: step.exposure,
    signal,
  });
  const { outputs = {} } = await unlessRefused(call, () => step.type.run(call.ctx));
  const origin = () => ({ step: String(placeholder.step), node: node.id, inputs: mark });
  for (const [name, value] of Object.entries(outputs)) {
    if (value !== undefined) live.store(value, { place: 'output', name }, origin);
  }
  for (const [name, value] of call.written) live.store(value, { place: 'variable', name }, origin);
}

async function restore(
  run: RunSession,
  node: WorkflowNode,
  type: NodeType,
  placeholders: readonly Placeholder[],
  signal: AbortSignal,
): Promise<void> {
  const { params, given, exposure } = await prepareStep(run, node);
  const call = nodeContext(run, { node, ordinal: 0, attempt: 1, params, given, exposure, signal });
  const lost = placeholders.map(
    (placeholder): LostResource => ({
      kind: placeholder.place,
      name: placeholder.name,
      evidence: { path: placeholder.path, kind: placeholder.kind },
      sealed: {},
      bringBack(value, dispose) {
        run.live.keep(placeholder, value);
        call.ctx.resources.put(placeholder.place, value, dispose);
        return placeholder;
      },
    }),
  );
  await unlessRefused(call, async () => type.restore?.(lost, call.ctx));
}
