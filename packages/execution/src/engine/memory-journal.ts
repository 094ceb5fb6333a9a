/** A journal in memory: for embedding and tests, where nothing needs to survive the process. */
import { requireObjects } from '../argument-error.ts';
import type { RunJournal } from '../ports.ts';
import type { JournalEntry } from './journal.ts';

/** Entries between two snapshots: what bounds the journal's length. */
const SNAPSHOT_EVERY_ENTRIES = 1_000;

/**
 * @param recorded what an earlier run recorded, to resume it
 * @throws ArgumentError for entries that are no list of objects, as `commit` does
 * @example
 * const journal = memoryJournal();
 * await journal.commit([{ kind: 'began', workflow_hash: 'h', variables: {}, at: 0 }]);
 * (await journal.load()).length; // 1
 */
export function memoryJournal(recorded: readonly JournalEntry[] = []): RunJournal {
  requireObjects('recorded', recorded);
  let entries: JournalEntry[] = [...recorded];
  return {
    snapshotEveryEntries: SNAPSHOT_EVERY_ENTRIES,
    load: async () => [...entries],
    commit: async (added) => {
      requireObjects('entries', added);
      const newest = added.findLastIndex((entry) => entry.kind === 'snapshot');
      if (newest >= 0) entries = added.slice(newest);
      else entries.push(...added);
    },
  };
}
