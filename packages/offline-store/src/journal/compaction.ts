/**
 * Bounds what a long job keeps (I7, I10): entries older than the newest whole state go, a batch of commits at a time, once
 * there are more than `keepEntries` of them. A job without a whole state keeps everything.
 */
import type { Counters } from '../database/counters.ts';
import type { RunPosition } from '../jobs/job-rows.ts';
import type { JournalTable } from './journal-table.ts';

export interface CompactionParts {
  readonly journal: JournalTable;
  readonly counters: Counters;
  /** Journal entries that a claim keeps besides those that are needed to resume it. */
  readonly keepEntries: number;
}

/** Entries that are removed at once: a commit now and then pays for so many. */
const batch = 256;

/** The position after a batch was removed, or the same one. Part of the caller's transaction. */
export function compact({ journal, counters, keepEntries }: CompactionParts, position: RunPosition): RunPosition {
  const { runId, firstSeq, journalSeq, snapshotSeq, checkpointSeq } = position;
  const atLeast = firstSeq + batch - 1;
  if (journalSeq - keepEntries <= atLeast || Math.max(snapshotSeq, checkpointSeq) <= atLeast) return position;
  const last = journal.endOfCommit(runId, atLeast);
  if (last === null || journalSeq - keepEntries <= last) return position;
  const whole = snapshotSeq === 0 || checkpointSeq === 0 ? snapshotSeq : Math.min(snapshotSeq, checkpointSeq);
  const bound = whole > 0 || journal.hasEngineRows(runId, firstSeq, last) ? whole : checkpointSeq;
  if (last >= bound) return position;
  counters.add('journal_compacted', journal.removeTo(runId, last));
  return { ...position, firstSeq: last + 1 };
}
