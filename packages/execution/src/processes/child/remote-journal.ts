/**
 * A run's journal at the other end of the channel. The entries that end the run are held back: they are handed over
 * with the end of the run, and become durable when nothing of it can act any more. A snapshot that no message can hold is
 * left out: the run can do without.
 *
 * The answer to a commit says by when its nodes must have begun. Both processes may have been stopped since it was given,
 * so this is looked at again right before each node (I2).
 */
import type { JournalEntry } from '../../engine/journal.ts';
import type { RunJournal } from '../../ports.ts';
import { FrameTooLargeError } from '../channel.ts';
import type { Questions } from './questions.ts';

export interface RemoteJournalOptions {
  readonly questions: Pick<Questions, 'load' | 'commit'>;
  /** The machine's clock since boot, in ms. */
  readonly sinceBootMs: () => number;
  /** Null: no snapshots. */
  readonly snapshotEveryEntries: number | null;
  readonly onTooLarge: (bytes: number) => void;
  /** From now on, what is durable depends on the supervisor. */
  readonly onHeld: () => void;
}

export class RemoteJournal implements RunJournal {
  readonly snapshotEveryEntries?: number;
  readonly #options: RemoteJournalOptions;
  #held: readonly JournalEntry[] = [];
  /** By the newest answer; null: no matter when. */
  #beginBy: number | null = null;

  constructor(options: RemoteJournalOptions) {
    this.#options = options;
    if (options.snapshotEveryEntries !== null) this.snapshotEveryEntries = options.snapshotEveryEntries;
  }

  get held(): readonly JournalEntry[] {
    return this.#held;
  }

  load(): Promise<readonly JournalEntry[]> {
    return this.#options.questions.load();
  }

  beforeNode(): void {
    if (this.#beginBy === null || this.#options.sinceBootMs() < this.#beginBy) return;
    throw new Error('the time in which the supervisor had allowed it is over');
  }

  async commit(entries: readonly JournalEntry[]): Promise<void> {
    if (entries.at(-1)?.kind === 'outcome') {
      this.#held = entries;
      this.#options.onHeld();
      return;
    }
    try {
      this.#beginBy = await this.#options.questions.commit(entries);
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error;
      const needed = entries.filter(({ kind }) => kind !== 'snapshot');
      if (needed.length < entries.length) return this.commit(needed);
      this.#options.onTooLarge(error.bytes);
      throw error;
    }
  }
}
