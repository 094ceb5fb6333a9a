/**
 * The run's state and its journal, kept in step. An entry changes the state at once and becomes durable with
 * the next `flush`, in one commit with its neighbours: a result and the next intent belong together (I3).
 */
import type { Logger, RunJournal } from '../ports.ts';
import type { FlowPlan } from './flow-plan.ts';
import { applyEntry } from './fold.ts';
import type { JournalEntry } from './journal.ts';
import type { RunState } from './run-state.ts';
import { takeSnapshot } from './snapshot.ts';

/** The journal refused a commit: nothing may happen any more in this session. */
export class JournalFault extends Error {
  constructor(cause: unknown) {
    super(`the journal could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'JournalFault';
  }
}

/** A snapshot may cost this many bytes per entry since the last one (I10). */
const SNAPSHOT_BYTES_PER_ENTRY = 200;

export class RunRecord {
  readonly state: RunState;
  readonly #plan: FlowPlan;
  readonly #journal: RunJournal;
  readonly #logger: Logger;
  #waiting: JournalEntry[] = [];
  #afterwards: (() => void)[] = [];
  #entriesSinceSnapshot: number;
  #lastSnapshotBytes = 0;

  constructor(plan: FlowPlan, state: RunState, journal: RunJournal, recorded: readonly JournalEntry[], logger: Logger) {
    this.state = state;
    this.#plan = plan;
    this.#journal = journal;
    this.#logger = logger;
    this.#entriesSinceSnapshot = recorded.length - 1 - recorded.findLastIndex((entry) => entry.kind === 'snapshot');
  }

  /** @param afterwards called once the entry is durable */
  add(entry: JournalEntry, afterwards?: () => void): void {
    if (entry.kind === 'intent') this.#snapshotIfDue(entry.at);
    applyEntry(this.#plan, this.state, entry);
    this.#waiting.push(entry);
    this.#entriesSinceSnapshot += 1;
    if (afterwards !== undefined) this.#afterwards.push(afterwards);
  }

  /** @throws JournalFault when the journal does not take the entries */
  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const entries = this.#waiting;
    const afterwards = this.#afterwards;
    this.#waiting = [];
    this.#afterwards = [];
    try {
      await this.#journal.commit(entries);
    } catch (error) {
      this.#logger.log('error', `The run stops: its journal refused ${entries.length} entries. ${String(error)}`);
      throw new JournalFault(error);
    }
    for (const notify of afterwards) notify();
  }

  #snapshotIfDue(at: number): void {
    const every = this.#journal.snapshotEveryEntries;
    if (every === undefined || this.state.intent !== null) return;
    if (this.#entriesSinceSnapshot < Math.max(every, this.#lastSnapshotBytes / SNAPSHOT_BYTES_PER_ENTRY)) return;
    const { state, sizeBytes } = takeSnapshot(this.state);
    this.#waiting.push({ kind: 'snapshot', state, at });
    this.#entriesSinceSnapshot = 0;
    this.#lastSnapshotBytes = sizeBytes;
  }
}
