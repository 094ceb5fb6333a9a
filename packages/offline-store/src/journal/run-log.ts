/**
 * The one place that writes about a running job: journal entries, outbox entries and the job's status, in
 * one transaction, numbered without gaps (I3, I6). Nothing is written about a claim that is over (I1, I5),
 * and no step about one that is in doubt as a whole.
 *
 * Compaction bounds what a long job keeps (I7, I10): entries older than the newest whole state go, a batch at
 * a time, once there are more than `keepEntries` of them.
 *
 * Synchronous, part of the caller's transaction.
 */
import type { Counters } from '../database/counters.ts';
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { changeState, isFinal, isOver, type JobState, type StatusChange, wholeDoubtOf } from '../jobs/job-state.ts';
import type { JobTable } from '../jobs/job-table.ts';
import { overError } from '../jobs/refusals.ts';
import type { OutboxTable } from '../outbox/outbox-table.ts';
import { snapshotKind } from './checkpoint-fold.ts';
import type { ExecutedTable } from './executed-table.ts';
import { type EncodedDraft, type EncodedEntry, isExecution } from './journal-entry.ts';
import type { JournalTable } from './journal-table.ts';

export interface RunWrite {
  readonly entries?: readonly EncodedEntry[];
  readonly outbox?: readonly EncodedDraft[];
  readonly change?: StatusChange;
}

export interface RunLogParts {
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly executed: ExecutedTable;
  readonly outbox: OutboxTable;
  readonly counters: Counters;
  /** Journal entries that a claim keeps besides those that are needed to resume it. */
  readonly keepEntries: number;
}

/** Entries that are removed at once: a commit now and then pays for so many. */
const compactionBatch = 256;

export class RunLog {
  readonly #parts: RunLogParts;

  constructor(parts: RunLogParts) {
    this.#parts = parts;
  }

  /** @throws StoreError `JOB_FINAL`, `STALE_LEASE`, `JOB_IN_DOUBT` */
  write(run: RunRef, write: RunWrite, nowMs: number): RunPosition {
    const { jobs, outbox } = this.#parts;
    const before = jobs.position(run);
    const entries = write.entries ?? [];
    const drafts = write.outbox ?? [];
    if (isOver(before.state) && entries.length + drafts.length > 0) throw overError(run, before.state);
    if (wholeDoubtOf(before.state) !== null && entries.length > 0) throw overError(run, before.state);
    const state = stateAfter(run, before.state, write, nowMs);
    if (entries.length + drafts.length === 0 && state === before.state) return before;
    const keepAll = isFinal(state);
    for (const [index, draft] of drafts.entries()) {
      const kept = { ...draft, keep: draft.keep || keepAll };
      outbox.insert(run, before.outboxSeq + 1 + index, kept, nowMs);
    }
    const after = this.#append(run, { ...before, state, outboxSeq: before.outboxSeq + drafts.length }, entries, nowMs);
    return jobs.save(run, this.#compacted(after));
  }

  #append(run: RunRef, before: RunPosition, entries: readonly EncodedEntry[], nowMs: number): RunPosition {
    let { journalSeq: seq, snapshotSeq, checkpointSeq } = before;
    for (const entry of entries) {
      seq += 1;
      this.#parts.journal.insert(run, seq, entry, nowMs);
      if (entry.kind === 'snapshot') snapshotSeq = seq;
      else if (entry.kind === snapshotKind) checkpointSeq = seq;
      if (isExecution(entry.kind) && entry.nodeId !== null) {
        this.#parts.executed.add(run, entry.nodeId, seq, entry.iteration);
      }
    }
    return { ...before, journalSeq: seq, snapshotSeq, checkpointSeq };
  }

  #compacted(position: RunPosition): RunPosition {
    const { journal, counters, keepEntries } = this.#parts;
    const { runId, firstSeq, journalSeq, snapshotSeq, checkpointSeq } = position;
    const last = firstSeq + compactionBatch - 1;
    if (journalSeq - keepEntries <= last || Math.max(snapshotSeq, checkpointSeq) <= last) return position;
    const whole = snapshotSeq === 0 || checkpointSeq === 0 ? snapshotSeq : Math.min(snapshotSeq, checkpointSeq);
    const bound = whole > 0 || journal.hasEngineRows(runId, firstSeq, last) ? whole : checkpointSeq;
    if (last >= bound) return position;
    counters.add('journal_compacted', journal.remove(runId, firstSeq, last));
    return { ...position, firstSeq: last + 1 };
  }
}

function stateAfter(run: RunRef, state: JobState, write: RunWrite, nowMs: number): JobState {
  const started = write.entries !== undefined && write.entries.length > 0 && state.status === 'cached';
  const change = write.change ?? (started ? ({ status: 'in_progress' } as const) : undefined);
  if (change === undefined) return state;
  const transition = changeState(state, change, nowMs);
  if (transition.kind === 'refused') throw overError(run, state);
  return transition.kind === 'same' ? state : transition.state;
}
