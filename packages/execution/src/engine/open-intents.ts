/**
 * The nodes of a run that have begun and not ended, as its journal has them: what may have acted when the run is cut off.
 * Several may be under way at once, each in a lane of its own.
 */
import { type CutOff, cutOffOf } from './cut-off.ts';
import type { IntentEntry, JournalEntry, SnapshotEntry } from './journal.ts';
import { restoreSnapshot } from './snapshot.ts';

export class OpenIntents {
  readonly #open = new Map<number, IntentEntry>();
  /** Those that wait for an answer. */
  readonly #asked = new Map<number, IntentEntry>();

  /** Oldest first; without those that wait for an answer. */
  get all(): readonly IntentEntry[] {
    return [...this.#open.values()];
  }

  /** Effects that may have happened if nothing more is done about the run, by step: those that are asked about, too. */
  get mayHaveHappened(): readonly CutOff[] {
    const effects = [...this.#open.values(), ...this.#asked.values()].filter(({ effect }) => effect === 'effect');
    return effects.map(cutOffOf).toSorted((a, b) => a.step - b.step);
  }

  /** Begins with a journal as it was loaded. */
  load(entries: readonly JournalEntry[]): void {
    this.#open.clear();
    this.#asked.clear();
    const snapshot = entries.findLast((entry) => entry.kind === 'snapshot');
    if (snapshot !== undefined) this.#restore(snapshot);
    this.follow(entries);
  }

  follow(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'intent':
        this.#forget(entry.step);
        this.#open.set(entry.step, entry);
        break;
      case 'in_doubt': {
        const intent = this.#open.get(entry.step);
        if (entry.node_id === null || intent === undefined) break;
        this.#open.delete(entry.step);
        this.#asked.set(entry.step, intent);
        break;
      }
      case 'result':
      case 'failure':
      case 'retry':
      case 'interrupted':
        this.#forget(entry.step);
        break;
      case 'lane_dropped':
        for (const { step, lane = '' } of [...this.#open.values(), ...this.#asked.values()]) {
          if (lane.startsWith(entry.lane ?? '')) this.#forget(step);
        }
        break;
      case 'stop':
        if (entry.step !== null) this.#forget(entry.step);
        break;
    }
  }

  #forget(step: number): void {
    this.#open.delete(step);
    this.#asked.delete(step);
  }

  /** The nodes that were under way when a snapshot was taken. */
  #restore({ state }: SnapshotEntry): void {
    const lanes = [...restoreSnapshot(state).lanes.values()].flatMap(({ intent, doubt }) =>
      intent === null ? [] : [{ intent, isAsked: doubt !== null }],
    );
    for (const { intent, isAsked } of lanes.toSorted((a, b) => a.intent.step - b.intent.step))
      (isAsked ? this.#asked : this.#open).set(intent.step, intent);
  }
}
