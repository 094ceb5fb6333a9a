/**
 * Copies out of a damaged store what can be read and passes its checksum, row by row and with the same numbers,
 * into a fresh one. It judges nothing: whether a job's record is complete is found out afterwards, by the same
 * means as for any store (`reconcile.ts`).
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import { journalId, seqOf } from '../database/journal-id.ts';
import { type JobRow, jobRowChecksum, type RunRef, type StateRow, stateRowChecksum } from '../jobs/job-rows.ts';
import { ExecutedTable } from '../journal/executed-table.ts';
import { isExecution, iterationOf } from '../journal/journal-entry.ts';
import { type JournalRow, journalChecksum } from '../journal/journal-table.ts';
import { type DeadLetterRow, deadLetterChecksum, isIntact, type OutboxRow } from '../outbox/outbox-row.ts';

export interface Salvaged {
  readonly jobs: number;
  readonly journalEntries: number;
  readonly outboxEntries: number;
  /** Claims of which more may be missing than can be found out afterwards, and why. */
  readonly doubts: ReadonlyMap<number, string>;
}

type Row = Readonly<Record<string, string | number | null>>;

/** @param knownRuns claims that the marks speak of, in case the list of jobs cannot be read */
export function salvage(from: Database.Database, into: Database.Database, knownRuns: readonly number[]): Salvaged {
  let [jobs, journalEntries, outboxEntries] = [0, 0, 0];
  const doubts = new Map<number, string>();
  const executed = new ExecutedTable(into);
  const hasWholeExecuted = isWhole(from, 'executed');
  for (const runId of runIds(from, knownRuns)) {
    const [job] = rowsOf(from, 'SELECT * FROM jobs WHERE run_id = ?', runId) as unknown as JobRow[];
    if (job === undefined || jobRowChecksum(job) !== job.crc) continue;
    insert(into, 'jobs', job as unknown as Row);
    jobs += 1;
    const [state] = rowsOf(from, 'SELECT * FROM job_states WHERE run_id = ?', runId) as unknown as StateRow[];
    if (state !== undefined && stateRowChecksum(state) === state.crc)
      insert(into, 'job_states', state as unknown as Row);
    const run = { runId, jobId: job.job_id, leaseToken: job.lease_token };
    const entries = copyJournal(from, into, run);
    journalEntries += entries.length;
    copyExecuted(from, into, run);
    if (!hasWholeExecuted) {
      for (const row of entries) addExecuted(executed, run, row);
      if (seqOf(Number(entries[0]?.id ?? 1)) > 1) doubts.set(runId, 'which of its nodes were executed is lost in part');
    }
    outboxEntries += copyOutbox(from, into, run);
  }
  copyDeadLetters(from, into);
  copyChecked(from, into, 'counters', ['name', 'value']);
  copyChecked(from, into, 'incidents', ['at_ms', 'kind', 'job_id', 'lease_token', 'detail']);
  return { jobs, journalEntries, outboxEntries, doubts };
}

/** Rows can be missing from a damaged table without an error: SQLite itself is asked whether it is whole. */
function isWhole(from: Database.Database, table: string): boolean {
  try {
    return from.pragma(`integrity_check('${table}')`, { simple: true }) === 'ok';
  } catch {
    return false;
  }
}

function addExecuted(executed: ExecutedTable, run: RunRef, row: Row): void {
  const { id, kind, node_id: nodeId, payload } = row;
  if (typeof nodeId !== 'string' || !isExecution(String(kind))) return;
  executed.add(run, nodeId, seqOf(Number(id)), JSON.stringify(iterationOf({ payload: String(payload) })));
}

function runIds(from: Database.Database, known: readonly number[]): number[] {
  const found = rowsOf(from, 'SELECT run_id FROM jobs NOT INDEXED').map((row) => Number(row.run_id));
  return [...new Set([...found, ...known])].filter((id) => Number.isSafeInteger(id) && id > 0).sort((a, b) => a - b);
}

/** The rows that were copied, oldest first. */
function copyJournal(from: Database.Database, into: Database.Database, run: RunRef): Row[] {
  const range = [journalId(run.runId, 0), journalId(run.runId + 1, 0) - 1];
  const rows = rowsFromBothEnds(from, 'SELECT * FROM journal WHERE id BETWEEN ? AND ? ORDER BY id', range);
  const intact = rows.filter((row) => {
    const seq = seqOf(Number(row.id));
    const { kind, node_id: nodeId, recorded_at_ms: recordedAtMs, payload, sealed, revision, drafts } = row;
    const columns = { seq, kind, nodeId, recordedAtMs, payload, sealed, revision, outboxSeq: row.outbox_seq, drafts };
    return journalChecksum(run, columns as unknown as JournalRow) === row.crc;
  });
  for (const row of intact) insert(into, 'journal', row);
  return intact;
}

function copyExecuted(from: Database.Database, into: Database.Database, run: RunRef): void {
  for (const row of rowsOf(from, 'SELECT * FROM executed WHERE run_id = ?', run.runId)) {
    const { run_id, node_id, first_seq, iteration } = row;
    if (rowChecksum([run_id, node_id, first_seq, iteration] as never) === row.crc) insert(into, 'executed', row);
  }
}

function copyOutbox(from: Database.Database, into: Database.Database, run: RunRef): number {
  const rows = rowsFromBothEnds(from, 'SELECT * FROM outbox WHERE run_id = ? ORDER BY id', [run.runId]);
  const claim = { job_id: run.jobId, lease_token: run.leaseToken };
  const intact = rows.filter((row) => isIntact({ ...row, ...claim } as unknown as OutboxRow));
  for (const row of intact) insert(into, 'outbox', row);
  return intact.length;
}

function copyDeadLetters(from: Database.Database, into: Database.Database): void {
  for (const row of rowsFromBothEnds(from, 'SELECT * FROM dead_letters ORDER BY id', [])) {
    if (deadLetterChecksum(row as unknown as DeadLetterRow) === row.crc) insert(into, 'dead_letters', row);
  }
}

function copyChecked(
  from: Database.Database,
  into: Database.Database,
  table: string,
  columns: readonly string[],
): void {
  for (const row of rowsOf(from, `SELECT * FROM ${table}`)) {
    if (rowChecksum(columns.map((column) => row[column]) as never) === row.crc) insert(into, table, row);
  }
}

/** The same row again, or one that the fresh store refuses, counts as not salvaged. */
function insert(into: Database.Database, table: string, row: Row): void {
  const columns = Object.keys(row);
  const places = columns.map(() => '?').join(', ');
  into.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`).run(...Object.values(row));
}

/** As many rows as can be read. */
function rowsOf(from: Database.Database, sql: string, ...values: readonly (string | number)[]): Row[] {
  const rows: Row[] = [];
  try {
    for (const row of from.prepare<unknown[], Row>(sql).iterate(...values)) rows.push(row);
  } catch {
    // What lies behind the damage is out of reach this way.
  }
  return rows;
}

/** From the front up to the damage, then from the back; `sql` ends with its order. */
function rowsFromBothEnds(from: Database.Database, sql: string, values: readonly (string | number)[]): Row[] {
  const forward = rowsOf(from, sql, ...values);
  const backward = rowsOf(from, `${sql} DESC`, ...values);
  const seen = new Map([...forward, ...backward].map((row) => [row.id, row]));
  return [...seen.values()].sort((a, b) => Number(a.id) - Number(b.id));
}
