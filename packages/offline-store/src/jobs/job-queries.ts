/** The cold reads of jobs, as typed queries. */
import type Database from 'better-sqlite3';
import { selectRows } from '../database/run-query.ts';
import { sqlBuilder } from '../database/schema.ts';
import { CorruptRecordError } from '../errors.ts';
import type { JobRecord } from './job-record.ts';
import { type JobRow, type RunRef, type StateRow, toRecord } from './job-rows.ts';
import { isFinalStatus, type JobStatus } from './job-state.ts';

export interface JobFilter {
  readonly statuses: readonly JobStatus[];
  /** True: every status but these. */
  readonly except?: boolean;
  readonly unsyncedOnly?: boolean;
  readonly limit: number;
}

/** The newest journal entries of claims whose own rows do not know of their latest steps yet. */
export type NewestSeqs = ReadonlyMap<number, number>;

export interface JobCounts {
  readonly jobs: Readonly<Record<JobStatus, number>>;
  /** Ended and not marked as synced. */
  readonly toSync: number;
  readonly journalEntries: number;
}

/** @throws CorruptRecordError */
export function selectRecord(db: Database.Database, run: RunRef, newestSeqs: NewestSeqs): JobRecord {
  const [row] = selectRows(db, recordQuery().where('jobs.run_id', '=', run.runId));
  if (row === undefined) throw new CorruptRecordError(run.jobId, null, 'it is missing');
  return fromJoined(row, newestSeqs);
}

/** Oldest first. Damaged records do not hide the others: they go to `onDamaged` instead of into the list. */
export function listRecords(
  db: Database.Database,
  filter: JobFilter,
  newestSeqs: NewestSeqs,
  onDamaged: (error: CorruptRecordError) => void,
): JobRecord[] {
  let query = recordQuery().orderBy('jobs.run_id').limit(filter.limit);
  query = query.where('job_states.status', filter.except === true ? 'not in' : 'in', filter.statuses);
  if (filter.unsyncedOnly === true) query = query.where('job_states.synced_at_ms', 'is', null);
  return selectRows(db, query).flatMap((row) => {
    try {
      return [fromJoined(row, newestSeqs)];
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      onDamaged(error);
      return [];
    }
  });
}

/** The greatest lease token of all claims; null when there is none. */
export function greatestToken(db: Database.Database): string | null {
  const row = db
    .prepare<[], { lease_token: string }>(
      "SELECT lease_token FROM jobs WHERE lease_token <> '' ORDER BY length(lease_token) DESC, lease_token DESC LIMIT 1",
    )
    .get();
  return row?.lease_token ?? null;
}

export function countJobs(db: Database.Database): JobCounts {
  const rows = selectRows(
    db,
    sqlBuilder
      .selectFrom('job_states')
      .select((each) => [
        'status',
        each.fn.countAll<number>().as('n'),
        each.fn.sum<number>('journal_seq').as('last'),
        each.fn.sum<number>('first_seq').as('first'),
      ])
      .select((each) => each.fn.count<number>('synced_at_ms').as('synced'))
      .groupBy('status'),
  );
  const jobs = { cached: 0, in_progress: 0, in_doubt: 0, completed: 0, failed: 0, cancelled: 0, released: 0 };
  let toSync = 0;
  let journalEntries = 0;
  for (const row of rows) {
    const status = row.status as JobStatus;
    jobs[status] = row.n;
    journalEntries += row.last - row.first + row.n;
    if (isFinalStatus(status)) toSync += row.n - row.synced;
  }
  return { jobs, toSync, journalEntries };
}

type JoinedRow = JobRow & { readonly [Column in keyof Omit<StateRow, 'run_id' | 'crc'>]: StateRow[Column] | null } & {
  readonly state_crc: number | null;
};

function recordQuery() {
  return sqlBuilder
    .selectFrom('jobs')
    .leftJoin('job_states', 'job_states.run_id', 'jobs.run_id')
    .selectAll('jobs')
    .select([
      'job_states.status',
      'job_states.state',
      'job_states.lease',
      'job_states.revision',
      'job_states.journal_seq',
      'job_states.first_seq',
      'job_states.snapshot_seq',
      'job_states.checkpoint_seq',
      'job_states.outbox_seq',
      'job_states.synced_at_ms',
      'job_states.crc as state_crc',
    ]);
}

function fromJoined(row: JoinedRow, newestSeqs: NewestSeqs): JobRecord {
  const { state_crc: crc } = row;
  if (crc === null) throw new CorruptRecordError(row.job_id, null, 'its state is missing');
  const record = toRecord(row, { ...(row as StateRow), crc });
  return { ...record, journalSeq: Math.max(record.journalSeq, newestSeqs.get(row.run_id) ?? 0) };
}
