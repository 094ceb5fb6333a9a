import { ArgumentError, requireObject, requireObjects } from '../argument-error.ts';
import type { Workflow } from './workflow.ts';

/** @throws ArgumentError for what `checkWorkflow` did not answer with */
export function requireWorkflow(workflow: Workflow): void {
  requireObject('workflow', workflow);
  if (!(workflow.nodes instanceof Map))
    throw new ArgumentError('workflow', 'what checkWorkflow answers with as its workflow', workflow);
  requireObjects('workflow.connections', workflow.connections);
}
