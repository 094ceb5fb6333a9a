/** Has node types make anew what a restart of the robot took from a run; see `NodeType.restore`. */
import { NodeError } from '../errors.ts';
import type { NodeAccess } from './node-access.ts';
import { type NodeCall, nodeContext, unlessRefused } from './node-context.ts';
import { prepareStep } from './prepare-step.ts';
import type { Restorer } from './resources.ts';
import type { RunSession } from './run-session.ts';

/**
 * Restores on behalf of a node that asked: under its signal and its permissions, with the parameters of the node that
 * had made the resources.
 */
export function restorer(run: RunSession, asking: NodeCall, access: NodeAccess): Restorer {
  return async (nodeId, lost) => {
    const node = run.plan.workflow.nodes.get(nodeId);
    const type = node === undefined ? undefined : run.plan.typeOf(nodeId);
    if (node === undefined || type?.restore === undefined) return;
    try {
      const { params, given, exposure } = await prepareStep(run, node);
      const identity = { node, ordinal: asking.ordinal, attempt: asking.attempt };
      const call = nodeContext(run, { ...identity, params, given, exposure, signal: asking.signal, access });
      await unlessRefused(call, async () => type.restore?.(lost, call.ctx));
    } catch (error) {
      asking.signal.throwIfAborted();
      if (access.refusal() !== null) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new NodeError(`What "${nodeId}" had opened before the restart could not be opened again: ${reason}`, {
        code: 'RESTORE_FAILED',
        category: 'transient',
        errorType: 'ResourceError',
        cause: error,
      });
    }
  };
}
