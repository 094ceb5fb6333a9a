/**
 * What steps have left to do. A step writes its journal row and nothing else (I10): its outbox drafts lie in it,
 * and so does how far the job has come. Now and then, and before anything looks at them, the drafts are
 * put into the outbox, the rows into the journal's index, and the jobs' own rows are brought up to date: for many steps at once, which costs each a
 * fraction. After a crash the same is done from the rows (`settleFromRows`), so nothing depends on this memory.
 */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import type { JobTable } from '../jobs/job-table.ts';
import type { OutboxTable } from '../outbox/outbox-table.ts';
import type { ExecutedTable } from './executed-table.ts';
import { type EncodedDraft, type EncodedEntry, isExecution, iterationOf } from './journal-entry.ts';
import type { JournalTable } from './journal-table.ts';

export interface TailParts {
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly executed: ExecutedTable;
  readonly outbox: OutboxTable;
}

interface Step {
  readonly run: RunRef;
  readonly entries: readonly EncodedEntry[];
  readonly firstSeq: number;
  readonly drafts: readonly EncodedDraft[];
  readonly firstOutboxSeq: number;
  readonly nowMs: number;
}

/** Steps that may wait: what a crash leaves to do, and what a commit now and then does for those before it. */
const maxSteps = 64;
/** Characters of drafts that may wait: they must fit into the reserve of a full store. */
const maxDraftLength = 32 * 1_024;

export interface TailOptions extends TailParts {
  /** Called for each job whose row is brought up to date. */
  readonly compact: (position: RunPosition) => RunPosition;
}

export class Tail {
  readonly #parts: TailOptions;
  /** Of committed transactions. */
  #waiting: Step[] = [];
  /** Of the present transaction. */
  #staged: Step[] = [];
  /** Characters of drafts in both. */
  #length = 0;
  /** Whether the present transaction has settled what was waiting before it. */
  #isSettled = false;

  constructor(parts: TailOptions) {
    this.#parts = parts;
  }

  /** Part of the caller's transaction. */
  add(step: Step): void {
    this.#staged.push(step);
    this.#length += lengthOf(step.drafts);
    const count = this.#staged.length + (this.#isSettled ? 0 : this.#waiting.length);
    if (count >= maxSteps || this.#length > maxDraftLength) this.settle();
  }

  /** Part of the caller's transaction. */
  settle(): void {
    const steps = this.#isSettled ? this.#staged : [...this.#waiting, ...this.#staged];
    this.#staged = [];
    this.#length = 0;
    this.#isSettled = true;
    if (steps.length === 0) return;
    for (const step of steps) settleStep(this.#parts, step);
    const runs = new Map(steps.map(({ run }) => [run.runId, run]));
    const { jobs, journal, compact } = this.#parts;
    journal.addToIndex();
    for (const run of runs.values()) jobs.settle(compact(jobs.position(run)));
  }

  committed(): void {
    if (this.#isSettled) this.#waiting = this.#staged;
    else this.#waiting.push(...this.#staged);
    this.#staged = [];
    this.#isSettled = false;
  }

  rolledBack(): void {
    this.#staged = [];
    this.#length = this.#waiting.reduce((sum, { drafts }) => sum + lengthOf(drafts), 0);
    this.#isSettled = false;
  }
}

/**
 * Does for one claim what a crash left to do. Part of the caller's transaction.
 *
 * @param settledSeq the last journal entry that the job's own row knows of
 * @throws CorruptRecordError when a row since then is damaged or missing
 */
export function settleFromRows(parts: TailParts, run: RunRef, settledSeq: number): void {
  const { journalSeq } = parts.jobs.position(run);
  if (journalSeq <= settledSeq) return;
  for (const row of parts.journal.read(run, settledSeq + 1, journalSeq)) {
    const drafts = row.drafts === null ? [] : decodeDrafts(row.drafts);
    const iteration = JSON.stringify(iterationOf(row));
    const entry = { kind: row.kind, nodeId: row.nodeId, payload: '', secrets: null, iteration };
    settleStep(parts, {
      run,
      entries: [entry],
      firstSeq: row.seq,
      drafts,
      firstOutboxSeq: row.outboxSeq - drafts.length + 1,
      nowMs: row.recordedAtMs,
    });
  }
  parts.jobs.settle(parts.jobs.position(run));
}

function lengthOf(drafts: readonly EncodedDraft[]): number {
  return drafts.reduce((sum, { payload }) => sum + payload.length, 0);
}

export function encodeDrafts(drafts: readonly EncodedDraft[]): string | null {
  if (drafts.length === 0) return null;
  return JSON.stringify(drafts.map(({ kind, payload, keep }) => [kind, payload, keep]));
}

function decodeDrafts(text: string): EncodedDraft[] {
  const drafts = JSON.parse(text) as readonly (readonly [string, string, boolean])[];
  return drafts.map(([kind, payload, keep]) => ({ kind, payload, keep }));
}

function settleStep({ executed, outbox }: TailParts, step: Step): void {
  const { run, entries, firstSeq, drafts, firstOutboxSeq, nowMs } = step;
  for (const [index, { kind, nodeId, iteration }] of entries.entries()) {
    if (nodeId !== null && isExecution(kind)) executed.add(run, nodeId, firstSeq + index, iteration);
  }
  for (const [index, draft] of drafts.entries()) outbox.insert(run, firstOutboxSeq + index, draft, nowMs);
}
