/**
 * What steps have left to do. A step writes its journal row and nothing else (I10): how far the job has come lies in it.
 * Now and then, and before anything looks at them, the rows are put into the journal's index, the executed nodes noted,
 * and the jobs' own rows brought up to date: for many steps at once, which costs each a fraction. After a crash the same
 * is done from the rows (`settleFromRows`), so nothing depends on this memory.
 */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import type { JobTable } from '../jobs/job-table.ts';
import type { ExecutedTable } from './executed-table.ts';
import { isExecution, iterationOf, type NodeEnd } from './journal-entry.ts';
import type { JournalTable } from './journal-table.ts';

export interface TailParts {
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly executed: ExecutedTable;
}

/** A step of a claim, and where a node ended in it: without the entries' payloads, which would be held in memory. */
export interface Step {
  readonly run: RunRef;
  readonly firstSeq: number;
  readonly ends: readonly NodeEnd[];
}

/** Steps that may wait: what a crash leaves to do, and what a commit now and then does for those before it. */
const maxSteps = 256;

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
  /** Whether the present transaction has settled what was waiting before it. */
  #isSettled = false;

  constructor(parts: TailOptions) {
    this.#parts = parts;
  }

  /** Whether so many more steps can wait: one more than that settles what waits. */
  hasRoomFor(steps: number): boolean {
    return this.#staged.length + (this.#isSettled ? 0 : this.#waiting.length) + steps < maxSteps;
  }

  /** Part of the caller's transaction. */
  add(step: Step): void {
    const fits = this.hasRoomFor(1);
    this.#staged.push(step);
    if (!fits) this.settle();
  }

  /** Part of the caller's transaction. */
  settle(): void {
    const steps = this.#isSettled ? this.#staged : [...this.#waiting, ...this.#staged];
    this.#staged = [];
    this.#isSettled = true;
    if (steps.length === 0) return;
    const { jobs, journal, executed, compact } = this.#parts;
    const claims = byClaim(steps);
    for (const { run, steps: own } of claims) {
      for (const end of lastEnds(own)) executed.add(run, end.nodeId, end.seq, end.iteration);
    }
    journal.addToIndex();
    for (const { run } of claims) jobs.settle(compact(jobs.position(run)));
  }

  committed(): void {
    if (this.#isSettled) this.#waiting = this.#staged;
    else for (const step of this.#staged) this.#waiting.push(step);
    this.#staged = [];
    this.#isSettled = false;
  }

  rolledBack(): void {
    this.#staged = [];
    this.#isSettled = false;
  }
}

/**
 * Does for one claim what a crash left to do. Part of the caller's transaction.
 *
 * @param settledSeq the last journal entry that the job's own row knows of
 * @throws CorruptRecordError when a row since then is damaged or missing
 */
export function settleFromRows({ jobs, journal, executed }: TailParts, run: RunRef, settledSeq: number): void {
  const { journalSeq } = jobs.position(run);
  if (journalSeq <= settledSeq) return;
  const firstSeq = settledSeq + 1;
  const ends = journal.read(run, firstSeq, journalSeq).flatMap((row, index): NodeEnd[] => {
    if (row.nodeId === null || !isExecution(row.kind)) return [];
    return [{ index, nodeId: row.nodeId, iteration: JSON.stringify(iterationOf(row)) }];
  });
  for (const end of lastEnds([{ run, firstSeq, ends }])) executed.add(run, end.nodeId, end.seq, end.iteration);
  jobs.settle(jobs.position(run));
}

function byClaim(steps: readonly Step[]): { readonly run: RunRef; readonly steps: Step[] }[] {
  const claims = new Map<number, { readonly run: RunRef; readonly steps: Step[] }>();
  for (const step of steps) {
    const claim = claims.get(step.run.runId);
    if (claim === undefined) claims.set(step.run.runId, { run: step.run, steps: [step] });
    else claim.steps.push(step);
  }
  return [...claims.values()];
}

/** Of each node of a claim the first end, with the turn it ran in at last: a loop's turns are written once. */
function lastEnds(steps: readonly Step[]): Iterable<LastEnd> {
  const found = new Map<string, LastEnd>();
  for (const step of steps) {
    for (const { index, nodeId, iteration } of step.ends) {
      const known = found.get(nodeId);
      if (known?.iteration === iteration) continue;
      found.set(nodeId, { nodeId, iteration, seq: known?.seq ?? step.firstSeq + index });
    }
  }
  return found.values();
}

interface LastEnd {
  readonly nodeId: string;
  readonly seq: number;
  readonly iteration: string;
}
