/**
 * Copies out of a damaged store what can be read and passes its checksum, row by row and with the same numbers,
 * into a fresh one. It judges nothing: whether a job's record is complete is found out afterwards, by the same
 * means as for any store (`reconcile.ts`).
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import { type JobRow, jobRowChecksum, type RunRef, type StateRow, stateRowChecksum } from '../jobs/job-rows.ts';
import { ExecutedTable } from '../journal/executed-table.ts';
import { isExecution, iterationOf } from '../journal/journal-entry.ts';
import { type CommitRow, commitChecksum, entriesOf } from '../journal/journal-row.ts';
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
  const runs = copyJobs(from, into, knownRuns);
  const hasWholeTable = isWhole(from, 'executed');
  const incomplete = new Set<number>();
  for (const run of runs.values()) {
    const areAllCopied = copyExecuted(from, into, run);
    if (!hasWholeTable || !areAllCopied) incomplete.add(run.runId);
  }
  const journal = copyJournal(from, into, runs, incomplete);
  const doubts = new Map<number, string>();
  for (const runId of incomplete) {
    if ((journal.firstSeqs.get(runId) ?? 1) > 1) doubts.set(runId, 'which of its nodes were executed is lost in part');
  }
  let outboxEntries = 0;
  for (const run of runs.values()) outboxEntries += copyOutbox(from, into, run);
  copyDeadLetters(from, into);
  copyChecked(from, into, 'counters', ['name', 'value']);
  copyFacts(from, into);
  copyChecked(from, into, 'incidents', ['at_ms', 'kind', 'job_id', 'lease_token', 'detail']);
  return { jobs: runs.size, journalEntries: journal.entries, outboxEntries, doubts };
}

/** The claims whose own record is intact, with their states where those are. */
function copyJobs(from: Database.Database, into: Database.Database, known: readonly number[]): Map<number, RunRef> {
  const runs = new Map<number, RunRef>();
  for (const runId of runIds(from, known)) {
    const [job] = rowsOf(from, 'SELECT * FROM jobs WHERE run_id = ?', runId) as unknown as JobRow[];
    if (job === undefined || jobRowChecksum(job) !== job.crc) continue;
    insert(into, 'jobs', job as unknown as Row);
    runs.set(runId, { runId, jobId: job.job_id, leaseToken: job.lease_token });
    const [state] = rowsOf(from, 'SELECT * FROM job_states WHERE run_id = ?', runId) as unknown as StateRow[];
    if (state !== undefined && stateRowChecksum(state) === state.crc)
      insert(into, 'job_states', state as unknown as Row);
  }
  return runs;
}

/** Rows can be missing from a damaged table without an error: SQLite itself is asked whether it is whole. */
function isWhole(from: Database.Database, table: string): boolean {
  try {
    return from.pragma(`integrity_check('${table}')`, { simple: true }) === 'ok';
  } catch {
    return false;
  }
}

function runIds(from: Database.Database, known: readonly number[]): number[] {
  const found = rowsOf(from, 'SELECT run_id FROM jobs NOT INDEXED').map((row) => Number(row.run_id));
  return [...new Set([...found, ...known])].filter((id) => Number.isSafeInteger(id) && id > 0).sort((a, b) => a - b);
}

/**
 * Copies the commits one by one, the oldest first: from the front up to the damage, then from the back.
 *
 * @param incomplete claims of which the commits say which nodes were executed
 */
