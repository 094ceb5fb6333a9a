/**
 * The specification's offline queue: the jobs of a robot, kept locally so that they run, end and are
 * reported with the server away. `markInProgress`, `saveCheckpoint` and `markCompleted` speak about the
 * newest claim of a job; a second end of the same job never replaces the first (I5).
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CorruptRecordError, StoreError } from './errors.ts';
import { countJobs, greatestToken, type JobFilter, listRecords, selectRecord } from './jobs/job-queries.ts';
import type { CacheJobOptions, CacheOutcome, JobRecord, LeaseNote } from './jobs/job-record.ts';
import type { StatusChange } from './jobs/job-state.ts';
import { encodeCheckpoint } from './journal/encode-checkpoint.ts';
import { checkChange, noEntries } from './journal/journal-entry.ts';
import { openStoreNow } from './open-store.ts';
import {
  leaseNames,
  leaseTokenNames,
  limitNames,
  markCompletedNames,
  markReleasedNames,
  markStepsLostNames,
  offlineQueueNames,
  saveCheckpointNames,
} from './option-names.ts';
import { encodeDrafts } from './outbox/draft-text.ts';
import type { OutboxDraft } from './outbox/outbox.ts';
import {
  checkCacheJob,
  checkDrafts,
  checkGiven,
  checkJobId,
  checkLease,
  checkLeaseToken,
  checkLimit,
  checkOneOf,
  checkText,
  noteOf,
} from './queue-arguments.ts';
import type {
  Checkpoint,
  HistoryEntry,
  MarkCompletedOptions,
  OfflineQueueOptions,
  QueueStats,
  SaveCheckpointOptions,
} from './queue-types.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { CleanupOptions, CleanupReport, Store } from './store.ts';

/**
 * @example
 * const queue = new OfflineQueue({ dbPath: '/var/lib/robot/offline.db', robotId: 'robot-123' });
 * await queue.cacheJob({ jobId: 'job-456', workflowJson: '{"nodes": {}}', originalStatus: 'pending' });
 * await queue.markInProgress('job-456');
 * await queue.saveCheckpoint({ jobId: 'job-456', checkpointId: 'cp-1', nodeId: 'node-3', state: { variables: { x: 1 } } });
 * await queue.markCompleted('job-456', { success: true, result: { status: 'done' } });
 * for (const job of await queue.getJobsToSync()) await queue.markSynced(job.id);
 * await queue.close();
 */
export class OfflineQueue implements AsyncDisposable {
  /** The store beneath, for the outbox and for `CheckpointManager`. */
  readonly store: Store;
  readonly robotId: string;
  readonly #store: SqliteStore;
  readonly #ownsStore: boolean;

  /** @throws StoreOwnedError when another process holds the file; see `openStore` for the other errors */
  constructor(options: OfflineQueueOptions) {
    checkGiven(options, 'OfflineQueue', offlineQueueNames);
    if ('store' in options) {
      this.#store = SqliteStore.of(options.store);
      this.#ownsStore = false;
    } else {
      const { dbPath, ...rest } = options;
      const path = dbPath ?? join(homedir(), '.casare_rpa', 'offline.db');
      this.#store = SqliteStore.of(openStoreNow({ ...rest, path }));
      this.#ownsStore = true;
    }
    this.store = this.#store;
    this.robotId = options.robotId ?? this.#store.robotId;
  }

  /**
   * Keeps a job. The same claim again changes nothing (`known`), a newer lease token takes the job over
   * (`new-claim`): an unfinished older claim is released, a finished one stays and is still synced.
   *
   * @throws StoreError `STALE_LEASE` for an older token, `JOB_CONFLICT` for the same claim with another
   *   workflow or a leased job without its token, `INVALID_ARGUMENT`, `NOT_SERIALIZABLE`
   */
  async cacheJob(options: CacheJobOptions): Promise<CacheOutcome> {
    const job = checkCacheJob(options);
    this.#store.requireFit('A job', [job.workflowJson, JSON.stringify(job.variables)]);
    return this.#store.write({ op: 'cache', job, robotId: this.robotId, nowMs: this.#store.clock.now() });
  }

  /** @throws StoreError `UNKNOWN_JOB`, `JOB_FINAL` */
  markInProgress(jobId: string): Promise<void> {
    return this.#change(jobId, { status: 'in_progress' });
  }

