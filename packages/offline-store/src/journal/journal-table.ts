/**
 * Rows of the journal. Every row carries a checksum over all its columns, and a job's rows are numbered
 * without gaps up to the number in its state: whatever is damaged or missing is an error that names job
 * and seq, never a wrong value. Synchronous, part of the caller's transaction.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import { CorruptRecordError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import { snapshotKind } from './checkpoint-fold.ts';
import type { EncodedEntry } from './journal-entry.ts';

/** A row that passed its check. */
export interface JournalRow extends EncodedEntry {
  readonly seq: number;
  readonly recordedAtMs: number;
}

interface StoredRow {
  readonly seq: number;
  readonly kind: string;
  readonly node_id: string | null;
  readonly recorded_at_ms: number;
  readonly payload: string;
  readonly crc: number;
}

export class JournalTable {
  readonly #insert: Database.Statement<[number, number, string, string | null, number, string, number]>;
  readonly #select: Database.Statement<[number, number, number], StoredRow>;
  readonly #lastSnapshot: Database.Statement<[number], { seq: number | null }>;

  constructor(db: Database.Database) {
    this.#insert = db.prepare(
      'INSERT INTO journal (run_id, seq, kind, node_id, recorded_at_ms, payload, crc) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#select = db.prepare('SELECT * FROM journal WHERE run_id = ? AND seq BETWEEN ? AND ? ORDER BY seq');
    this.#lastSnapshot = db.prepare(
      `SELECT max(seq) AS seq FROM journal WHERE run_id = ? AND kind = '${snapshotKind}'`,
    );
  }

  insert(run: RunRef, seq: number, entry: EncodedEntry, nowMs: number): void {
    const row: JournalRow = { ...entry, seq, recordedAtMs: nowMs };
    this.#insert.run(run.runId, seq, row.kind, row.nodeId, nowMs, row.payload, checksum(run, row));
  }

  /**
   * The rows from `first` to `last`, oldest first.
   *
   * @throws CorruptRecordError for the first row that is damaged or missing
   */
  read(run: RunRef, first: number, last: number): JournalRow[] {
    let expected = first;
    const rows: JournalRow[] = [];
    for (const stored of this.#select.all(run.runId, first, last)) {
      if (stored.seq !== expected) break;
      const row: JournalRow = {
        seq: stored.seq,
        kind: stored.kind,
        nodeId: stored.node_id,
        recordedAtMs: stored.recorded_at_ms,
        payload: stored.payload,
      };
      if (checksum(run, row) !== stored.crc) {
        throw new CorruptRecordError(run.jobId, stored.seq, 'the journal entry fails its checksum');
      }
      rows.push(row);
      expected += 1;
    }
    if (expected <= last) throw new CorruptRecordError(run.jobId, expected, 'the journal entry is missing');
    return rows;
  }

  /** Where reading for a checkpoint has to start. */
  lastSnapshot(run: RunRef): number {
    return this.#lastSnapshot.get(run.runId)?.seq ?? 1;
  }
}

function checksum(run: RunRef, row: JournalRow): number {
  return rowChecksum([run.jobId, run.leaseToken, row.seq, row.kind, row.nodeId, row.recordedAtMs, row.payload]);
}
