/** What the server is told of a job's progress. */
import type { JsonObject } from '../json.ts';

export type ProgressStage =
  | 'queued'
  | 'starting'
  | 'loading_workflow'
  | 'executing'
  | 'completing'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface ProgressSnapshot extends JsonObject {
  readonly stage: ProgressStage;
  /**
   * When each stage was entered, ISO 8601: also those that were over before a report was due. Of a job that was resumed:
   * `executing` is when its run first began (absent when its journal does not say so any more), and `resumed` when it
   * last went on.
   */
  readonly stages: { readonly [stage in ProgressStage | 'resumed']?: string };
  /** 0 to 100; 100 only for a completed job; never goes back. */
  readonly percent: number;
  /** The node that was started last. */
  readonly current_node: string | null;
  readonly current_node_type: string | null;
  /** All nodes that run now, the newest last; at most 20. */
  readonly current_nodes: readonly string[];
  /** Different nodes that have completed. */
  readonly nodes_completed: number;
  readonly nodes_total: number;
  /** Node executions so far, each turn of a loop counted. */
  readonly steps: number;
  readonly updated_at: string;
}
