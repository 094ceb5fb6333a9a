/**
 * Takes outbox drafts out of the journal rows that they were committed in (I6). A step has no part in that (I10): it is
 * done when somebody looks at the outbox, before the rows go, and for a bounded number of rows at once, so that those
 * who wait for the writer wait milliseconds and a full store's reserve is enough.
 *
 * An entry has its id from the commit that it was written by, so the order of ids is the order of commits. Those that
 * have no journal row are in the outbox at once: they are handed out only after what was committed before them.
 */
import type Database from 'better-sqlite3';
import type { RunRef } from '../jobs/job-rows.ts';
import { commitChecksum } from '../journal/journal-row.ts';
import type { DraftRow, JournalTable } from '../journal/journal-table.ts';
import { decodeRow } from './draft-text.ts';
import { OutboxCursor } from './outbox-cursor.ts';
import type { OutboxTable } from './outbox-table.ts';

/** How far the outbox is filled. */
export interface FillReport {
  /** False while more can be taken in. */
  readonly isComplete: boolean;
  /** Entries whose id is not below this one are not to be handed out yet. */
  readonly beforeId: number;
}

const maxRows = 256;
/** Characters of drafts after which a turn ends. */
const maxLength = 32 * 1_024;

export class OutboxIntake {
  readonly #journal: JournalTable;
  readonly #outbox: OutboxTable;
  readonly #cursor: OutboxCursor;

  constructor(db: Database.Database, journal: JournalTable, outbox: OutboxTable) {
    this.#journal = journal;
    this.#outbox = outbox;
    this.#cursor = new OutboxCursor(db);
    journal.numberBehind(this.#cursor.id);
  }

  /**
   * Takes in what the next journal rows hold. Part of the caller's transaction.
   *
   * @param sparing in a store that is almost full: takes nothing in while there is something to send, so that what
   *   waits is not written twice over at the cost of the reserve
   */
  fill(sparing = false): FillReport {
    if (!sparing) return this.#fill();
    const firstId = this.#firstWaiting();
    if (firstId !== null && this.#outbox.hasBelow(firstId)) return { isComplete: true, beforeId: firstId };
    return { ...this.#fill(), isComplete: true };
  }

  #fill(): FillReport {
    const rows = this.#journal.withDrafts(this.#cursor.id, maxRows);
    let beforeId = 1;
    let taken = 0;
    for (let length = 0; taken < rows.length && length <= maxLength; taken += 1) {
      const row = rows[taken] as DraftRow;
      beforeId = this.#take(row);
      length += row.drafts.length;
    }
    const last = rows[taken - 1];
    if (last !== undefined) {
      this.#cursor.pass(last.id);
      this.#cursor.save();
    }
    if (taken < rows.length || taken === maxRows) return { isComplete: false, beforeId };
    this.#cursor.pass(this.#journal.lastId());
    return { isComplete: true, beforeId: this.#outbox.nextId };
  }

  #fillTo(journalId: number): void {
    while (this.#cursor.id < journalId && !this.#fill().isComplete);
  }

  /**
   * Removes a claim's journal up to an entry with which a commit ends, what it holds for the outbox taken in before; the
   * number of entries removed. Part of the caller's transaction.
   */
  removeTo(runId: number, last: number): number {
    this.#fillTo(this.#journal.idTo(runId, last));
    return this.#journal.removeTo(runId, last);
  }

  /** Called after a ROLLBACK. */
  forget(): void {
    this.#cursor.forget();
  }

  /** The id of the first entry that is not taken in; null when there is none, or none that says so. */
  #firstWaiting(): number | null {
    const [row] = this.#journal.withDrafts(this.#cursor.id, 1);
    return row !== undefined && isWhole(row) ? decodeRow(row.drafts).firstId : null;
  }

  /** The id after those of the row's entries. What a damaged row held is a dead letter, since it cannot be sent. */
  #take(row: DraftRow): number {
    const run = claimOf(row);
    if (!isWhole(row)) return this.#outbox.buryUnread(run, row) + 1;
    const { firstId: known, drafts } = decodeRow(row.drafts);
    const firstId = known ?? this.#outbox.takeIds(drafts.length);
    const firstSeq = row.outbox_seq - drafts.length + 1;
    this.#outbox.insert(run, { firstId, firstSeq, drafts, recordedAtMs: row.recorded_at_ms });
    return firstId + drafts.length;
  }
}

function claimOf(row: DraftRow): RunRef {
  return { runId: row.run_id, jobId: row.job_id ?? `claim ${row.run_id}`, leaseToken: row.lease_token ?? '' };
}

function isWhole(row: DraftRow): boolean {
  return commitChecksum(claimOf(row), row) === row.crc;
}
