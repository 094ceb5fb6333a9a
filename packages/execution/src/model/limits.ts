import { ArgumentError, requireOptions } from '../argument-error.ts';

/** How large a workflow may be; past a limit the file is refused. */
export interface WorkflowLimits {
  /** Bytes of the file (UTF-8). Default 5 MiB. */
  readonly maxFileBytes: number;
  /** Default 1,000. */
  readonly maxNodes: number;
  /** Default 5,000. */
  readonly maxConnections: number;
  /** Levels of objects and lists inside a node's config. Default 10. */
  readonly maxConfigDepth: number;
  /** Nodes of the file and of all sub-workflows, each as often as it is called. Default 10,000. */
  readonly maxInlinedNodes: number;
  /** Sub-workflows that call each other, one within the other. Default 10. */
  readonly maxCallDepth: number;
}

export const defaultWorkflowLimits: WorkflowLimits = {
  maxFileBytes: 5 * 1024 * 1024,
  maxNodes: 1_000,
  maxConnections: 5_000,
  maxConfigDepth: 10,
  maxInlinedNodes: 10_000,
  maxCallDepth: 10,
};

/** @throws ArgumentError naming the limit that is no number */
export function requireLimits(limits: Partial<WorkflowLimits>): void {
  requireOptions('limits', limits, Object.keys(defaultWorkflowLimits));
  for (const [name, limit] of Object.entries(limits)) {
    if (limit === undefined || (typeof limit === 'number' && limit >= 0)) continue;
    throw new ArgumentError(`limits.${name}`, 'a number of at least 0', limit);
  }
}