function copyJournal(
  from: Database.Database,
  into: Database.Database,
  runs: ReadonlyMap<number, RunRef>,
  incomplete: ReadonlySet<number>,
): { readonly entries: number; readonly firstSeqs: ReadonlyMap<number, number> } {
  const firstSeqs = new Map<number, number>();
  const executed = new ExecutedTable(into);
  let entries = 0;
  const copy = (row: Row): void => {
    const commit = row as unknown as CommitRow;
    const run = runs.get(commit.run_id);
    if (run === undefined || commitChecksum(run, commit) !== commit.crc) return;
    insert(into, 'journal', row);
    entries += commit.last_seq - commit.first_seq + 1;
    if (!firstSeqs.has(run.runId)) firstSeqs.set(run.runId, commit.first_seq);
    if (!incomplete.has(run.runId)) return;
    for (const entry of entriesOf(commit)) {
      if (entry.nodeId === null || !isExecution(entry.kind)) continue;
      executed.add(run, entry.nodeId, entry.seq, JSON.stringify(iterationOf(entry)));
    }
  };
  let last = 0;
  const front = eachRow(from, 'SELECT * FROM journal ORDER BY id', [], (row) => {
    last = Number(row.id);
    copy(row);
  });
  if (front === 'damaged') {
    const ids: number[] = [];
    eachRow(from, 'SELECT id FROM journal WHERE id > ? ORDER BY id DESC', [last], (row) => ids.push(Number(row.id)));
    for (const id of ids.reverse()) eachRow(from, 'SELECT * FROM journal WHERE id = ?', [id], copy);
  }
  return { entries, firstSeqs };
}

/** False when one of the rows that there are is damaged. */
function copyExecuted(from: Database.Database, into: Database.Database, run: RunRef): boolean {
  let areAllCopied = true;
  for (const row of rowsOf(from, 'SELECT * FROM executed WHERE run_id = ?', run.runId)) {
    const { run_id, node_id, first_seq, iteration } = row;
    if (rowChecksum([run_id, node_id, first_seq, iteration] as never) === row.crc) insert(into, 'executed', row);
    else areAllCopied = false;
  }
  return areAllCopied;
}

function copyOutbox(from: Database.Database, into: Database.Database, run: RunRef): number {
  const rows = rowsFromBothEnds(from, 'SELECT * FROM outbox WHERE run_id = ? ORDER BY id', [run.runId]);
  const claim = { job_id: run.jobId, lease_token: run.leaseToken };
  const intact = rows.filter((row) => isIntact({ ...row, ...claim } as unknown as OutboxRow));
  for (const row of intact) insert(into, 'outbox', row);
  return intact.length;
}

/**
 * What the file knows of itself, but for which store it is: the new one is another. Without the cursor all that the journal holds for
 * the outbox is taken in again; the numbers of dead letters that are gone are not given again.
 */
function copyFacts(from: Database.Database, into: Database.Database): void {
  for (const row of rowsOf(from, "SELECT * FROM meta WHERE name <> 'store_id'")) {
    if (rowChecksum([row.name, row.value] as never) !== row.crc) continue;
    into.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?, ?)').run(row.name, row.value, row.crc);
  }
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
  eachRow(from, sql, values, (row) => rows.push(row));
  return rows;
}

/** `damaged`: what lies behind the damage is out of reach this way. */
function eachRow(
  from: Database.Database,
  sql: string,
  values: readonly (string | number)[],
  use: (row: Row) => unknown,
): 'all' | 'damaged' {
  let rows: IterableIterator<Row>;
  try {
    rows = from.prepare<unknown[], Row>(sql).iterate(...values);
  } catch {
    return 'damaged';
  }
  try {
    for (let next = nextOf(rows); next !== 'damaged'; next = nextOf(rows)) {
      if (next.done === true) return 'all';
      use(next.value);
    }
    return 'damaged';
  } finally {
    rows.return?.();
  }
}

function nextOf(rows: IterableIterator<Row>): IteratorResult<Row> | 'damaged' {
  try {
    return rows.next();
  } catch {
    return 'damaged';
  }
}

/** From the front up to the damage, then from the back; `sql` ends with its order. */
function rowsFromBothEnds(from: Database.Database, sql: string, values: readonly (string | number)[]): Row[] {
  const forward = rowsOf(from, sql, ...values);
  const backward = rowsOf(from, `${sql} DESC`, ...values);
  const seen = new Map([...forward, ...backward].map((row) => [row.id, row]));
  return [...seen.values()].sort((a, b) => Number(a.id) - Number(b.id));
}
