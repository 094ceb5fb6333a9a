/**
 * Rows of the outbox. Synchronous, part of the caller's transaction.
 *
 * The limit is looked at once per so many new entries instead of at every one, so the table may exceed it
 * by a tenth, at most by 1,000.
 */
import type Database from 'better-sqlite3';
import type { Counters } from '../database/counters.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import { type DeadLetterTable, lastDeadLetter } from './dead-letter-table.ts';
import type { EncodedDraft } from './draft-text.ts';
import type { Disposition, OutboxEntry, OutboxHead, OutboxLimits } from './outbox.ts';
import { storedCursor } from './outbox-cursor.ts';
import { isIntact, type OutboxRow, outboxChecksum, toEntry, toHead } from './outbox-row.ts';

type NewRow = Omit<OutboxRow, 'crc'>;

/** What one commit left for the outbox; its entries are numbered on from the first. */
export interface NewEntries {
  readonly firstId: number;
  readonly firstSeq: number;
  readonly drafts: readonly EncodedDraft[];
  readonly recordedAtMs: number;
}

const entryColumns = `o.id, o.run_id, j.job_id, j.lease_token, o.seq, o.kind, o.payload, o.recorded_at_ms,
  o.keep, o.attempts, o.last_error, o.crc FROM outbox o LEFT JOIN jobs j ON j.run_id = o.run_id`;

export class OutboxTable {
  readonly #dead: DeadLetterTable;
  readonly #counters: Counters;
  readonly #limits: OutboxLimits;
  readonly #checkEvery: number;
  readonly #insert: Database.Statement<unknown[]>;
  readonly #select: Database.Statement<[string, number, number], OutboxRow>;
  readonly #selectOne: Database.Statement<[number], OutboxRow>;
  readonly #selectKind: Database.Statement<[string, number], OutboxRow>;
  readonly #selectRun: Database.Statement<[string, string], { run_id: number }>;
  readonly #hasBelow: Database.Statement<[number], number>;
  readonly #delete: Database.Statement<[number]>;
  readonly #setFailure: Database.Statement<[number, string, number, number]>;
  readonly #drop: Database.Statement<[number]>;
  readonly #size: Database.Statement<[], { pending: number; oldest: number | null }>;
  readonly #lastSeq: Database.Statement<[number], { seq: number | null }>;
  readonly #lastId: Database.Statement<[], { id: number | null }>;
  /** Null until the first entry: ids go on from what the file holds, and are not used twice. */
  #nextId: number | null = null;

