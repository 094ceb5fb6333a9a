/**
 * The run's state and its journal, kept in step. An entry changes the state at once and becomes durable with
 * the next `flush`, in one commit with its neighbours: a result and the next intent belong together (I3).
 */
import type { RunError } from '../errors.ts';
import type { Logger, RunJournal } from '../ports.ts';
import type { FlowPlan } from './flow-plan.ts';
import { applyEntry } from './fold.ts';
import type { JournalEntry } from './journal.ts';
import { roughSize } from './rough-size.ts';
import { type RunState, rootLane } from './run-state.ts';
import { markedEntry } from './secrecy/entry-marks.ts';
import type { RunSecrets } from './secrecy/run-secrets.ts';
import { takeSnapshot } from './snapshot.ts';
import type { LiveValues } from './unstorable/live-values.ts';

/** The journal refused a commit, or the begin of a node: nothing may happen any more in this session. */
export class JournalFault extends Error {
  constructor(cause: unknown, what = 'the journal could not be written') {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'JournalFault';
  }
}

/** A snapshot may cost this many bytes per entry since the last one (I10). */
const SNAPSHOT_BYTES_PER_ENTRY = 200;
/** Large entries make it due earlier: as if each that is due by number had this size, in characters (I7). */
const USUAL_ENTRY_SIZE = 10_000;
/** So much larger than the last snapshot are the entries since then by which one is due (I10). */
const SIZE_PER_SNAPSHOT = 2;

export interface RunRecordOptions {
  readonly plan: FlowPlan;
  /** What `recorded` yields. */
  readonly state: RunState;
  readonly journal: RunJournal;
  readonly recorded: readonly JournalEntry[];
  readonly logger: Logger;
  /** Marks what of an entry is secret. */
  readonly secrets: RunSecrets;
  /** Lets go what the state names no more. */
  readonly live: LiveValues;
  /** Called once the entry is durable by which the run goes on in spite of an error that no catch took. */
  readonly onErrorPassedOver: (error: RunError) => void;
  /** Called when an entry tells lanes to stop. */
  readonly onStop: () => void;
}

export class RunRecord {
  readonly state: RunState;
  readonly #plan: FlowPlan;
  readonly #journal: RunJournal;
  readonly #logger: Logger;
  readonly #secrets: RunSecrets;
  readonly #live: LiveValues;
  readonly #onErrorPassedOver: (error: RunError) => void;
  #waiting: JournalEntry[] = [];
  #afterwards: (() => void)[] = [];
  #entriesSinceSnapshot: number;
  /** Of those entries, in characters. */
  #sizeSinceSnapshot = 0;
  #lastSnapshotBytes = 0;
  #takenStep = 0;
  readonly #onStop: () => void;
  #committing: Promise<void> | null = null;
  /** How many entries there have been, and how many of them are durable. */
  #added = 0;
  #durable = 0;
  #fault: JournalFault | null = null;

  constructor(options: RunRecordOptions) {
    const { plan, state, journal, recorded, logger, secrets, live, onErrorPassedOver, onStop } = options;
    this.state = state;
    this.#plan = plan;
    this.#journal = journal;
    this.#logger = logger;
    this.#secrets = secrets;
    this.#live = live;
    this.#onErrorPassedOver = onErrorPassedOver;
    this.#onStop = onStop;
    const snapshotAt = recorded.findLastIndex((entry) => entry.kind === 'snapshot');
    this.#entriesSinceSnapshot = recorded.length - 1 - snapshotAt;
    for (const entry of recorded.slice(snapshotAt + 1)) this.#sizeSinceSnapshot += roughSize(entry);
  }

  /** The number of a step that is about to begin: no other step of this session gets it. */
  takeStep(): number {
    this.#takenStep = Math.max(this.#takenStep, this.state.step) + 1;
    return this.#takenStep;
  }

  /** @param afterwards called once the entry is durable */
  add(entry: JournalEntry, afterwards?: () => void): void {
    if (entry.kind === 'intent') this.#snapshotIfDue(entry.at);
    const errorsBefore = errorCount(this.state);
    const stopsBefore = this.state.stops;
    applyEntry(this.#plan, this.state, entry);
    this.#write(entry);
    this.#added += 1;
    this.#entriesSinceSnapshot += 1;
    this.#sizeSinceSnapshot += roughSize(entry);
    if (afterwards !== undefined) this.#afterwards.push(afterwards);
    if (entry.kind !== 'stop' && rootLane(this.state).end.kind === 'running') this.#notePassedOver(errorsBefore);
    if (this.state.stops !== stopsBefore) this.#onStop();
  }

  /**
   * Resolves when everything added so far is durable. One commit is under way at a time: what several lanes add
   * meanwhile shares the next one.
   *
   * @throws JournalFault when the journal does not take the entries, now or before
   */
  async flush(): Promise<void> {
    const added = this.#added;
    while (this.#fault === null && this.#durable < added) {
      this.#committing ??= this.#commit();
      await this.#committing;
    }
    if (this.#fault !== null) throw this.#fault;
  }

  /**
   * The last look before a node's function is called (I2). Nothing lies between the two.
   *
   * @throws JournalFault when the node must not begin
   */
  beforeNode(): void {
    try {
      this.#journal.beforeNode?.();
    } catch (refusal) {
      throw new JournalFault(refusal, 'a node was not begun');
    }
  }

  /** Never rejects: what the journal refuses is a fault from then on. */
  async #commit(): Promise<void> {
    const entries = this.#waiting;
    const afterwards = this.#afterwards;
    const added = this.#added;
    this.#waiting = [];
    this.#afterwards = [];
    try {
      await this.#journal.commit(entries);
      this.#durable = added;
    } catch (error) {
      this.#logger.log('error', `The run stops: its journal refused ${entries.length} entries. ${String(error)}`);
      this.#fault = new JournalFault(error);
      return;
    } finally {
      this.#committing = null;
    }
    for (const notify of afterwards) notify();
  }

  #notePassedOver(errorsBefore: number): void {
    const count = errorCount(this.state) - errorsBefore;
    if (count === 0) return;
    for (const error of this.state.errors.slice(-count)) this.#afterwards.push(() => this.#onErrorPassedOver(error));
  }

  #write(entry: JournalEntry): void {
    this.#waiting.push(markedEntry(entry, this.#secrets));
    if (this.#secrets.isCrowded) this.#secrets.forgetUnless(takeSnapshot(this.state).state);
    if (this.#live.isCrowded) this.#live.forgetUnless(takeSnapshot(this.state).state);
  }

  #snapshotIfDue(at: number): void {
    const every = this.#journal.snapshotEveryEntries;
    if (every === undefined || !this.#isSnapshotDue(every)) return;
    const { state, sizeBytes } = takeSnapshot(this.state);
    this.#write({ kind: 'snapshot', state, at });
    this.#entriesSinceSnapshot = 0;
    this.#sizeSinceSnapshot = 0;
    this.#lastSnapshotBytes = sizeBytes;
  }

  #isSnapshotDue(every: number): boolean {
    const last = this.#lastSnapshotBytes;
    return (
      this.#entriesSinceSnapshot >= Math.max(every, last / SNAPSHOT_BYTES_PER_ENTRY) ||
      this.#sizeSinceSnapshot >= Math.max(every * USUAL_ENTRY_SIZE, last * SIZE_PER_SNAPSHOT)
    );
  }
}

/** All errors that no catch took, those that are kept no more included. */
function errorCount({ errors, errorsDropped }: RunState): number {
  return errors.length + errorsDropped;
}
