/**
 * Compares what a store holds with its high-water marks, and looks at every record that a resume would rest on.
 * A job of which something is missing or damaged is in doubt as a whole, for good: it is never resumed from an
 * earlier step (design 4.5). A job of which nothing is left is reported by the name in its mark.
 */
import type Database from 'better-sqlite3';
import { CorruptRecordError } from '../errors.ts';
import {
  type JobRow,
  jobRowChecksum,
  type RunPosition,
  type RunRef,
  type StateRow,
  toPosition,
  toStateRow,
} from '../jobs/job-rows.ts';
import { doubtAsWhole, isOver, wholeDoubtOf } from '../jobs/job-state.ts';
import { settleFromRows } from '../journal/tail.ts';
import { identityOf, type Mark, type Progress } from '../marks/mark-slot.ts';
import { progressOf } from '../marks/progress-of.ts';
import type { StoreTables } from '../writer/store-tables.ts';
import type { Incident } from './incidents.ts';

export interface Reconciled {
  readonly incidents: readonly Incident[];
  /** The marks as the store has them now. */
  readonly marks: readonly Progress[];
}

type Finding = { readonly position: RunPosition; readonly doubt: string | null };

/**
 * Part of the caller's transaction.
 *
 * @param found the marks of this store as they were found
 * @param doubts reasons to doubt a claim that are known already
 */
export function reconcile(
  tables: StoreTables,
  found: readonly Mark[],
  doubts: ReadonlyMap<number, string>,
  nowMs: number,
): Reconciled {
  const incidents: Incident[] = [];
  const marks: Progress[] = [];
  const left = new Map(found.map((mark) => [mark.runId, mark]));
  tables.journal.addToIndex();
  const claims = tables.db.prepare<[], Pick<JobRow, 'run_id' | 'job_id' | 'lease_token'>>(
    'SELECT run_id, job_id, lease_token FROM jobs NOT INDEXED ORDER BY run_id',
  );
  for (const claim of claims.all()) {
    const run: RunRef = { runId: claim.run_id, jobId: claim.job_id, leaseToken: claim.lease_token };
    const mark = left.get(run.runId);
    const own = mark?.identity === identityOf(run.jobId, run.leaseToken) ? mark : undefined;
    left.delete(run.runId);
    const { position, doubt } = judge(tables, run, own, doubts.get(run.runId), nowMs);
    if (doubt !== null) {
      writeState(tables.db, position);
      incidents.push({
        kind: 'job-in-doubt',
        atMs: nowMs,
        jobId: run.jobId,
        leaseToken: run.leaseToken,
        detail: doubt,
      });
    }
    marks.push(progressOf(run, position));
  }
  for (const mark of left.values()) incidents.push(lost(mark, nowMs));
  neverReuse(tables.db, found);
  return { incidents, marks };
}

function judge(
  tables: StoreTables,
  run: RunRef,
  mark: Mark | undefined,
  knownDoubt: string | undefined,
  nowMs: number,
): Finding {
  const stored = tables.db.prepare<[number], StateRow>('SELECT * FROM job_states WHERE run_id = ?').get(run.runId);
  let position: RunPosition;
  try {
    if (stored === undefined) throw new CorruptRecordError(run.jobId, null, 'its state is missing');
    position = toPosition(stored, run.jobId);
  } catch (error) {
    return inDoubt(unknownPosition(tables, run, mark), detailOf(error), mark, nowMs);
  }
  try {
    settleFromRows(tables, run, position.journalSeq);
    position = tables.jobs.position(run);
  } catch (error) {
    return inDoubt(position, detailOf(error), mark, nowMs);
  }
  if (isOver(position.state) || wholeDoubtOf(position.state) !== null) return { position, doubt: null };
  if (mark !== undefined && mark.revision > position.revision) {
    const detail = `its mark says ${mark.journalSeq} journal entries and revision ${mark.revision}, the store has ${position.journalSeq} and ${position.revision}: the newest part of its record is lost`;
    return inDoubt(position, detail, mark, nowMs);
  }
  try {
    const job = tables.db.prepare<[number], JobRow>('SELECT * FROM jobs WHERE run_id = ?').get(run.runId);
    if (job === undefined || jobRowChecksum(job) !== job.crc)
      throw new CorruptRecordError(run.jobId, null, 'its own record is damaged');
    const { firstSeq, snapshotSeq, checkpointSeq, journalSeq } = position;
    const whole = snapshotSeq === 0 || checkpointSeq === 0 ? 0 : Math.min(snapshotSeq, checkpointSeq);
    tables.journal.read(run, Math.max(firstSeq, whole), journalSeq);
    tables.executed.of(run);
    return knownDoubt === undefined ? { position, doubt: null } : inDoubt(position, knownDoubt, mark, nowMs);
  } catch (error) {
    return inDoubt(position, detailOf(error), mark, nowMs);
  }
}

function inDoubt(position: RunPosition, detail: string, mark: Mark | undefined, nowMs: number): Finding {
  const state = doubtAsWhole(position.state, detail, nowMs);
  const revision = Math.max(position.revision, mark?.revision ?? 0) + 1;
  const outboxSeq = Math.max(position.outboxSeq, mark?.outboxSeq ?? 0);
  return { position: { ...position, state, revision, outboxSeq }, doubt: detail };
}

/** What can be said about a claim whose state is gone. */
function unknownPosition(tables: StoreTables, run: RunRef, mark: Mark | undefined): RunPosition {
  const firstSeq = tables.journal.firstOf(run.runId) ?? 1;
  const lastSeq = tables.journal.lastOf(run.runId);
  return {
    runId: run.runId,
    state: { status: 'cached' },
    lease: null,
    revision: mark?.revision ?? lastSeq + 1,
    journalSeq: lastSeq,
    firstSeq: Math.max(1, firstSeq),
    snapshotSeq: 0,
    checkpointSeq: 0,
    outboxSeq: Math.max(tables.outbox.lastSeqOf(run.runId), tables.journal.lastOutboxSeqOf(run)),
    syncedAtMs: null,
  };
}

function lost({ jobId, leaseToken, journalSeq, over }: Mark, atMs: number): Incident {
  const what = over
    ? 'its end was recorded, and the server may not know it'
    : `it was under way, with ${journalSeq} journal entries`;
  return { kind: 'job-lost', atMs, jobId, leaseToken, detail: `nothing of this job is left in the store: ${what}` };
}

function writeState(db: Database.Database, position: RunPosition): void {
  const row = toStateRow(position);
  const columns = Object.keys(row);
  const places = columns.map(() => '?').join(', ');
  db.prepare(`INSERT OR REPLACE INTO job_states (${columns.join(', ')}) VALUES (${places})`).run(...Object.values(row));
}

/** Numbers of claims that were lost are not given out again: their marks would be taken for those of others. */
function neverReuse(db: Database.Database, marks: readonly Mark[]): void {
  const highest = marks.reduce((max, mark) => Math.max(max, mark.runId), 0);
  const known = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").pluck().get() as number | undefined;
  if (known === undefined) db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)").run(highest);
  else if (known < highest) db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'").run(highest);
}

function detailOf(error: unknown): string {
  if (!(error instanceof CorruptRecordError)) throw error;
  return error.seq === null ? error.detail : `${error.detail} (seq ${error.seq})`;
}
