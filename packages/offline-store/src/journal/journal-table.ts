/**
 * The journal: a row per commit, in the order of the commits, so that the commits of all jobs go to one place of
 * the file and those that share a transaction share its pages (I10). A job's rows are found by `journal_index`,
 * which is brought up to date now and then, for many commits at once; rows that are newer than any row in it are
 * looked through.
 *
 * A job's entries are numbered without gaps up to the number in its state: whatever is damaged or missing is an
 * error that names job and seq, never a wrong value. Synchronous, part of the caller's transaction.
 */
import type Database from 'better-sqlite3';
import { CorruptRecordError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { type EncodedEntries, resultKind } from './journal-entry.ts';
import {
  type CommitNote,
  type CommitRow,
  checkCommit,
  commitChecksum,
  entriesOf,
  type JournalRow,
} from './journal-row.ts';

/** The newest row that is in the index; what follows it is not. */
const lastIndexed = `coalesce((SELECT j.id FROM journal j WHERE EXISTS (SELECT 1 FROM journal_index i
  WHERE i.run_id = j.run_id AND i.last_seq = j.last_seq) ORDER BY j.id DESC LIMIT 1), 0)`;

/** Rows that one statement inserts. */
export const maxRowsAtOnce = 32;

/** A row that holds outbox drafts, with the claim it is about: null when that is not known. */
export type DraftRow = CommitRow & {
  readonly drafts: string;
  readonly job_id: string | null;
  readonly lease_token: string | null;
};

/** A commit on its way to its row. */
export interface NewCommit {
  readonly run: RunRef;
  /** The number of its first entry. */
  readonly firstSeq: number;
  readonly entries: EncodedEntries;
  readonly note: CommitNote;
  readonly nowMs: number;
}

export class JournalTable {
  readonly #box: SecretBox;
  readonly #db: Database.Database;
  /** Statements that insert as many rows as their place says; made when one is needed. */
  readonly #inserts: Database.Statement<unknown[]>[] = [];
  readonly #addToIndex: Database.Statement<[number]>;
  readonly #lastIndexed: Database.Statement<[], number>;
  readonly #lastId: Database.Statement<[], number | null>;
  readonly #withDrafts: Database.Statement<[number, number], DraftRow>;
  readonly #idTo: Database.Statement<[number, number], number | null>;
  readonly #select: Database.Statement<[number, number], CommitRow>;
  readonly #selectNewer: Database.Statement<[number, number], CommitRow>;
  readonly #first: Database.Statement<[number], number>;
  readonly #last: Database.Statement<[number, number], number>;
  readonly #newer: Database.Statement<[], { run_id: number; seq: number }>;
  readonly #boundary: Database.Statement<[number, number], number | null>;
  readonly #beyond: Database.Statement<[number, number, number], number | null>;
  readonly #batch: Database.Statement<[number, number], number | null>;
  readonly #count: Database.Statement<[number, number], number | null>;
  readonly #delete: Database.Statement<[number, number, number]>;
  readonly #deleteFromIndex: Database.Statement<[number, number]>;
  readonly #backwards: Database.Statement<[number, number, number], { seq: number; isExecution: number }>;
  readonly #anyEngineRow: Database.Statement<[number, number, number], number>;
  /** What was indexed last; null when the file is to be asked. */
  #indexedTo: number | null = null;
  /** The number that was given last; null before the first. */
  #lastGiven: number | null = null;

  constructor(db: Database.Database, box: SecretBox) {
    const number = <T>(sql: string): T => db.prepare(sql).pluck() as T;
    const indexed = 'FROM journal_index i JOIN journal j ON j.id = i.id WHERE i.run_id = ?';
    this.#box = box;
    this.#db = db;
    this.#addToIndex = db.prepare(
      'INSERT OR IGNORE INTO journal_index SELECT run_id, last_seq, id FROM journal WHERE id > ?',
    );
    this.#lastIndexed = number(`SELECT ${lastIndexed}`);
    this.#lastId = number('SELECT max(id) FROM journal');
    this.#withDrafts = db.prepare(
      `SELECT j.*, r.job_id, r.lease_token FROM journal j LEFT JOIN jobs r ON r.run_id = j.run_id
       WHERE j.id > ? AND j.drafts IS NOT NULL ORDER BY j.id LIMIT ?`,
    );
    this.#idTo = number('SELECT max(id) FROM journal_index WHERE run_id = ? AND last_seq <= ?');
    this.#select = db.prepare(`SELECT j.* ${indexed} AND i.last_seq >= ? ORDER BY i.last_seq`);
    this.#selectNewer = db.prepare(
      `SELECT * FROM journal WHERE id > ${lastIndexed} AND run_id = ? AND last_seq >= ? ORDER BY id`,
    );
    this.#first = number(`SELECT j.first_seq ${indexed} ORDER BY i.last_seq LIMIT 1`);
    this.#last = number(
      `SELECT max(coalesce((SELECT max(last_seq) FROM journal_index WHERE run_id = ?), 0),
         coalesce((SELECT max(last_seq) FROM journal WHERE id > ${lastIndexed} AND run_id = ?), 0))`,
    );
    this.#newer = db.prepare(
      `SELECT run_id, max(last_seq) AS seq FROM journal WHERE id > ${lastIndexed} GROUP BY run_id`,
    );
    this.#boundary = number('SELECT min(last_seq) FROM journal_index WHERE run_id = ? AND last_seq >= ?');
    this.#beyond = number(
      `SELECT max(last_seq) FROM (SELECT i.last_seq,
         sum(octet_length(j.entries) + coalesce(octet_length(j.sealed), 0)) OVER (ORDER BY i.last_seq DESC) AS bytes
       ${indexed} AND i.last_seq < ?) WHERE bytes > ?`,
    );
    this.#batch = number(
      'SELECT max(last_seq) FROM (SELECT last_seq FROM journal_index WHERE run_id = ? ORDER BY last_seq LIMIT ?)',
    );
    this.#count = number(
      `SELECT sum(coalesce(j.last_seq - j.first_seq + 1, 1)) FROM journal_index i LEFT JOIN journal j ON j.id = i.id
       WHERE i.run_id = ? AND i.last_seq <= ?`,
    );
    this.#delete = db.prepare(
      `DELETE FROM journal WHERE id IN (SELECT id FROM journal_index WHERE run_id = ? AND last_seq <= ?)
       AND run_id = ?`,
    );
    this.#deleteFromIndex = db.prepare('DELETE FROM journal_index WHERE run_id = ? AND last_seq <= ?');
    this.#backwards = db.prepare(
      `SELECT j.first_seq AS seq, j.saved = 1 OR (json_valid(j.entries) AND EXISTS (
         SELECT 1 FROM json_each(j.entries) AS e WHERE e.value ->> '$.kind' = '${resultKind}')) AS isExecution
       ${indexed} AND i.last_seq < ? ORDER BY i.last_seq DESC LIMIT ?`,
    );
    this.#anyEngineRow = number(`SELECT EXISTS (SELECT 1 ${indexed} AND i.last_seq BETWEEN ? AND ? AND j.saved = 0)`);
  }

  /** Writes commits, oldest first, by one statement: all of them or none. At most `maxRowsAtOnce`. */
  append(commits: readonly NewCommit[]): void {
    const values: unknown[] = [];
    for (const commit of commits) this.#addRow(values, commit);
    this.#insertOf(commits.length).run(...values);
  }

  #insertOf(rows: number): Database.Statement<unknown[]> {
    const known = this.#inserts[rows];
    if (known !== undefined) return known;
    const row = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
    const insert = this.#db.prepare(`INSERT INTO journal VALUES ${Array.from({ length: rows }, () => row).join(', ')}`);
    this.#inserts[rows] = insert;
    return insert;
  }

  #addRow(values: unknown[], { run, firstSeq, entries, note, nowMs }: NewCommit): void {
    const row = {
      run_id: run.runId,
      first_seq: firstSeq,
      last_seq: firstSeq + entries.count - 1,
      recorded_at_ms: nowMs,
      revision: note.revision,
      outbox_seq: note.outboxSeq,
      saved: entries.saved ? 1 : 0,
      entries: entries.text,
      sealed: this.#sealed(run, firstSeq, entries),
      drafts: note.drafts,
    };
    this.#lastGiven = (this.#lastGiven ?? this.#greatestId()) + 1;
    values.push(
      this.#lastGiven,
      row.run_id,
      row.first_seq,
      row.last_seq,
      row.recorded_at_ms,
      row.revision,
      row.outbox_seq,
      row.saved,
      row.entries,
      row.sealed,
      row.drafts,
      commitChecksum(run, row),
    );
  }

  /**
   * No row is numbered like one that was there before, also when that was the newest and has been removed: what counts
   * how far it has come, in the file or in memory, would take the new row for the old one.
   *
   * @param id from which on numbers were not given yet
   */
  numberBehind(id: number): void {
    this.#lastGiven = Math.max(this.#lastGiven ?? this.#greatestId(), id);
  }

  #greatestId(): number {
    return Math.max(this.lastId(), this.#lastIndexed.get() ?? 0);
  }

  /** Brings the index up to date. */
  addToIndex(): void {
    this.#addToIndex.run(this.#indexedTo ?? this.#lastIndexed.get() ?? 0);
    this.#indexedTo = this.lastId();
  }

  /** Called after a ROLLBACK: what is remembered may not be what the file holds. */
  forget(): void {
    this.#indexedTo = null;
  }

  /** The newest row; 0 when there is none. */
  lastId(): number {
    return this.#lastId.get() ?? 0;
  }

  /** The rows behind one that hold outbox drafts, in their order. */
  withDrafts(afterId: number, limit: number): DraftRow[] {
    return this.#withDrafts.all(afterId, limit);
  }

  /** The newest row of a claim's entries up to `last`; 0 when there is none in the index. */
  idTo(runId: number, last: number): number {
    return this.#idTo.get(runId, last) ?? 0;
  }

  /**
   * The entries from `first` to `last`, oldest first.
   *
   * @throws CorruptRecordError for the first one that is damaged or missing
   */
  read(run: RunRef, first: number, last: number): JournalRow[] {
    const rows: JournalRow[] = [];
    for (const commit of this.#commitsFrom(run, first)) {
      if (commit.first_seq > last) break;
      if (rows.length > 0 && commit.first_seq !== first + rows.length) break;
      checkCommit(run, commit);
      for (const row of entriesOf(commit)) if (row.seq >= first && row.seq <= last) rows.push(row);
      if (rows[0]?.seq !== first) break;
    }
    const expected = rows[0]?.seq === first ? first + rows.length : first;
    if (expected <= last) throw new CorruptRecordError(run.jobId, expected, 'the journal entry is missing');
    return rows;
  }

  /** The oldest entry of a claim; null when it has none. */
  firstOf(runId: number): number | null {
    return this.#first.get(runId) ?? null;
  }

  /** The newest entry of a claim; 0 when it has none. */
  lastOf(runId: number): number {
    return this.#last.get(runId, runId) ?? 0;
  }

  /** The last outbox number that a claim's rows speak of; 0 for none. */
  lastOutboxSeqOf(run: RunRef): number {
    let last = 0;
    for (const row of this.#commitsFrom(run, 0)) if (commitChecksum(run, row) === row.crc) last = row.outbox_seq;
    return last;
  }

  /** The newest entries of the claims that have rows which are not in the index yet. */
  newestSeqs(): ReadonlyMap<number, number> {
    return new Map(this.#newer.all().map(({ run_id, seq }) => [run_id, seq]));
  }

  /** The last entry of the commit that entry `seq` belongs to; null when that is not in the index. */
  endOfCommit(runId: number, seq: number): number | null {
    return this.#boundary.get(runId, seq) ?? null;
  }

  /** The last entry of the newest commit before `bound` by which those before `bound` are more than `bytes`; null for none. */
  endBeyond(runId: number, bound: number, bytes: number): number | null {
    return this.#beyond.get(runId, bound, bytes) ?? null;
  }

  /** Removes the entries up to `last`, where a commit ends; the number removed. */
  removeTo(runId: number, last: number): number {
    const count = this.#count.get(runId, last) ?? 0;
    this.#delete.run(runId, last, runId);
    this.#deleteFromIndex.run(runId, last);
    return count;
  }

  /** The last entry of a claim's `limit` oldest commits; null when it has none. */
  oldest(runId: number, limit: number): number | null {
    return this.#batch.get(runId, limit) ?? null;
  }

  /** The first entry of the newest of up to `lookBack` commits before `bound` in which a node ended; null for none. */
  lastExecution(runId: number, bound: number, lookBack: number): number | null {
    for (const { seq, isExecution } of this.#backwards.iterate(runId, bound, lookBack))
      if (isExecution === 1) return seq;
    return null;
  }

  /** Whether entries other than checkpoints lie between `first` and `last`. */
  hasEngineRows(runId: number, first: number, last: number): boolean {
    return this.#anyEngineRow.get(runId, first, last) === 1;
  }

  /** The text of an entry's secret parts; null when it has none. */
  openSecrets(run: RunRef, row: JournalRow): string | null {
    return row.sealed === null ? null : this.#box.open(row.sealed, { ...run, seq: row.seq });
  }

  *#commitsFrom(run: RunRef, first: number): Generator<CommitRow> {
    yield* this.#select.iterate(run.runId, first);
    yield* this.#selectNewer.iterate(run.runId, first);
  }

  #sealed(run: RunRef, firstSeq: number, { secrets }: EncodedEntries): string | null {
    if (secrets === null) return null;
    const parts = secrets.map(([index, text]) => [index, this.#box.seal(text, { ...run, seq: firstSeq + index })]);
    return JSON.stringify(parts);
  }
}
