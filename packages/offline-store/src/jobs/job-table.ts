/**
 * The jobs of a store, one row per claim (a lease token makes a claim). The newest claim of a job is its
 * current one; a newer claim releases what an older one left unfinished, never what it finished (I1, I5).
 *
 * Everything here is synchronous and part of the caller's transaction.
 */
import type Database from 'better-sqlite3';
import type { Insertable } from 'kysely';
import { changeRows, selectRows } from '../database/run-query.ts';
import { type JobsTable, sqlBuilder } from '../database/schema.ts';
import { CorruptRecordError, StoreError } from '../errors.ts';
import { encodeJson } from '../json.ts';
import { selectRecord } from './job-queries.ts';
import type { CacheJobOptions, CacheOutcome } from './job-record.ts';
import {
  type JobRow,
  jobRowChecksum,
  type RunPosition,
  type RunRef,
  type StateRow,
  toPosition,
  toStateRow,
} from './job-rows.ts';
import { changeState, isOver } from './job-state.ts';
import { staleClaimError } from './refusals.ts';

export class JobTable {
  readonly #db: Database.Database;
  readonly #selectState: Database.Statement<[number], StateRow>;
  readonly #updateState: Database.Statement<[StateRow]>;
  readonly #selectRuns: Database.Statement<[string], { run_id: number; lease_token: string }>;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#selectState = db.prepare('SELECT * FROM job_states WHERE run_id = ?');
    this.#updateState = db.prepare(
      `UPDATE job_states SET status = @status, state = @state, lease = @lease, journal_seq = @journal_seq,
       outbox_seq = @outbox_seq, synced_at_ms = @synced_at_ms, crc = @crc WHERE run_id = @run_id`,
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
    const row = this.#selectState.get(run.runId);
    if (row === undefined) throw new CorruptRecordError(run.jobId, null, 'its state is missing');
    return toPosition(row, run.jobId);
  }

  save(position: RunPosition): void {
    this.#updateState.run(toStateRow(position));
  }

  cache(options: CacheJobOptions, robotId: string, nowMs: number): CacheOutcome {
    const token = options.leaseToken ?? '';
    const [current] = this.runsOf(options.jobId);
    const row = newRow(options, token, robotId, nowMs);
    if (current === undefined) {
      this.#insert(row, options);
      return 'new';
    }
    const stored = selectRecord(this.#db, current);
    if (current.leaseToken === token) {
      if (stored.workflowJson === options.workflowJson) return 'known';
      const lease = token === '' ? 'without a lease' : `under lease ${token}`;
      throw new StoreError('JOB_CONFLICT', `Job ${stored.id} is already cached ${lease} with another workflow.`);
    }
    if (!isNewer(token, current.leaseToken)) throw staleClaimError(stored.id, token, current.leaseToken);
    this.#supersede(current, token, nowMs);
    this.#insert(row, options);
    return 'new-claim';
  }

  #supersede(run: RunRef, byToken: string, nowMs: number): void {
    const position = this.position(run);
    if (isOver(position.state)) return;
    const transition = changeState(
      position.state,
      { status: 'released', reason: 'claimed again', supersededBy: byToken },
      nowMs,
    );
    if (transition.kind === 'changed') this.save({ ...position, state: transition.state });
  }

  #insert(row: Insertable<JobsTable>, options: CacheJobOptions): void {
    const [inserted] = selectRows(this.#db, sqlBuilder.insertInto('jobs').values(row).returning('run_id'));
    if (inserted === undefined) throw new CorruptRecordError(options.jobId, null, 'it could not be inserted');
    const position: RunPosition = {
      runId: inserted.run_id,
      state: { status: 'cached' },
      lease: options.lease ?? null,
      journalSeq: 0,
      outboxSeq: 0,
      syncedAtMs: null,
    };
    changeRows(this.#db, sqlBuilder.insertInto('job_states').values(toStateRow(position)));
  }
}

function newRow(options: CacheJobOptions, token: string, robotId: string, nowMs: number): Insertable<JobsTable> {
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
