/**
 * The recording of one claim of one job: its durable journal (`load`, `commit`) and the specification's
 * checkpoints on top of it. In use until `endJob()`; then every call fails with `HANDLE_ENDED`.
 *
 * Keeps I3: when `commit` resolves, everything it was given is durable; when it rejects, nothing is.
 */
import type { StatusChange } from './jobs/job-state.ts';
import type { CheckpointDraft } from './journal/encode-checkpoint.ts';
import type { Iteration } from './journal/iteration.ts';
import type { JournalEntryLike } from './journal/journal-entry.ts';
import type { OutboxDraft } from './outbox/outbox.ts';
import type { Checkpoint } from './queue-types.ts';
import type { SecretPath } from './secrets/secret-parts.ts';

export interface CommitOptions {
  /** What the server must hear about it. */
  readonly outbox?: readonly OutboxDraft[];
  /** What becomes of the job's status; an end of the job is final (I5). */
  readonly status?: StatusChange;
  /**
   * Parts of the entries that are kept sealed only: values derived from secrets, browser state. They come back
   * with `load()`. Outbox and status cannot hold any, since those go to the server.
   */
  readonly secret?: readonly SecretPart[];
  /**
   * True for what has happened already, so that nobody could do it over (the result of an effect): a full store takes
   * it from the reserve for ends of jobs. Default false.
   */
  readonly reserve?: boolean;
}

export interface SecretPart {
  /** Index in the list of entries. */
  readonly entry: number;
  /** The way to the value inside that entry: `['variables', 'token']`. */
  readonly path: SecretPath;
}

export interface NodeCheckpoint extends Omit<CheckpointDraft, 'state'> {
  /** The state of the run as plain JSON: `{ variables, outputs }` and whatever else it takes to go on. */
  readonly context: object;
}

export interface JobHandle<Entry extends JournalEntryLike = JournalEntryLike> {
  readonly jobId: string;
  readonly workflowName: string;
  /** Null for a job without a lease. */
  readonly leaseToken: string | null;

  /**
   * What `commit` recorded for this claim, from the newest entry of kind `snapshot` on (or from the first),
   * oldest first; empty for a new run.
   *
   * @throws StoreError `JOB_IN_DOUBT` when the job is in doubt as a whole: part of its record is lost, or somebody else knows
   *   more of it (`markStepsLost`), so that nothing may be resumed from what is there; `KEY_MISSING`, `KEY_WRONG` when a
   *   sealed part does not open
   * @throws CorruptRecordError naming job and seq of an entry that was damaged since the store was opened
   */
  load(): Promise<Entry[]>;

  /**
   * One transaction for all of it: journal entries, outbox entries and a change of the job's status.
   *
   * @throws StoreError `NOT_SERIALIZABLE`, `JOB_FINAL`, `JOB_IN_DOUBT`, `STALE_LEASE`, `KEY_MISSING`,
   *   `STORE_FULL`, `STORE_BUSY`, `STORE_IO`
   * @throws ValueTooLargeError when the store never takes so much at once, however much room there is
   */
  commit(entries: readonly Entry[], options?: CommitOptions): Promise<void>;

  /** Records that a node has finished; see `CheckpointManagerOptions.autoSave`. */
  saveCheckpoint(checkpoint: NodeCheckpoint): Promise<void>;

  /**
   * Whether a node has finished in the present turn of the loops around it.
   *
   * @param iteration the present turn; default that of the node that finished last
   * @throws StoreError `NOT_LOADED` for a run that was begun before and has not been loaded or restored
   */
  isNodeExecuted(nodeId: string, iteration?: Iteration): boolean;

  /** The nodes of which that is true, in the order of their first end. */
  getExecutedNodes(iteration?: Iteration): string[];

  /** The newest checkpoint, or null when no node has finished. @throws as `load()` */
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
