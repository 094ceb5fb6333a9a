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
import { decodeDrafts, type EncodedDrafts, keepAll, rowText } from '../outbox/draft-text.ts';
import type { OutboxTable } from '../outbox/outbox-table.ts';
import { type CompactionParts, compact, compactBySize } from './compaction.ts';
import type { EncodedEntries } from './journal-entry.ts';
import { maxRowsAtOnce, type NewCommit } from './journal-table.ts';
import { Tail, type TailParts } from './tail.ts';

export interface RunWrite {
  readonly entries: EncodedEntries;
  readonly outbox: EncodedDrafts;
  readonly change: StatusChange | null;
  /** It has happened already: the reserve may be used for it. */
  readonly reserve: boolean;
}

/** A write about a claim, and when it was asked for. */
export interface TimedWrite {
  readonly run: RunRef;
  readonly write: RunWrite;
  readonly nowMs: number;
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
    if (isPlainStep(write, before)) return this.#writeStep(before, { run, write, nowMs });
    const { entries, outbox } = write;
    if (isOver(before.state) && entries.count + outbox.count > 0) throw overError(run, before.state);
    if (wholeDoubtOf(before.state) !== null && entries.count > 0) throw overError(run, before.state);
    const state = stateAfter(run, before.state, write, nowMs);
    if (state !== before.state) return this.#writeAll(run, { ...before, state }, write, nowMs);
    if (entries.count + outbox.count === 0) return before;
    return changesNumbersOnly(write)
      ? this.#writeStep(before, { run, write, nowMs })
      : this.#writeAll(run, before, write, nowMs);
  }

  /** Whether the writes are one INSERT, for which SQLite needs no transaction around it. */
  areOneStatement(writes: readonly TimedWrite[]): boolean {
    const { jobs } = this.#parts;
    if (writes.length > maxRowsAtOnce || !this.#tail.hasRoomFor(writes.length)) return false;
    for (const { run, write } of writes) if (!isPlainStep(write, jobs.position(run))) return false;
    return true;
  }

  /** Writes what `areOneStatement` is true of. */
  writeSteps(writes: readonly TimedWrite[]): void {
    const { jobs, journal } = this.#parts;
    const commits: NewCommit[] = [];
    const positions = new Map<number, RunPosition>();
    for (const timed of writes) {
      const before = positions.get(timed.run.runId) ?? jobs.position(timed.run);
      const { commit, after } = this.#step(before, timed);
      commits.push(commit);
      positions.set(after.runId, after);
    }
    journal.append(commits);
    for (const { run, firstSeq, entries } of commits) this.#tail.add({ run, firstSeq, ends: entries.ends });
    for (const { run } of writes) {
      const position = positions.get(run.runId);
      if (position !== undefined) jobs.advance(run, position);
    }
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

  #writeStep(before: RunPosition, timed: TimedWrite): RunPosition {
    const { commit, after } = this.#step(before, timed);
    const { run, firstSeq, entries } = commit;
    this.#parts.journal.append([commit]);
    this.#parts.jobs.advance(run, after);
    this.#tail.add({ run, firstSeq, ends: entries.ends });
    return after;
  }

  #step(before: RunPosition, { run, write, nowMs }: TimedWrite): { commit: NewCommit; after: RunPosition } {
    const { entries, outbox } = write;
    const revision = before.revision + 1;
    const outboxSeq = before.outboxSeq + outbox.count;
    const note = { revision, outboxSeq, drafts: this.#draftText(outbox) };
    const commit = { run, firstSeq: before.journalSeq + 1, entries, note, nowMs };
    return { commit, after: { ...before, revision, outboxSeq, journalSeq: before.journalSeq + entries.count } };
  }

  #writeAll(run: RunRef, before: RunPosition, { entries, outbox: given }: RunWrite, nowMs: number): RunPosition {
    const { jobs, executed, journal, outbox } = this.#parts;
    this.#tail.settle();
    const drafts = isFinal(before.state) ? keepAll(given) : given;
    let { snapshotSeq, checkpointSeq, journalSeq } = before;
    if (entries.wholeAt >= 0 && entries.saved) checkpointSeq = journalSeq + 1 + entries.wholeAt;
    else if (entries.wholeAt >= 0) snapshotSeq = journalSeq + 1 + entries.wholeAt;
    for (const { index, nodeId, iteration } of entries.ends)
      executed.add(run, nodeId, journalSeq + 1 + index, iteration);
    const outboxSeq = before.outboxSeq + drafts.count;
    if (entries.count > 0) {
      const note = { revision: before.revision + 1, outboxSeq, drafts: this.#draftText(drafts) };
      journal.append([{ run, firstSeq: journalSeq + 1, entries, note, nowMs }]);
      journalSeq += entries.count;
      journal.addToIndex();
    } else {
      // It has no row that the drafts could lie in.
      const firstId = outbox.takeIds(drafts.count);
      const firstSeq = before.outboxSeq + 1;
      outbox.insert(run, { firstId, firstSeq, drafts: decodeDrafts(drafts), recordedAtMs: nowMs });
    }
    const { firstSeq } = jobs.position(run);
    const after = compact(this.#parts, { ...before, journalSeq, outboxSeq, snapshotSeq, checkpointSeq, firstSeq });
    const isWhole = snapshotSeq !== before.snapshotSeq || checkpointSeq !== before.checkpointSeq;
    return jobs.save(run, isWhole ? compactBySize(this.#parts, after) : after);
  }

  /** What a row of the journal holds for the outbox. */
  #draftText(drafts: EncodedDrafts): string | null {
    return drafts.count === 0 ? null : rowText(this.#parts.outbox.takeIds(drafts.count), drafts);
  }
}

/** The most frequent write: a job that is under way has come further, and nothing else has changed. */
function isPlainStep(write: RunWrite, { state }: RunPosition): boolean {
  return state.status === 'in_progress' && write.change === null && changesNumbersOnly(write);
}

/** Whole states are noted in the job's own row; a commit without entries has no row to lie in. */
function changesNumbersOnly({ entries }: RunWrite): boolean {
  return entries.count > 0 && entries.wholeAt < 0;
}

function stateAfter(run: RunRef, state: JobState, write: RunWrite, nowMs: number): JobState {
  const started = write.entries.count > 0 && state.status === 'cached';
  const change = write.change ?? (started ? ({ status: 'in_progress' } as const) : null);
  if (change === null) return state;
  const transition = changeState(state, change, nowMs);
  if (transition.kind === 'refused') throw overError(run, state);
  return transition.kind === 'same' ? state : transition.state;
}
