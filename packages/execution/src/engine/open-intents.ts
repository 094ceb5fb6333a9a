/**
 * The nodes of a run that have begun and not ended, as its journal has them: what may have acted when the run is cut off.
 * Several may be under way at once, each in a lane of its own.
 */
import type { IntentEntry, JournalEntry, SnapshotEntry } from './journal.ts';
import { restoreSnapshot } from './snapshot.ts';

export class OpenIntents {
  readonly #open = new Map<number, IntentEntry>();

  /** Oldest first; without those that wait for an answer. */
  get all(): readonly IntentEntry[] {
    return [...this.#open.values()];
  }

  /** Begins with a journal as it was loaded. */
  load(entries: readonly JournalEntry[]): void {
    this.#open.clear();
    const snapshot = entries.findLast((entry) => entry.kind === 'snapshot');
    for (const intent of snapshot === undefined ? [] : intentsIn(snapshot)) this.#open.set(intent.step, intent);
    this.follow(entries);
  }

  follow(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#apply(entry);
  }

  #apply(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'intent':
        this.#open.set(entry.step, entry);
        break;
      case 'result':
      case 'failure':
      case 'retry':
      case 'interrupted':
      case 'in_doubt':
        this.#open.delete(entry.step);
        break;
      case 'lane_dropped':
        for (const { step, lane = '' } of this.all) {
          if (lane.startsWith(entry.lane ?? '')) this.#open.delete(step);
        }
        break;
      case 'stop':
        if (entry.step !== null) this.#open.delete(entry.step);
        break;
    }
  }
}

/** The nodes that were under way when a snapshot was taken. */
function intentsIn({ state }: SnapshotEntry): readonly IntentEntry[] {
  const intents = [...restoreSnapshot(state).lanes.values()].flatMap(({ intent, doubt }) =>
    intent === null || doubt !== null ? [] : [intent],
  );
  return intents.toSorted((a, b) => a.step - b.step);
}
