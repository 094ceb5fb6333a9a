/**
 * Rows of the journal. Every row carries a checksum over all its columns, and a job's rows are numbered
 * without gaps up to the number in its state: whatever is damaged or missing is an error that names job
 * and seq, never a wrong value. Synchronous, part of the caller's transaction.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import { journalId, seqOf } from '../database/journal-id.ts';
import { CorruptRecordError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import { deltaKind, snapshotKind } from './checkpoint-fold.ts';
import type { EncodedEntry } from './journal-entry.ts';

/** What a row says about the commit it belongs to, so that a step needs to write nothing else (I10). */
export interface CommitNote {
  /** Of the job's state. */
  readonly revision: number;
  /** Last number given out for the outbox. */
  readonly outboxSeq: number;
  /** JSON text of the outbox drafts of the commit, on its last row; null for none, or when they are in the outbox. */
  readonly drafts: string | null;
}

/** A row that passed its check, its secret parts still sealed. */
export interface JournalRow extends CommitNote {
  readonly seq: number;
  readonly kind: string;
  readonly nodeId: string | null;
  readonly recordedAtMs: number;
  readonly payload: string;
  readonly sealed: string | null;
}

interface StoredRow {
  readonly id: number;
  readonly kind: string;
  readonly node_id: string | null;
  readonly recorded_at_ms: number;
  readonly payload: string;
  readonly sealed: string | null;
  readonly revision: number;
  readonly outbox_seq: number;
  readonly drafts: string | null;
  readonly crc: number;
}

export class JournalTable {
  readonly #box: SecretBox;
  readonly #insert: Database.Statement<unknown[]>;
  readonly #select: Database.Statement<[number, number], StoredRow>;
  readonly #first: Database.Statement<[number, number], { id: number | null }>;
  readonly #last: Database.Statement<[number, number], { id: number | null }>;
  readonly #delete: Database.Statement<[number, number]>;
  readonly #anyEngineRow: Database.Statement<[number, number], { n: number }>;

  constructor(db: Database.Database, box: SecretBox) {
    this.#box = box;
    this.#insert = db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#select = db.prepare('SELECT * FROM journal WHERE id BETWEEN ? AND ? ORDER BY id');
    this.#first = db.prepare('SELECT min(id) AS id FROM journal WHERE id BETWEEN ? AND ?');
    this.#last = db.prepare('SELECT max(id) AS id FROM journal WHERE id BETWEEN ? AND ?');
    this.#delete = db.prepare('DELETE FROM journal WHERE id BETWEEN ? AND ?');
    this.#anyEngineRow = db.prepare(
      `SELECT EXISTS (SELECT 1 FROM journal WHERE id BETWEEN ? AND ?
         AND kind NOT IN ('${snapshotKind}', '${deltaKind}')) AS n`,
    );
  }

  insert(run: RunRef, seq: number, entry: EncodedEntry, note: CommitNote, nowMs: number): void {
    const { kind, nodeId, payload, secrets } = entry;
    const sealed = secrets === null ? null : this.#box.seal(secrets, { ...run, seq });
    const { revision, outboxSeq, drafts } = note;
    const row = { seq, kind, nodeId, recordedAtMs: nowMs, payload, sealed, revision, outboxSeq, drafts };
    const crc = journalChecksum(run, row);
    const id = journalId(run.runId, seq);
    this.#insert.run(id, kind, nodeId, nowMs, payload, sealed, revision, outboxSeq, drafts, crc);
  }

  /**
   * The rows from `first` to `last`, oldest first.
   *
   * @throws CorruptRecordError for the first row that is damaged or missing
   */
  read(run: RunRef, first: number, last: number): JournalRow[] {
    let expected = first;
    const rows: JournalRow[] = [];
    if (last < first) return rows;
    for (const stored of this.#select.iterate(journalId(run.runId, first), journalId(run.runId, last))) {
      const row = toRow(stored);
      if (row.seq !== expected) break;
      if (journalChecksum(run, row) !== stored.crc) {
        throw new CorruptRecordError(run.jobId, row.seq, 'the journal entry fails its checksum');
      }
      rows.push(row);
      expected += 1;
    }
    if (expected <= last) throw new CorruptRecordError(run.jobId, expected, 'the journal entry is missing');
    return rows;
  }

  /** The oldest row of a claim; null when it has none. */
  firstOf(runId: number): number | null {
    const id = this.#first.get(journalId(runId, 0), journalId(runId + 1, 0) - 1)?.id ?? null;
    return id === null ? null : seqOf(id);
  }

  /** The newest row of a claim; null when it has none. */
  lastOf(runId: number): number | null {
    const id = this.#last.get(journalId(runId, 0), journalId(runId + 1, 0) - 1)?.id ?? null;
    return id === null ? null : seqOf(id);
  }

  /** Removes the rows from `first` to `last`; the number removed. */
  remove(runId: number, first: number, last: number): number {
    return this.#delete.run(journalId(runId, first), journalId(runId, last)).changes;
  }

  /** Whether rows other than checkpoints lie between `first` and `last`. */
  hasEngineRows(runId: number, first: number, last: number): boolean {
    return (this.#anyEngineRow.get(journalId(runId, first), journalId(runId, last))?.n ?? 0) > 0;
  }

  /** The text of a row's secret parts; null when it has none. */
  openSecrets(run: RunRef, row: JournalRow): string | null {
    return row.sealed === null ? null : this.#box.open(row.sealed, { ...run, seq: row.seq });
  }
}

export function journalChecksum(run: RunRef, row: JournalRow): number {
  const { seq, kind, nodeId, recordedAtMs, payload, sealed, revision, outboxSeq, drafts } = row;
  return rowChecksum([
    run.jobId,
    run.leaseToken,
    seq,
    kind,
    nodeId,
    recordedAtMs,
    payload,
    sealed,
    revision,
    outboxSeq,
    drafts,
  ]);
}

function toRow(stored: StoredRow): JournalRow {
  return {
    seq: seqOf(stored.id),
    kind: stored.kind,
    nodeId: stored.node_id,
    recordedAtMs: stored.recorded_at_ms,
    payload: stored.payload,
    sealed: stored.sealed,
    revision: stored.revision,
    outboxSeq: stored.outbox_seq,
    drafts: stored.drafts,
  };
}
