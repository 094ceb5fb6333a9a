/**
 * The nodes of a run that have begun and not ended, as its journal has them: what may have acted when the run is cut off,
 * beside what has ended in doubt before. Several may be under way at once, each in a lane of its own.
 */
import { requireObjects } from '../argument-error.ts';
import { type CutOff, type CutOffs, cutOffOf, cutOffsOf, MAX_CUT_OFF } from './cut-off.ts';
import type { DoubtDecision } from './doubt.ts';
import type { IntentEntry, JournalEntry, SnapshotEntry } from './journal.ts';
import { restoreSnapshot } from './snapshot.ts';
import { isOwnFailure } from './stop-entry.ts';

export class OpenIntents {
  readonly #open = new Map<number, IntentEntry>();
  /** Those that wait for an answer. */
  readonly #asked = new Map<number, IntentEntry>();
  /** Steps that end by an answer, or are run again by one. */
  readonly #answered = new Map<number, DoubtDecision>();
  /** Attempts that an operator had run again, by the step that has not ended since. */
  readonly #retried = new Map<number, readonly CutOff[]>();
  #cutOff: CutOff[] = [];
  #cutOffMore = 0;

  /** Oldest first; without those that wait for an answer. */
  get all(): readonly IntentEntry[] {
    return [...this.#open.values()];
  }

  /** Effects that may have happened if nothing more is done about the run: those that are asked about, too. */
  get mayHaveHappened(): CutOffs {
    const effects = [...this.#open.values(), ...this.#asked.values()].filter(({ effect }) => effect === 'effect');
    return cutOffsOf([...this.#cutOff, ...effects.flatMap((intent) => this.#attemptsOf(intent))], this.#cutOffMore);
  }

  /** Begins with a journal as it was loaded. */
  load(entries: readonly JournalEntry[]): void {
    requireObjects('entries', entries);
    this.#open.clear();
    this.#asked.clear();
    this.#answered.clear();
    this.#retried.clear();
    this.#cutOff = [];
    this.#cutOffMore = 0;
    const from = entries.findLastIndex((entry) => entry.kind === 'snapshot');
    const snapshot = entries[from];
    if (snapshot?.kind === 'snapshot') this.#restore(snapshot);
    this.follow(entries.slice(from + 1));
  }

  follow(entries: readonly JournalEntry[]): void {
    requireObjects('entries', entries);
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'intent':
        this.#runAgain(entry.step);
        this.#open.set(entry.step, entry);
        break;
      case 'in_doubt': {
        const intent = this.#open.get(entry.step);
        if (entry.node_id === null || intent === undefined) break;
        this.#open.delete(entry.step);
        this.#asked.set(entry.step, intent);
        break;
      }
      case 'answered':
        if (entry.node_id !== null) this.#answered.set(entry.step, entry.answer);
        break;
      case 'result':
        this.#end(entry.step, entry.skipped === true && !this.#answered.has(entry.step));
        break;
      case 'failure':
        this.#end(entry.step, entry.error.ambiguous === true && !this.#answered.has(entry.step));
        break;
      case 'retry':
        this.#forget(entry.step);
        break;
      case 'interrupted':
        this.#end(entry.step, true);
        break;
      case 'lane_dropped':
        for (const { step, lane = '' } of [...this.#open.values(), ...this.#asked.values()]) {
          if (lane.startsWith(entry.lane ?? '')) this.#end(step, true);
        }
        break;
      case 'stop':
        if (entry.step !== null) this.#end(entry.step, !isOwnFailure(entry));
        break;
    }
  }

  /** @param isInDoubt that nobody knows whether the effect happened, if it is one */
  #end(step: number, isInDoubt: boolean): void {
    const intent = this.#open.get(step) ?? this.#asked.get(step);
    for (const attempt of isInDoubt && intent?.effect === 'effect' ? this.#attemptsOf(intent) : []) {
      if (this.#cutOff.length < MAX_CUT_OFF) this.#cutOff.push(attempt);
      else this.#cutOffMore += 1;
    }
    this.#forget(step);
    this.#retried.delete(step);
  }

  #attemptsOf(intent: IntentEntry): readonly CutOff[] {
    return [...(this.#retried.get(intent.step) ?? []), cutOffOf(intent)];
  }

  #runAgain(step: number): void {
    const former = this.#open.get(step) ?? this.#asked.get(step);
    if (former?.effect === 'effect' && this.#answered.get(step) === 'retry')
      this.#retried.set(step, this.#attemptsOf(former));
    this.#forget(step);
  }

  #forget(step: number): void {
    this.#open.delete(step);
    this.#asked.delete(step);
    this.#answered.delete(step);
  }

  /** The nodes that were under way when a snapshot was taken. */
  #restore({ state: stored }: SnapshotEntry): void {
    const state = restoreSnapshot(stored);
    this.#cutOff = [...state.cutOff];
    this.#cutOffMore = state.cutOffMore;
    for (const { intent, answered, retried } of state.lanes.values()) {
      if (intent !== null && answered !== null) this.#answered.set(intent.step, answered.answer);
      for (const { step } of retried) this.#retried.set(step, retried);
    }
    const lanes = [...state.lanes.values()].flatMap(({ intent, doubt }) =>
      intent === null ? [] : [{ intent, isAsked: doubt !== null }],
    );
    for (const { intent, isAsked } of lanes.toSorted((a, b) => a.intent.step - b.intent.step))
      (isAsked ? this.#asked : this.#open).set(intent.step, intent);
  }
}
