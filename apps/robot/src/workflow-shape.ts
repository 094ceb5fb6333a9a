/** How a stored workflow is built, where its progress is to be told without running it. */
import { checkWorkflow, type NodeRegistry, type ProgressShape, progressShape } from '@casare/execution';

/** Null for one that this robot's library does not know any more. */
export function shapeOf(workflowJson: string, registry: NodeRegistry): ProgressShape | null {
  const { workflow } = checkWorkflow(workflowJson, registry);
  return workflow === null ? null : progressShape(workflow);
}
