/**
 * Why a store without room did not take a commit: others are in its way, and it waits for room; or its own job has filled the
 * store, and no room will ever come.
 */
import type Database from 'better-sqlite3';
import { StoreError, ValueTooLargeError } from './errors.ts';
import type { RunRef } from './jobs/job-rows.ts';

export interface OwnShareLimits {
  readonly maxBytes: number | null;
  readonly reserveBytes: number;
}

/**
 * @param refusal what the writer said, `STORE_FULL`
 * @param commitBytes what was to be written
 * @returns what the caller is told
 */
export function explainFull(
  db: Database.Database,
  run: RunRef,
  commitBytes: number,
  { maxBytes, reserveBytes }: OwnShareLimits,
  refusal: StoreError,
): StoreError {
  const { code, message } = refusal;
  const needs = `The commit of job ${run.jobId} needs ${commitBytes} bytes.`;
  const full = new StoreError(code, `${message} ${needs}`, { cause: refusal });
  if (maxBytes === null) return full;
  const limitBytes = maxBytes - reserveBytes - fixedBytes(db);
  const bytes = keptBytes(db, run) + commitBytes;
  return bytes > limitBytes
    ? new ValueTooLargeError(`What is kept of job ${run.jobId}`, bytes, limitBytes, 'by a job')
    : full;
}

/** At least: what a resume needs, or the history of the job: nothing but its end takes that away. Events go when they are sent. */
function keptBytes(db: Database.Database, { runId }: RunRef): number {
  const size = 'octet_length(j.entries) + coalesce(octet_length(j.sealed), 0)';
  // What does not fit into a page has pages of its own.
  const taken = `iif(${size} > 4000, (${size} + 4091) / 4092 * 4096, ${size})`;
  return db
    .prepare<[number, number, number], number>(
      `SELECT coalesce((SELECT sum(${taken}) FROM journal_index i JOIN journal j ON j.id = i.id WHERE i.run_id = ?), 0)
         + coalesce((SELECT sum(${taken}) FROM journal j
             WHERE j.id > (SELECT coalesce(max(id), 0) FROM journal_index) AND j.run_id = ?), 0)
         + (SELECT octet_length(workflow_json) + octet_length(variables) FROM jobs WHERE run_id = ?)`,
    )
    .pluck()
    .get(runId, runId, runId) as number;
}

/** A page for each table and index, however empty. */
function fixedBytes(db: Database.Database): number {
  const trees = db.prepare('SELECT count(*) + 1 FROM sqlite_schema WHERE rootpage > 0').pluck().get() as number;
  return trees * (db.pragma('page_size', { simple: true }) as number);
}
