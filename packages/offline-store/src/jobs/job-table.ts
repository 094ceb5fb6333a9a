/**
 * The jobs of a store, one row per claim (a lease token makes a claim). The newest claim of a job is its
 * current one; a newer claim releases what an older one left unfinished, never what it finished (I1, I5).
 *
 * Everything here is synchronous and part of the caller's transaction.
 */
import type Database from 'better-sqlite3';
import { CorruptRecordError, StoreError } from '../errors.ts';
import type { JournalTable } from '../journal/journal-table.ts';
import { encodeJson } from '../json.ts';
import type { CacheJobOptions, CacheOutcome, LeaseNote } from './job-record.ts';
import {
  type JobRow,
  jobRowChecksum,
  type RunPosition,
  type RunRef,
  type StateRow,
  toPosition,
  toStateRow,
} from './job-rows.ts';
import { changeState, isOver, wholeDoubtOf } from './job-state.ts';
import { staleClaimError } from './refusals.ts';

export interface JobTableOptions {
  /** Hears of every position that is written, before its transaction has been committed. */
  readonly onSaved?: (run: RunRef, position: RunPosition) => void;
  /** True: positions are remembered instead of being read again. `forget()` after a ROLLBACK. Default false. */
  readonly isOnlyWriter?: boolean;
}

const maxRemembered = 1_000;

export class JobTable {
  readonly #journal: JournalTable;
  readonly #positions: Map<number, RunPosition> | null;
  readonly #onSaved: (run: RunRef, position: RunPosition) => void;
  readonly #selectJob: Database.Statement<[number], JobRow>;
  readonly #insertJob: Database.Statement<[Omit<JobRow, 'run_id'>]>;
  readonly #insertState: Database.Statement<[StateRow]>;
  readonly #selectState: Database.Statement<[number], StateRow>;
  readonly #updateState: Database.Statement<unknown[]>;
  /** Leaves the columns alone that an index is about. */
  readonly #updateNumbers: Database.Statement<[number, number, number, number, number, number]>;
  readonly #selectRuns: Database.Statement<[string], { run_id: number; lease_token: string }>;

