/**
 * The one place that writes about a running job: journal entries, outbox entries and the job's status, in
 * one transaction, numbered without gaps (I3, I6). Nothing is written about a claim that is over (I1, I5).
 *
 * Synchronous, part of the caller's transaction.
 */

import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { changeState, isFinal, isOver, type JobState, type StatusChange } from '../jobs/job-state.ts';
import type { JobTable } from '../jobs/job-table.ts';
import { overError } from '../jobs/refusals.ts';
import type { OutboxTable } from '../outbox/outbox-table.ts';
import type { Clock } from '../ports.ts';
import { CheckpointFold, type FoldableEntry, type FoldedCheckpoint } from './checkpoint-fold.ts';
import type { EncodedDraft, EncodedEntry } from './journal-entry.ts';
import type { JournalRow, JournalTable } from './journal-table.ts';

export interface RunWrite {
  readonly entries?: readonly EncodedEntry[];
  readonly outbox?: readonly EncodedDraft[];
  readonly change?: StatusChange;
}

export interface RunLogParts {
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly outbox: OutboxTable;
  readonly clock: Clock;
}

export class RunLog {
  readonly #parts: RunLogParts;

  constructor(parts: RunLogParts) {
    this.#parts = parts;
  }

  /** @throws StoreError `JOB_FINAL`, `STALE_LEASE` */
  write(run: RunRef, write: RunWrite): RunPosition {
    const before = this.#parts.jobs.position(run);
    const nowMs = this.#parts.clock.now();
    const entries = write.entries ?? [];
    const drafts = write.outbox ?? [];
    if (isOver(before.state) && entries.length + drafts.length > 0) throw overError(run, before.state);
    const state = this.#stateAfter(run, before.state, write, nowMs);
    if (entries.length + drafts.length === 0 && state === before.state) return before;
    const keepAll = isFinal(state);
    for (const [index, entry] of entries.entries()) {
      this.#parts.journal.insert(run, before.journalSeq + 1 + index, entry, nowMs);
    }
    for (const [index, draft] of drafts.entries()) {
      const kept = { ...draft, keep: draft.keep || keepAll };
      this.#parts.outbox.insert(run, before.outboxSeq + 1 + index, kept, nowMs);
    }
    const after: RunPosition = {
      ...before,
      state,
      journalSeq: before.journalSeq + entries.length,
      outboxSeq: before.outboxSeq + drafts.length,
    };
    this.#parts.jobs.save(after);
    return after;
  }

  /** Everything recorded for a claim, oldest first, checked. */
  read(run: RunRef): JournalRow[] {
    return this.#parts.journal.read(run, 1, this.#parts.jobs.position(run).journalSeq);
  }

  /** The last `limit` rows, oldest first, checked. */
  newest(run: RunRef, limit: number): JournalRow[] {
    const { journalSeq } = this.#parts.jobs.position(run);
    return this.#parts.journal.read(run, Math.max(1, journalSeq - limit + 1), journalSeq);
  }

  latestCheckpoint(run: RunRef): FoldedCheckpoint | null {
    const { jobs, journal } = this.#parts;
    const fold = new CheckpointFold();
    for (const row of journal.read(run, journal.lastSnapshot(run), jobs.position(run).journalSeq)) {
      fold.add(JSON.parse(row.payload) as FoldableEntry, row);
    }
    return fold.latest();
  }

  #stateAfter(run: RunRef, state: JobState, write: RunWrite, nowMs: number): JobState {
    const started = write.entries !== undefined && write.entries.length > 0 && state.status === 'cached';
    const change = write.change ?? (started ? ({ status: 'in_progress' } as const) : undefined);
    if (change === undefined) return state;
    const transition = changeState(state, change, nowMs);
    if (transition.kind === 'refused') throw overError(run, state);
    return transition.kind === 'same' ? state : transition.state;
  }
}
