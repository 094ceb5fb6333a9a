/**
 * Passes a run's journal on, and keeps what has to be known about the run when its process dies.
 */
import type { CutOffs } from '../engine/cut-off.ts';
import type { IntentEntry, JournalEntry, StopEntry } from '../engine/journal.ts';
import { OpenIntents } from '../engine/open-intents.ts';
import { commitWhatFits } from '../engine/too-large.ts';
import type { Clock, RunJournal } from '../ports.ts';

export class JournalWatch {
  readonly #journal: RunJournal;
  readonly #clock: Clock;
  readonly #open = new OpenIntents();
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
    return this.#open.all;
  }

  /** Effects that may have happened if the run ended now. */
  get mayHaveHappened(): CutOffs {
    return this.#open.mayHaveHappened;
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
    this.#open.load(entries);
    this.#follow(entries);
    return entries;
  }

  /** @throws EntryTooLargeError; whatever else the journal rejects with */
  async commit(entries: readonly JournalEntry[]): Promise<void> {
    const committing = commitWhatFits(this.#journal, entries, (durable) => {
      this.#made += 1;
      this.#open.follow(durable);
      this.#follow(durable);
    });
    const settled = committing.catch(() => undefined);
    this.#commits.add(settled);
    try {
      await committing;
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
      if (entry.kind !== 'stop') continue;
      this.#stop = entry.stop;
      this.#stoppedAt ??= this.#clock.monotonic();
    }
  }
}