  constructor(db: Database.Database, dead: DeadLetterTable, counters: Counters, limits: OutboxLimits) {
    this.#dead = dead;
    this.#counters = counters;
    this.#limits = limits;
    this.#checkEvery = Math.max(1, Math.min(1_000, Math.floor(limits.maxEntries / 10)));
    this.#insert = db.prepare(
      `INSERT OR IGNORE INTO outbox SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
       WHERE NOT EXISTS (SELECT 1 FROM dead_letters WHERE id = ?)`,
    );
    this.#select = db.prepare(
      `SELECT ${entryColumns} WHERE o.run_id NOT IN (SELECT value FROM json_each(?)) AND o.id < ? ORDER BY o.id LIMIT ?`,
    );
    this.#selectOne = db.prepare(`SELECT ${entryColumns} WHERE o.id = ?`);
    this.#selectKind = db.prepare(`SELECT ${entryColumns} WHERE o.kind = ? AND o.id > ? ORDER BY o.id`);
    this.#selectRun = db.prepare('SELECT run_id FROM jobs WHERE job_id = ? AND lease_token = ?');
    this.#hasBelow = db.prepare<[number], number>('SELECT EXISTS (SELECT 1 FROM outbox WHERE id < ?)').pluck() as never;
    this.#delete = db.prepare('DELETE FROM outbox WHERE id = ?');
    this.#setFailure = db.prepare('UPDATE outbox SET attempts = ?, last_error = ?, crc = ? WHERE id = ?');
    this.#drop = db.prepare(
      'DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE keep = 0 ORDER BY id LIMIT max(0, ?))',
    );
    this.#size = db.prepare(
      `SELECT (SELECT count(*) FROM outbox) AS pending,
        (SELECT recorded_at_ms FROM outbox ORDER BY id LIMIT 1) AS oldest`,
    );
    this.#lastSeq = db.prepare('SELECT max(seq) AS seq FROM outbox WHERE run_id = ?');
    // Of drafts in the journal the first id is known without a look at all of them; each takes more than a character.
    // Those that were taken in count, too, by the newest: they are again when the cursor is lost.
    const behind = 'max(CAST(substr(drafts, 2, 15) AS INTEGER) + length(drafts))';
    this.#lastId = db.prepare(
      `SELECT max(coalesce((SELECT max(id) FROM outbox), 0), coalesce((SELECT max(id) FROM dead_letters), 0),
         ${lastDeadLetter}, coalesce((SELECT ${behind} FROM journal
           WHERE drafts IS NOT NULL AND id > ${storedCursor}), 0), coalesce((SELECT ${behind} FROM
           (SELECT drafts FROM journal WHERE drafts IS NOT NULL ORDER BY id DESC LIMIT 1)), 0)) AS id`,
    );
  }

  /** The id that the next entry gets. */
  get nextId(): number {
    this.#nextId ??= (this.#lastId.get()?.id ?? 0) + 1;
    return this.#nextId;
  }

  /** Ids for `count` entries, which nobody else gets: the first of them. */
  takeIds(count: number): number {
    const first = this.nextId;
    this.#nextId = first + count;
    return first;
  }

  /** An entry that is there already, or among the dead letters, stays as it is. */
  insert(run: RunRef, { firstId, firstSeq, drafts, recordedAtMs }: NewEntries): void {
    for (const [index, { kind, payload, keep }] of drafts.entries()) {
      this.#add({
        id: firstId + index,
        run_id: run.runId,
        job_id: run.jobId,
        lease_token: run.leaseToken,
        seq: firstSeq + index,
        kind,
        payload,
        recorded_at_ms: recordedAtMs,
        keep: keep ? 1 : 0,
        attempts: 0,
        last_error: null,
      });
    }
  }

  /** The oldest entries below an id of all claims but the held ones, split by whether they are intact. */
  oldest(
    limit: number,
    heldRuns: readonly number[],
    beforeId: number,
  ): { readonly intact: OutboxEntry[]; readonly damaged: number[] } {
    const rows = this.#select.all(JSON.stringify(heldRuns), beforeId, limit);
    return {
      intact: rows.flatMap((row) => (isIntact(row) ? [toEntry(withClaim(row))] : [])),
      damaged: rows.flatMap((row) => (isIntact(row) ? [] : [row.id])),
    };
  }

  /** The intact entries of a kind behind an id. One payload is in memory at a time, for its checksum. */
  headsOf(kind: string, afterId: number, limit: number): OutboxHead[] {
    const heads: OutboxHead[] = [];
    for (const row of this.#selectKind.iterate(kind, afterId)) {
      if (isIntact(row)) heads.push(toHead(withClaim(row)));
      if (heads.length === limit) break;
    }
    return heads;
  }

  /** Whether an entry waits whose id is below that. */
  hasBelow(id: number): boolean {
    return this.#hasBelow.get(id) === 1;
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
    const row = this.#selectOne.get(id);
    if (row === undefined) return false;
    const failed = { ...row, attempts: row.attempts + 1, last_error: reason };
    this.#setFailure.run(failed.attempts, reason, outboxChecksum(failed), id);
    if (failed.attempts < this.#limits.maxPermanentFailures) return false;
    this.bury(id, 'dead', reason, nowMs);
    return true;
  }

  /** Moves an entry to the dead letters; false when there is no such entry. */
  bury(id: number, disposition: Disposition, reason: string, nowMs: number): boolean {
    const row = this.#selectOne.get(id);
    if (row === undefined) return false;
    this.#dead.insert(withClaim(row), disposition, reason, nowMs);
    this.#delete.run(id);
    this.#counters.add(disposition === 'superseded' ? 'outbox_superseded' : 'outbox_dead', 1);
    return true;
  }

  /** Notes that what a commit left for the outbox cannot be read; the id of the note. */
  buryUnread(run: RunRef, commit: { readonly outbox_seq: number; readonly recorded_at_ms: number }): number {
    const id = this.takeIds(1);
    const claim = { run_id: run.runId, job_id: run.jobId, lease_token: run.leaseToken, seq: commit.outbox_seq };
    const rest = { recorded_at_ms: commit.recorded_at_ms, keep: 0, attempts: 0, last_error: null, crc: 0 };
    const row = { id, ...claim, kind: 'unknown', payload: 'null', ...rest };
    this.#dead.insert(row, 'damaged', 'the journal entry fails its checksum', row.recorded_at_ms);
    this.#counters.add('outbox_dead', 1);
    return id;
  }

  /** Brings a dead letter back, behind what waits; false when it is damaged, or its job is gone. */
  requeue(id: number): boolean {
    const row = this.#dead.find(id);
    const run = row === undefined ? undefined : this.#selectRun.get(row.job_id, row.lease_token);
    if (row === undefined || run === undefined) return false;
    this.#dead.remove(id);
    this.#add({ ...row, id: this.takeIds(1), run_id: run.run_id, attempts: 0, last_error: null });
    this.#counters.add('outbox_requeued', 1);
    return true;
  }

  /** The highest number that waits for a claim; 0 for none. */
  lastSeqOf(runId: number): number {
    return this.#lastSeq.get(runId)?.seq ?? 0;
  }

  size(): { readonly pending: number; readonly oldest: number | null } {
    return this.#size.get() ?? { pending: 0, oldest: null };
  }

  #add(row: NewRow): void {
    this.#insert.run(
      row.id,
      row.run_id,
      row.seq,
      row.kind,
      row.payload,
      row.recorded_at_ms,
      row.keep,
      row.attempts,
      row.last_error,
      outboxChecksum(row),
      row.id,
    );
    if (row.id % this.#checkEvery === 0) this.#trim();
  }

  #trim(): void {
    const excess = this.size().pending - this.#limits.maxEntries;
    this.#counters.add('outbox_dropped', this.#drop.run(excess).changes);
  }
}

function withClaim(row: OutboxRow): OutboxRow & { readonly job_id: string; readonly lease_token: string } {
  return { ...row, job_id: row.job_id ?? `claim ${row.run_id}`, lease_token: row.lease_token ?? '' };
}
