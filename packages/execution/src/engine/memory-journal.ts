/** A journal in memory: for embedding and tests, where nothing needs to survive the process. */
import type { RunJournal } from '../ports.ts';
import type { JournalEntry } from './journal.ts';

/** Entries between two snapshots: what bounds the journal's length. */
const SNAPSHOT_EVERY_ENTRIES = 1_000;

/**
 * @param recorded what an earlier run recorded, to resume it
 * @example
 * const journal = memoryJournal();
 * await journal.commit([{ kind: 'began', workflow_hash: 'h', variables: {}, at: 0 }]);
 * (await journal.load()).length; // 1
 */
export function memoryJournal(recorded: readonly JournalEntry[] = []): RunJournal {
  let entries: JournalEntry[] = [...recorded];
  return {
    snapshotEveryEntries: SNAPSHOT_EVERY_ENTRIES,
    load: async () => [...entries],
    commit: async (added) => {
      const newest = added.findLastIndex((entry) => entry.kind === 'snapshot');
      if (newest >= 0) entries = added.slice(newest);
      else entries.push(...added);
    },
  };
}
