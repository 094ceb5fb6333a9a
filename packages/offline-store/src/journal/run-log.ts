/**
 * The one place that writes about a running job: journal entries, outbox entries and the job's status, in
 * one transaction, numbered without gaps (I3, I6). Nothing is written about a claim that is over (I1, I5),
 * and no step about one that is in doubt as a whole.
 *
 * A plain step writes its journal row only, outbox drafts included (`tail.ts`, `outbox-intake.ts`); whatever changes
 * more than the numbers in a job's own row is written in full.
 *
 * Synchronous, part of the caller's transaction.
 */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { changeState, isFinal, isOver, type JobState, type StatusChange, wholeDoubtOf } from '../jobs/job-state.ts';
import { overError } from '../jobs/refusals.ts';
import { encodeDrafts } from '../outbox/draft-text.ts';
import type { OutboxTable } from '../outbox/outbox-table.ts';
import { snapshotKind } from './checkpoint-fold.ts';
import { type CompactionParts, compact, compactBySize } from './compaction.ts';
import { type EncodedDraft, type EncodedEntry, isExecution } from './journal-entry.ts';
import { Tail, type TailParts } from './tail.ts';

export interface RunWrite {
  readonly entries?: readonly EncodedEntry[];
  readonly outbox?: readonly EncodedDraft[];
  readonly change?: StatusChange;
  /** It has happened already: the reserve may be used for it. */
  readonly reserve?: boolean;
}

export interface RunLogParts extends TailParts, CompactionParts {
  readonly outbox: OutboxTable;
}

export class RunLog {
  readonly #parts: RunLogParts;
  readonly #tail: Tail;

  constructor(parts: RunLogParts) {
    this.#parts = parts;
    this.#tail = new Tail({ ...parts, compact: (position) => compact(parts, position) });
  }

  /** @throws StoreError `JOB_FINAL`, `STALE_LEASE`, `JOB_IN_DOUBT` */
  write(run: RunRef, write: RunWrite, nowMs: number): RunPosition {
    const before = this.#parts.jobs.position(run);
    const { entries = [], outbox: drafts = [] } = write;
    if (isOver(before.state) && entries.length + drafts.length > 0) throw overError(run, before.state);
    if (wholeDoubtOf(before.state) !== null && entries.length > 0) throw overError(run, before.state);
    const state = stateAfter(run, before.state, write, nowMs);
    if (state !== before.state) return this.#writeAll(run, { ...before, state }, entries, drafts, nowMs);
    if (entries.length + drafts.length === 0) return before;
    return isPlainStep(entries)
      ? this.#writeStep(run, before, entries, drafts, nowMs)
      : this.#writeAll(run, before, entries, drafts, nowMs);
  }

  /** Puts what steps have left to do where it is looked for. */
  settle(): void {
    this.#tail.settle();
  }

  /** To be called after each COMMIT. */
  committed(): void {
    this.#tail.committed();
  }

  /** To be called after each ROLLBACK: what is remembered may not be what the file holds. */
  rolledBack(): void {
    this.#tail.rolledBack();
    this.forget();
  }

  /** To be called when a claim was removed. */
  forget(): void {
    this.#parts.jobs.forget();
    this.#parts.executed.forget();
    this.#parts.journal.forget();
    this.#parts.intake.forget();
  }

  #writeStep(
    run: RunRef,
    before: RunPosition,
    entries: readonly EncodedEntry[],
    drafts: readonly EncodedDraft[],
    nowMs: number,
  ): RunPosition {
    const revision = before.revision + 1;
    const outboxSeq = before.outboxSeq + drafts.length;
    const firstSeq = before.journalSeq + 1;
    const note = { revision, outboxSeq, drafts: this.#draftText(drafts) };
    const journalSeq = this.#parts.journal.append(run, firstSeq, entries, note, nowMs);
    const after = { ...before, revision, outboxSeq, journalSeq };
    this.#parts.jobs.advance(run, after);
    this.#tail.add(run, entries, firstSeq);
    return after;
  }

  #writeAll(
    run: RunRef,
    before: RunPosition,
    entries: readonly EncodedEntry[],
    drafts: readonly EncodedDraft[],
    nowMs: number,
  ): RunPosition {
    const { jobs, executed, journal, outbox } = this.#parts;
    this.#tail.settle();
    const kept = isFinal(before.state) ? drafts.map((draft) => ({ ...draft, keep: true })) : drafts;
    let { snapshotSeq, checkpointSeq } = before;
    for (const [index, { kind, nodeId, iteration }] of entries.entries()) {
      const seq = before.journalSeq + 1 + index;
      if (kind === 'snapshot') snapshotSeq = seq;
      else if (kind === snapshotKind) checkpointSeq = seq;
      if (isExecution(kind) && nodeId !== null) executed.add(run, nodeId, seq, iteration);
    }
    const outboxSeq = before.outboxSeq + drafts.length;
    let { journalSeq } = before;
    if (entries.length > 0) {
      const note = { revision: before.revision + 1, outboxSeq, drafts: this.#draftText(kept) };
      journalSeq = journal.append(run, journalSeq + 1, entries, note, nowMs);
      journal.addToIndex();
    } else {
      // It has no row that the drafts could lie in.
      const firstId = outbox.takeIds(kept.length);
      outbox.insert(run, { firstId, firstSeq: before.outboxSeq + 1, drafts: kept, recordedAtMs: nowMs });
    }
    const { firstSeq } = jobs.position(run);
    const after = compact(this.#parts, { ...before, journalSeq, outboxSeq, snapshotSeq, checkpointSeq, firstSeq });
    const isWhole = snapshotSeq !== before.snapshotSeq || checkpointSeq !== before.checkpointSeq;
    return jobs.save(run, isWhole ? compactBySize(this.#parts, after) : after);
  }

  /** What a row of the journal holds for the outbox. */
  #draftText(drafts: readonly EncodedDraft[]): string | null {
    return drafts.length === 0 ? null : encodeDrafts(this.#parts.outbox.takeIds(drafts.length), drafts);
  }
}

/** Whole states are noted in the job's own row; a commit without entries has no row to lie in. */
function isPlainStep(entries: readonly EncodedEntry[]): boolean {
  return entries.length > 0 && entries.every(({ kind }) => kind !== 'snapshot' && kind !== snapshotKind);
}

function stateAfter(run: RunRef, state: JobState, write: RunWrite, nowMs: number): JobState {
  const started = write.entries !== undefined && write.entries.length > 0 && state.status === 'cached';
  const change = write.change ?? (started ? ({ status: 'in_progress' } as const) : undefined);
  if (change === undefined) return state;
  const transition = changeState(state, change, nowMs);
  if (transition.kind === 'refused') throw overError(run, state);
  return transition.kind === 'same' ? state : transition.state;
}
