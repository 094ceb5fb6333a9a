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
}

export const defaultWorkflowLimits: WorkflowLimits = {
  maxFileBytes: 5 * 1024 * 1024,
  maxNodes: 1_000,
  maxConnections: 5_000,
  maxConfigDepth: 10,
};