  constructor(db: Database.Database, journal: JournalTable, options: JobTableOptions = {}) {
    this.#journal = journal;
    this.#onSaved = options.onSaved ?? (() => {});
    this.#positions = options.isOnlyWriter === true ? new Map() : null;
    this.#selectJob = db.prepare('SELECT * FROM jobs WHERE run_id = ?');
    this.#insertJob = db.prepare(
      `INSERT INTO jobs (job_id, lease_token, robot_id, name, workflow_json, variables, original_status, on_lost,
         in_doubt_policy, timeout_ms, cached_at_ms, crc)
       VALUES (@job_id, @lease_token, @robot_id, @name, @workflow_json, @variables, @original_status, @on_lost,
         @in_doubt_policy, @timeout_ms, @cached_at_ms, @crc)`,
    );
    this.#insertState = db.prepare(
      `INSERT INTO job_states VALUES (@run_id, @status, @state, @lease, @revision, @journal_seq, @first_seq,
         @snapshot_seq, @checkpoint_seq, @outbox_seq, @synced_at_ms, @crc)`,
    );
    this.#selectState = db.prepare('SELECT * FROM job_states WHERE run_id = ?');
    this.#updateState = db.prepare(
      `UPDATE job_states SET status = ?, state = ?, lease = ?, revision = ?, journal_seq = ?, first_seq = ?,
       snapshot_seq = ?, checkpoint_seq = ?, outbox_seq = ?, synced_at_ms = ?, crc = ? WHERE run_id = ?`,
    );
    this.#updateNumbers = db.prepare(
      'UPDATE job_states SET revision = ?, journal_seq = ?, first_seq = ?, outbox_seq = ?, crc = ? WHERE run_id = ?',
    );
    this.#selectRuns = db.prepare('SELECT run_id, lease_token FROM jobs WHERE job_id = ? ORDER BY run_id DESC');
  }

  /**
   * The current claim of a job, or the one with the given token.
   *
   * @throws StoreError `UNKNOWN_JOB`, `STALE_LEASE`
   */
  find(jobId: string, leaseToken?: string): RunRef {
    const runs = this.#selectRuns.all(jobId);
    const [newest] = runs;
    if (newest === undefined) {
      throw new StoreError('UNKNOWN_JOB', `Job ${jobId} is not in this store: cacheJob it first.`);
    }
    const row = leaseToken === undefined ? newest : runs.find((run) => run.lease_token === leaseToken);
    if (row === undefined) {
      throw new StoreError('STALE_LEASE', `Job ${jobId} was never cached under lease ${leaseToken || '(none)'}.`);
    }
    return { runId: row.run_id, jobId, leaseToken: row.lease_token };
  }

  /** Every claim of a job, newest first. */
  runsOf(jobId: string): RunRef[] {
    return this.#selectRuns.all(jobId).map((row) => ({ runId: row.run_id, jobId, leaseToken: row.lease_token }));
  }

  position(run: RunRef): RunPosition {
    const known = this.#positions?.get(run.runId);
    if (known !== undefined) return known;
    const row = this.#selectState.get(run.runId);
    if (row === undefined) throw new CorruptRecordError(run.jobId, null, 'its state is missing');
    const position = this.#withTail(run, toPosition(row, run.jobId));
    this.#remember(position);
    return position;
  }

  /** The last journal entry that the job's own row knows of. */
  settledSeq(run: RunRef): number {
    return this.#selectState.get(run.runId)?.journal_seq ?? 0;
  }

  /** The steps since the row was written are in the journal, and the newest says how far they have come. */
  #withTail(run: RunRef, position: RunPosition): RunPosition {
    const isClosed = isOver(position.state) || wholeDoubtOf(position.state) !== null;
    const lastSeq = isClosed ? 0 : this.#journal.lastOf(run.runId);
    if (lastSeq <= position.journalSeq) return position;
    const [last] = this.#journal.read(run, lastSeq, lastSeq);
    if (last === undefined) return position;
    return { ...position, journalSeq: lastSeq, revision: last.revision, outboxSeq: last.outboxSeq };
  }

  /** Notes a position that the journal's newest row stands for; the job's own row stays as it is. */
  advance(run: RunRef, position: RunPosition): void {
    this.#remember(position);
    this.#onSaved(run, position);
  }

  /**
   * Brings the numbers in the job's own row up to date, which is all that steps change. That is no new revision: the
   * journal says the same.
   */
  settle(position: RunPosition): void {
    this.#remember(position);
    const {
      run_id: runId,
      revision,
      journal_seq: journalSeq,
      first_seq: firstSeq,
      outbox_seq,
      crc,
    } = toStateRow(position);
    this.#updateNumbers.run(revision, journalSeq, firstSeq, outbox_seq, crc, runId);
  }

  /** Called after a ROLLBACK, and when a claim was removed: what is remembered may not be what the file holds. */
  forget(): void {
    this.#positions?.clear();
  }

  #remember(position: RunPosition): void {
    if (this.#positions === null) return;
    if (this.#positions.size >= maxRemembered) this.#positions.clear();
    this.#positions.set(position.runId, position);
  }

  /** Keeps a changed position, under its next revision; that is the position handed back. */
  save(run: RunRef, changed: RunPosition): RunPosition {
    const position = { ...changed, revision: changed.revision + 1 };
    this.#write(position);
    this.#onSaved(run, position);
    return position;
  }

  /** Keeps when a lease was last confirmed. That is no new revision: to lose it costs a question to the server. */
  saveLease(position: RunPosition, lease: LeaseNote): void {
    this.#write({ ...position, lease });
  }

  #write(position: RunPosition): void {
    this.#remember(position);
    const row = toStateRow(position);
    this.#updateState.run(
      row.status,
      row.state,
      row.lease,
      row.revision,
      row.journal_seq,
      row.first_seq,
      row.snapshot_seq,
      row.checkpoint_seq,
      row.outbox_seq,
      row.synced_at_ms,
      row.crc,
      row.run_id,
    );
  }

  cache(options: CacheJobOptions, robotId: string, nowMs: number): CacheOutcome {
    const token = options.leaseToken ?? '';
    const [current] = this.runsOf(options.jobId);
    const row = newRow(options, token, robotId, nowMs);
    if (current === undefined) {
      this.#insert(row, options);
      return 'new';
    }
    const { jobId } = current;
    if (current.leaseToken === token) {
      if (this.#workflowOf(current) === options.workflowJson) return 'known';
      const lease = token === '' ? 'without a lease' : `under lease ${token}`;
      throw new StoreError('JOB_CONFLICT', `Job ${jobId} is already cached ${lease} with another workflow.`);
    }
    if (!isNewer(token, current.leaseToken)) throw staleClaimError(jobId, token, current.leaseToken);
    this.#supersede(current, token, nowMs);
    this.#insert(row, options);
    return 'new-claim';
  }

  #workflowOf(run: RunRef): string {
    const row = this.#selectJob.get(run.runId);
    if (row !== undefined && jobRowChecksum(row) === row.crc) return row.workflow_json;
    throw new CorruptRecordError(run.jobId, null, 'it fails its checksum');
  }

  #supersede(run: RunRef, byToken: string, nowMs: number): void {
    const position = this.position(run);
    if (isOver(position.state)) return;
    const transition = changeState(
      position.state,
      { status: 'released', reason: 'claimed again', supersededBy: byToken },
      nowMs,
    );
    if (transition.kind === 'changed') this.save(run, { ...position, state: transition.state });
  }

  #insert(row: Omit<JobRow, 'run_id'>, options: CacheJobOptions): void {
    const position: RunPosition = {
      runId: Number(this.#insertJob.run(row).lastInsertRowid),
      state: { status: 'cached' },
      lease: options.lease ?? null,
      revision: 1,
      journalSeq: 0,
      firstSeq: 1,
      snapshotSeq: 0,
      checkpointSeq: 0,
      outboxSeq: 0,
      syncedAtMs: null,
    };
    this.#insertState.run(toStateRow(position));
    this.#onSaved({ runId: position.runId, jobId: row.job_id, leaseToken: row.lease_token }, position);
  }
}

function newRow(options: CacheJobOptions, token: string, robotId: string, nowMs: number): Omit<JobRow, 'run_id'> {
  const row: Omit<JobRow, 'run_id' | 'crc'> = {
    job_id: options.jobId,
    lease_token: token,
    robot_id: robotId,
    name: options.name ?? null,
    workflow_json: options.workflowJson,
    variables: encodeJson(options.variables ?? {}, 'job variables'),
    original_status: options.originalStatus ?? 'pending',
    on_lost: options.onLost ?? 'hold',
    in_doubt_policy: options.inDoubtPolicy ?? null,
    timeout_ms: options.timeoutMs ?? null,
    cached_at_ms: nowMs,
  };
  return { ...row, crc: jobRowChecksum(row) };
}

/** Tokens are drawn from one rising sequence; a job without a lease counts as before any of them. */
function isNewer(token: string, than: string): boolean {
  if (token === '') return false;
  return than === '' || BigInt(token) > BigInt(than);
}