  /**
   * Ends a job. The same end again is fine.
   *
   * @throws StoreError `UNKNOWN_JOB`, `JOB_FINAL` when it has ended otherwise, `NOT_SERIALIZABLE`
   */
  async markCompleted(jobId: string, options: MarkCompletedOptions): Promise<void> {
    if (typeof checkGiven(options, 'markCompleted', markCompletedNames).success !== 'boolean') {
      throw new StoreError('INVALID_ARGUMENT', 'markCompleted takes { success: true } or { success: false }.');
    }
    checkOneOf('status', options.status, ['completed', 'failed', 'cancelled']);
    const status = options.status ?? (options.success ? 'completed' : 'failed');
    if (options.success !== (status === 'completed')) {
      throw new StoreError('INVALID_ARGUMENT', `success: ${options.success} does not go with status "${status}".`);
    }
    const { result = null, error = null, outbox } = options;
    await this.#change(jobId, { status, result, error }, outbox);
  }

  /** Hands a claim back: nothing more can be recorded under it. */
  async markReleased(
    jobId: string,
    options: { readonly reason?: string; readonly outbox?: readonly OutboxDraft[] } = {},
  ): Promise<void> {
    const { reason, outbox } = checkGiven(options, 'markReleased', markReleasedNames);
    checkText('reason', reason);
    await this.#change(jobId, reason === undefined ? { status: 'released' } : { status: 'released', reason }, outbox);
  }

  /** Notes when a lease was last confirmed, or that it is lost, for the time after a restart (I1, I2). */
  async renewLease(jobId: string, leaseToken: string, lease: LeaseNote): Promise<void> {
    const note = noteOf(checkGiven(lease, 'renewLease', leaseNames));
    checkLease(note);
    checkLeaseToken(leaseToken ?? null);
    await this.#store.write({ op: 'renew-lease', jobId: checkJobId(jobId), leaseToken, lease: note });
  }

  /**
   * Notes that steps of a claim are missing here, which somebody else knows of: the job is in doubt as a whole, as if the
   * store had found so itself, and an incident says why. What is put into its outbox from now on is numbered behind
   * `outboxSeq`, so that no number is used twice.
   *
   * @param options.outboxSeq the highest number that the other side knows. Default 0
   * @throws StoreError `UNKNOWN_JOB`, `STALE_LEASE`, `JOB_FINAL`; `JOB_IN_DOUBT` when it is so already; `INVALID_ARGUMENT`
   */
  async markStepsLost(
    jobId: string,
    options: { readonly leaseToken: string; readonly reason: string; readonly outboxSeq?: number },
  ): Promise<void> {
    const { leaseToken, reason, outboxSeq = 0 } = checkGiven(options, 'markStepsLost', markStepsLostNames);
    checkLeaseToken(leaseToken ?? null);
    checkText('reason', reason);
    if (!Number.isSafeInteger(outboxSeq) || outboxSeq < 0) {
      throw new StoreError('INVALID_ARGUMENT', `outboxSeq is a whole number from 0, not ${String(outboxSeq)}.`);
    }
    const nowMs = this.#store.clock.now();
    await this.#store.write({ op: 'lose-steps', jobId: checkJobId(jobId), leaseToken, reason, outboxSeq, nowMs });
  }

  /**
   * Durable once it resolves. Costs what changed since the checkpoint before, not the size of the state.
   *
   * @throws StoreError `UNKNOWN_JOB`, `JOB_FINAL`, `NOT_SERIALIZABLE`
   */
  async saveCheckpoint(options: SaveCheckpointOptions): Promise<void> {
    const { jobId, ...checkpoint } = checkGiven(options, 'saveCheckpoint', saveCheckpointNames);
    const run = { jobId: checkJobId(jobId) };
    const nowMs = this.#store.clock.now();
    await this.#store.write({ op: 'checkpoint', run, checkpoint: encodeCheckpoint(checkpoint), nowMs });
  }

