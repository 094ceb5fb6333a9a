/**
 * Per-job handles for crash recovery. One handle per job and claim at a time; a robot that runs several
 * jobs has several handles, and none of them is "the current one".
 */
import { StoreError } from './errors.ts';
import type { JobHandle } from './job-handle.ts';
import { overError } from './jobs/refusals.ts';
import type { JournalEntryLike } from './journal/journal-entry.ts';
import { OfflineQueue } from './offline-queue.ts';
import { checkpointManagerNames, leaseTokenNames } from './option-names.ts';
import { checkBoolean, checkGiven, checkJobId, checkLeaseToken, checkText } from './queue-arguments.ts';
import type { Checkpoint } from './queue-types.ts';
import { SqliteJobHandle } from './sqlite-job-handle.ts';
import { SqliteStore } from './sqlite-store.ts';

export interface CheckpointManagerOptions {
  /**
   * False: `saveCheckpoint` only remembers the node, nothing is written and the run cannot be resumed
   * from it. `commit` is durable either way. Default true.
   */
  readonly autoSave?: boolean;
}

export interface StartJobOptions {
  /** The claim to write for. Default: the job's newest. */
  readonly leaseToken?: string;
}

/**
 * @example
 * const checkpoints = new CheckpointManager(queue, { autoSave: true });
 * const job = checkpoints.startJob('job-456', 'My Workflow');
 * await job.saveCheckpoint({ nodeId: 'node-1', context: { variables: { x: 1 } } });
 * job.isNodeExecuted('node-1'); // true
 * job.endJob();
 */
export class CheckpointManager {
  readonly #queue: OfflineQueue;
  readonly #autoSave: boolean;

  constructor(queue: OfflineQueue, options: CheckpointManagerOptions = {}) {
    if (!(queue instanceof OfflineQueue))
      throw new StoreError('INVALID_ARGUMENT', 'A CheckpointManager takes an OfflineQueue.');
    checkBoolean('autoSave', checkGiven(options, 'CheckpointManager', checkpointManagerNames).autoSave);
    this.#queue = queue;
    this.#autoSave = options.autoSave ?? true;
  }

  /**
   * Starts to record a job that the queue has cached. `Entry` is the type of its journal entries.
   *
   * @throws StoreError `UNKNOWN_JOB`, `STALE_LEASE` when the job was claimed again since, `JOB_FINAL` when it
   *   was handed back, `JOB_ALREADY_STARTED` while another handle for the same claim is in use
   */
  startJob<Entry extends JournalEntryLike = JournalEntryLike>(
    jobId: string,
    workflowName: string,
    options: StartJobOptions = {},
  ): JobHandle<Entry> {
    checkJobId(jobId);
    checkText('workflowName', workflowName);
    checkLeaseToken(checkGiven(options, 'startJob', leaseTokenNames).leaseToken);
    const store = SqliteStore.of(this.#queue.store);
    const { run, position } = store.readNow(() => {
      const { jobs } = store.tables;
      const found = jobs.find(jobId, options.leaseToken);
      return { run: found, position: jobs.position(found) };
    });
    if (position.state.status === 'released') throw overError(run, position.state);
    if (store.recording.has(run.runId)) {
      throw new StoreError('JOB_ALREADY_STARTED', `Job ${jobId} is being recorded already: call endJob() first.`);
    }
    const handle = new SqliteJobHandle<Entry>({
      store,
      run,
      workflowName,
      autoSave: this.#autoSave,
      isNew: position.journalSeq === 0,
      onEnd: () => store.recording.delete(run.runId),
    });
    store.recording.add(run.runId);
    return handle;
  }

  /** The newest checkpoint of a job, or null when no node has finished. */
  async getCheckpoint(jobId: string): Promise<Checkpoint | null> {
    return this.#queue.getLatestCheckpoint(jobId);
  }
}
