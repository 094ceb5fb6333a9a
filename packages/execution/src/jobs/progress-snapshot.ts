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
   * those up to `executing` are from when its run first began (absent where its journal does not say so), and `resumed` is
   * when it last went on.
   */
  readonly stages: { readonly [stage in ProgressStage | 'resumed']?: string };
  /** When it went on, the first time and the newest ones, at most 10, in order. Absent for a job that never had to. */
  readonly resumed_at?: readonly string[];
  /** How often it went on. */
  readonly resumptions?: number;
  /**
   * How far the run is, 0 to 100; 100 only for a completed job; never goes back. It is no share of `nodes_completed`: a node in a
   * loop counts by the turns of the loop, and when a loop is over, all of its body does, branches that were not taken included.
   */
  readonly percent: number;
  /** The node that was started last. */
  readonly current_node: string | null;
  readonly current_node_type: string | null;
  /** All nodes that run now, the newest last; at most 20. */
  readonly current_nodes: readonly string[];
  /**
   * Different nodes that have completed, each once; nodes on ways that are not taken, and those passed over by an answer or a
   * policy, never do.
   */
  readonly nodes_completed: number;
  readonly nodes_total: number;
  /** Node executions so far, each turn of a loop counted. */
  readonly steps: number;
  readonly updated_at: string;
}