  /**
   * The newest checkpoint of a job, or null when no node has finished: from `saveCheckpoint`, or folded
   * from the `result` entries of its journal.
   *
   * @throws StoreError `UNKNOWN_JOB`; `JOB_IN_DOUBT` when the job is in doubt as a whole, which `getJob(...).inDoubtAsWhole`
   *   says beforehand
   * @throws CorruptRecordError when it was damaged since the store was opened
   */
  async getLatestCheckpoint(jobId: string): Promise<Checkpoint | null> {
    checkJobId(jobId);
    return this.#store.read(() => {
      const folded = this.#store.reader.latestCheckpoint(this.#store.tables.jobs.find(jobId));
      return folded === null ? null : { jobId, ...folded };
    });
  }

  /** @throws StoreError `UNKNOWN_JOB` */
  async getJob(jobId: string): Promise<JobRecord> {
    checkJobId(jobId);
    const { db, jobs, journal } = this.#store.tables;
    return this.#store.read(() => selectRecord(db, jobs.find(jobId), journal.newestSeqs()));
  }

  /** The greatest lease token that this store has seen and not cleaned away; null when there is none. */
  greatestLeaseToken(): Promise<string | null> {
    return this.#store.read(() => greatestToken(this.#store.tables.db));
  }

  /** Jobs that were cached but not begun, oldest first. */
  getCachedJobs(limit = 1_000): Promise<JobRecord[]> {
    return this.#list({ statuses: ['cached'], limit });
  }

  /** Jobs that were begun and have not ended, those in doubt included, oldest first. */
  getInProgressJobs(limit = 1_000): Promise<JobRecord[]> {
    const statuses = ['cached', 'completed', 'failed', 'cancelled', 'released'] as const;
    return this.#list({ statuses, except: true, limit });
  }

  /** Ended claims that were not marked as synced, oldest first. */
  getJobsToSync(limit = 1_000): Promise<JobRecord[]> {
    const statuses = ['completed', 'failed', 'cancelled'] as const;
    return this.#list({ statuses, unsyncedOnly: true, limit });
  }

  /**
   * @param options.leaseToken which claim; default the newest one that has ended
   * @throws StoreError `UNKNOWN_JOB`, `JOB_NOT_FINAL`
   */
  async markSynced(jobId: string, options: { readonly leaseToken?: string } = {}): Promise<void> {
    const { leaseToken } = checkGiven(options, 'markSynced', leaseTokenNames);
    checkLeaseToken(leaseToken);
    const claim = leaseToken === undefined ? {} : { leaseToken };
    const nowMs = this.#store.clock.now();
    await this.#store.write({ op: 'mark-synced', jobId: checkJobId(jobId), ...claim, nowMs });
  }

  /** What was recorded for the newest claim, oldest first; of a longer history the newest part. */
  async getJobHistory(jobId: string, options: { readonly limit?: number } = {}): Promise<HistoryEntry[]> {
    checkJobId(jobId);
    const limit = checkLimit(checkGiven(options, 'getJobHistory', limitNames).limit ?? 1_000);
    return this.#store.read(() => {
      const rows = this.#store.reader.newest(this.#store.tables.jobs.find(jobId), limit);
      return rows.map(({ seq, kind, nodeId, recordedAtMs, entry }) => ({ seq, kind, nodeId, recordedAtMs, entry }));
    });
  }

  async getStats(): Promise<QueueStats> {
    await this.#store.write({ op: 'settle' });
    const counts = await this.#store.read(() => countJobs(this.#store.tables.db));
    const [outbox, store] = await Promise.all([this.store.outbox.stats(), this.store.stats()]);
    return { robotId: this.robotId, ...counts, outbox, store };
  }

  /** Removes what retention allows; see `CleanupOptions` for the defaults. */
  cleanup(options: CleanupOptions = {}): Promise<CleanupReport> {
    return this.store.cleanup(options);
  }

  /** Closes the store if the queue opened it. */
  async close(): Promise<void> {
    if (this.#ownsStore) await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #list(filter: JobFilter): Promise<JobRecord[]> {
    const limit = checkLimit(filter.limit);
    const onDamaged = (error: CorruptRecordError): void => this.#store.reportDamage(error);
    const { db, journal } = this.#store.tables;
    return this.#store.read(() => listRecords(db, { ...filter, limit }, journal.newestSeqs(), onDamaged));
  }

  async #change(jobId: string, change: StatusChange, drafts?: readonly OutboxDraft[]): Promise<void> {
    const write = {
      entries: noEntries,
      outbox: encodeDrafts(checkDrafts(drafts)),
      change: checkChange(change),
      reserve: false,
    };
    const run = { jobId: checkJobId(jobId) };
    await this.#store.write({ op: 'record', run, write, nowMs: this.#store.clock.now() });
  }
}
