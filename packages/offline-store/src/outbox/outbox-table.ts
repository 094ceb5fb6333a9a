/**
 * Rows of the outbox and of the dead letters. Synchronous, part of the caller's transaction.
 *
 * The limit is looked at once per so many new entries instead of at every one, so the table may exceed it
 * by a tenth, at most by 1,000.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import type { Counters } from '../database/counters.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { EncodedDraft } from '../journal/journal-entry.ts';
import type { JsonValue } from '../json.ts';
import type { DeadLetter, OutboxEntry, OutboxLimits } from './outbox.ts';

interface StoredRow {
  readonly id: number;
  readonly job_id: string;
  readonly lease_token: string;
  readonly seq: number;
  readonly kind: string;
  readonly payload: string;
  readonly recorded_at_ms: number;
  readonly keep: number;
  readonly crc: number;
  readonly attempts: number;
}

interface StoredEntry extends StoredRow {
  readonly run_id: number;
}

interface StoredDeadLetter extends StoredRow {
  readonly reason: string;
  readonly dead_at_ms: number;
}

const entryColumns = `o.id, o.run_id, j.job_id, j.lease_token, o.seq, o.kind, o.payload, o.recorded_at_ms,
  o.keep, o.crc, o.attempts FROM outbox o JOIN jobs j ON j.run_id = o.run_id`;

export class OutboxTable {
  readonly #counters: Counters;
  readonly #limits: OutboxLimits;
  readonly #checkEvery: number;
  readonly #insert: Database.Statement<[number, number, string, string, number, number, number]>;
  readonly #select: Database.Statement<[string, number], StoredEntry>;
  readonly #selectOne: Database.Statement<[number], StoredEntry>;
  readonly #delete: Database.Statement<[number]>;
  readonly #countFailure: Database.Statement<[string, number]>;
  readonly #bury: Database.Statement<[string, number, number]>;
  readonly #drop: Database.Statement<[number]>;
  readonly #size: Database.Statement<[], { pending: number; oldest: number | null; dead: number }>;
  readonly #selectDead: Database.Statement<[number], StoredDeadLetter>;

  constructor(db: Database.Database, counters: Counters, limits: OutboxLimits) {
    this.#counters = counters;
    this.#limits = limits;
    this.#checkEvery = Math.max(1, Math.min(1_000, Math.floor(limits.maxEntries / 10)));
    this.#insert = db.prepare(
      'INSERT INTO outbox (run_id, seq, kind, payload, recorded_at_ms, keep, crc) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#select = db.prepare(
      `SELECT ${entryColumns} WHERE o.run_id NOT IN (SELECT value FROM json_each(?)) ORDER BY o.id LIMIT ?`,
    );
    this.#selectOne = db.prepare(`SELECT ${entryColumns} WHERE o.id = ?`);
    this.#delete = db.prepare('DELETE FROM outbox WHERE id = ?');
    this.#countFailure = db.prepare('UPDATE outbox SET attempts = attempts + 1, last_error = ? WHERE id = ?');
    this.#bury = db.prepare(
      `INSERT INTO dead_letters (id, job_id, lease_token, seq, kind, payload, recorded_at_ms, keep, crc,
         attempts, reason, dead_at_ms)
       SELECT o.id, j.job_id, j.lease_token, o.seq, o.kind, o.payload, o.recorded_at_ms, o.keep, o.crc,
         o.attempts, ?, ?
       FROM outbox o JOIN jobs j ON j.run_id = o.run_id WHERE o.id = ?`,
    );
    this.#drop = db.prepare(
      'DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE keep = 0 ORDER BY id LIMIT max(0, ?))',
    );
    this.#size = db.prepare(
      `SELECT (SELECT count(*) FROM outbox) AS pending,
        (SELECT recorded_at_ms FROM outbox ORDER BY id LIMIT 1) AS oldest,
        (SELECT count(*) FROM dead_letters) AS dead`,
    );
    this.#selectDead = db.prepare('SELECT * FROM dead_letters ORDER BY dead_at_ms DESC, id DESC LIMIT ?');
  }

  insert(run: RunRef, seq: number, draft: EncodedDraft, nowMs: number): void {
    const keep = draft.keep ? 1 : 0;
    const { kind, payload } = draft;
    const row = { job_id: run.jobId, lease_token: run.leaseToken, seq, kind, payload, recorded_at_ms: nowMs, keep };
    const { lastInsertRowid } = this.#insert.run(run.runId, seq, kind, payload, nowMs, keep, checksum(row));
    if (Number(lastInsertRowid) % this.#checkEvery === 0) this.#trim();
  }

  /** The oldest entries of all runs but the held ones, split by whether they are intact. */
  oldest(limit: number, heldRuns: readonly number[]): { readonly intact: OutboxEntry[]; readonly damaged: number[] } {
    const rows = this.#select.all(JSON.stringify(heldRuns), limit);
    return {
      intact: rows.filter(isIntact).map(toEntry),
      damaged: rows.filter((row) => !isIntact(row)).map((row) => row.id),
    };
  }

  runOf(id: number): number | null {
    return this.#selectOne.get(id)?.run_id ?? null;
  }

  remove(ids: readonly number[]): number {
    let removed = 0;
    for (const id of ids) removed += this.#delete.run(id).changes;
    this.#counters.add('outbox_acknowledged', removed);
    return removed;
  }

  /** One more permanent answer; true when it was the last one and the entry is a dead letter now. */
  countFailure(id: number, reason: string, nowMs: number): boolean {
    this.#countFailure.run(reason, id);
    const attempts = this.#selectOne.get(id)?.attempts ?? 0;
    if (attempts < this.#limits.maxPermanentFailures) return false;
    this.bury(id, reason, nowMs);
    return true;
  }

  bury(id: number, reason: string, nowMs: number): void {
    const { changes } = this.#bury.run(reason, nowMs, id);
    this.#delete.run(id);
    this.#counters.add('outbox_dead', changes);
  }

  size(): { readonly pending: number; readonly oldest: number | null; readonly dead: number } {
    return this.#size.get() ?? { pending: 0, oldest: null, dead: 0 };
  }

  dead(limit: number): DeadLetter[] {
    return this.#selectDead.all(limit).map((row) => {
      const damaged = !isIntact(row);
      const entry = toEntry(damaged ? { ...row, payload: 'null' } : row);
      return { ...entry, reason: row.reason, deadAtMs: row.dead_at_ms, damaged };
    });
  }

  #trim(): void {
    const excess = this.size().pending - this.#limits.maxEntries;
    this.#counters.add('outbox_dropped', this.#drop.run(excess).changes);
  }
}

function toEntry(row: StoredRow): OutboxEntry {
  return {
    id: row.id,
    jobId: row.job_id,
    leaseToken: row.lease_token === '' ? null : row.lease_token,
    seq: row.seq,
    kind: row.kind,
    payload: JSON.parse(row.payload) as JsonValue,
    recordedAtMs: row.recorded_at_ms,
    attempts: row.attempts,
  };
}

function isIntact(row: StoredRow): boolean {
  return checksum(row) === row.crc;
}

function checksum(row: Omit<StoredRow, 'id' | 'crc' | 'attempts'>): number {
  return rowChecksum([row.job_id, row.lease_token, row.seq, row.kind, row.payload, row.recorded_at_ms, row.keep]);
}
