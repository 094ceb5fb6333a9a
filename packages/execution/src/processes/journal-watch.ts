/**
 * Passes a run's journal on, and keeps what has to be known about the run when its process dies. Several nodes may be
 * under way at once, each in a lane of its own.
 */
import type { IntentEntry, JournalEntry, SnapshotEntry, StopEntry } from '../engine/journal.ts';
import { restoreSnapshot } from '../engine/snapshot.ts';
import type { Clock, RunJournal } from '../ports.ts';

export class JournalWatch {
  readonly #journal: RunJournal;
  readonly #clock: Clock;
  readonly #open = new Map<number, IntentEntry>();
  readonly #commits = new Set<Promise<unknown>>();
  #stop: StopEntry['stop'] | null = null;
  #stoppedAt: number | null = null;
  #made = 0;

  constructor(journal: RunJournal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  get snapshotEveryEntries(): number | null {
    return this.#journal.snapshotEveryEntries ?? null;
  }

  /** Nodes that have begun and not ended, oldest first. */
  get open(): readonly IntentEntry[] {
    return [...this.#open.values()];
  }

  /** When the run was told to stop, on the monotonic clock; null while it was not. */
  get stoppedAt(): number | null {
    return this.#stoppedAt;
  }

  get stop(): StopEntry['stop'] | null {
    return this.#stop;
  }

  /** Grows with each commit. */
  get commits(): number {
    return this.#made;
  }

  async load(): Promise<readonly JournalEntry[]> {
    const entries = await this.#journal.load();
    this.#open.clear();
    const snapshot = entries.findLast((entry) => entry.kind === 'snapshot');
    for (const intent of snapshot === undefined ? [] : intentsIn(snapshot)) this.#open.set(intent.step, intent);
    this.#follow(entries);
    return entries;
  }

  async commit(entries: readonly JournalEntry[]): Promise<void> {
    const committing = this.#journal.commit(entries);
    const settled = committing.catch(() => undefined);
    this.#commits.add(settled);
    try {
      await committing;
      this.#made += 1;
      this.#follow(entries);
    } finally {
      this.#commits.delete(settled);
    }
  }

  /** Resolves when no commit is under way. */
  async settled(): Promise<void> {
    while (this.#commits.size > 0) await Promise.all([...this.#commits]);
  }

  #follow(entries: readonly JournalEntry[]): void {
    for (const entry of entries) {
      switch (entry.kind) {
        case 'intent':
          this.#open.set(entry.step, entry);
          break;
        case 'result':
        case 'failure':
        case 'retry':
        case 'interrupted':
        case 'in_doubt': // it waits for an answer
          this.#open.delete(entry.step);
          break;
        case 'lane_dropped':
          for (const { step, lane = '' } of this.open) {
            if (lane.startsWith(entry.lane ?? '')) this.#open.delete(step);
          }
          break;
        case 'stop':
          if (entry.step !== null) this.#open.delete(entry.step);
          this.#stop = entry.stop;
          this.#stoppedAt ??= this.#clock.monotonic();
          break;
      }
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
