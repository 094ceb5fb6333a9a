/**
 * The recording of one claim of one job: its durable journal (`load`, `commit`) and the specification's
 * checkpoints on top of it. In use until `endJob()`; then every call fails with `HANDLE_ENDED`.
 *
 * Keeps I3: when `commit` resolves, everything it was given is durable; when it rejects, nothing is.
 */
import type { StatusChange } from './jobs/job-state.ts';
import type { JournalEntryLike } from './journal/journal-entry.ts';
import type { OutboxDraft } from './outbox/outbox.ts';
import type { Checkpoint } from './queue-types.ts';

export interface CommitOptions {
  /** What the server must hear about it. */
  readonly outbox?: readonly OutboxDraft[];
  /** What becomes of the job's status; an end of the job is final (I5). */
  readonly status?: StatusChange;
}

export interface NodeCheckpoint {
  /** The node that has finished. */
  readonly nodeId: string;
  /** The state of the run as plain JSON: `{ variables, outputs }` and whatever else it takes to go on. */
  readonly context: object;
  /** Default: `cp-` and the entry's number. */
  readonly checkpointId?: string;
}

export interface JobHandle<Entry extends JournalEntryLike = JournalEntryLike> {
  readonly jobId: string;
  readonly workflowName: string;
  /** Null for a job without a lease. */
  readonly leaseToken: string | null;

  /**
   * Everything that `commit` recorded for this claim, oldest first; empty for a new run.
   *
   * @throws CorruptRecordError naming job and seq of a damaged or missing entry
   */
  load(): Promise<Entry[]>;

  /**
   * One transaction for all of it: journal entries, outbox entries and a change of the job's status.
   *
   * @throws StoreError `NOT_SERIALIZABLE`, `JOB_FINAL`, `STALE_LEASE`, `STORE_FULL`, `STORE_BUSY`, `STORE_IO`
   */
  commit(entries: readonly Entry[], options?: CommitOptions): Promise<void>;

  /** Records that a node has finished; see `CheckpointManagerOptions.autoSave`. */
  saveCheckpoint(checkpoint: NodeCheckpoint): Promise<void>;

  /**
   * Whether a node has finished at least once in this run.
   *
   * @throws StoreError `NOT_LOADED` for a run that was begun before and has not been loaded or restored
   */
  isNodeExecuted(nodeId: string): boolean;

  /** The nodes that have finished, in the order of their first end. */
  getExecutedNodes(): string[];

  /** The newest checkpoint, or null when no node has finished. */
  getCheckpoint(): Promise<Checkpoint | null>;

  /**
   * Puts a checkpoint's state into `target`, field by field, and learns which nodes have been executed.
   * A field of the target with a `set` method (a `Map`, a variable scope) takes the values by name; any
   * other is replaced.
   */
  restoreFromCheckpoint(checkpoint: Checkpoint, target: object): Promise<void>;

  /** Ends the recording; the job's status is not touched. Idempotent. */
  endJob(): void;
}
