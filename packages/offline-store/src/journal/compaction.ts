/**
 * Bounds what a long job keeps (I7, I10): entries older than the newest whole state go, a batch of commits at a time, once
 * there are more than `keepEntries` of them; and with each new whole state those that are more than `keepBytes`. A job
 * without a whole state keeps everything.
 */
import type { Counters } from '../database/counters.ts';
import type { RunPosition } from '../jobs/job-rows.ts';
import type { OutboxIntake } from '../outbox/outbox-intake.ts';
import type { JournalTable } from './journal-table.ts';

export interface CompactionParts {
  readonly journal: JournalTable;
  readonly intake: OutboxIntake;
  readonly counters: Counters;
  /** Journal entries that a claim keeps besides those that are needed to resume it. */
  readonly keepEntries: number;
  /** The same in bytes. */
  readonly keepBytes: number;
}

/** Entries that are removed at once: a commit now and then pays for so many. */
const batch = 256;
/** The last execution before a snapshot is looked for in so many commits. */
const lookBack = 1_000;

/** The position after a batch was removed, or the same one. Part of the caller's transaction. */
export function compact(parts: CompactionParts, position: RunPosition): RunPosition {
  const { journal, keepEntries } = parts;
  const { runId, firstSeq, journalSeq, snapshotSeq, checkpointSeq } = position;
  const atLeast = firstSeq + batch - 1;
  if (journalSeq - keepEntries <= atLeast || Math.max(snapshotSeq, checkpointSeq) <= atLeast) return position;
  const last = journal.endOfCommit(runId, atLeast);
  if (last === null || journalSeq - keepEntries <= last) return position;
  return last < boundOf(parts, position, last) ? removeTo(parts, position, last) : position;
}

/** The same by size, for when a whole state has been written: looks at each commit of the job. Part of the caller's transaction. */
export function compactBySize(parts: CompactionParts, position: RunPosition): RunPosition {
  const bound = boundOf(parts, position, Math.max(position.snapshotSeq, position.checkpointSeq) - 1);
  const last = parts.journal.endBeyond(position.runId, bound, parts.keepBytes);
  return last === null ? position : removeTo(parts, position, last);
}

/** What a resume needs begins here, as long as nothing but entries up to `last` is removed. */
function boundOf({ journal }: CompactionParts, position: RunPosition, last: number): number {
  const { runId, firstSeq, snapshotSeq, checkpointSeq } = position;
  const whole = snapshotSeq === 0 || checkpointSeq === 0 ? snapshotSeq : Math.min(snapshotSeq, checkpointSeq);
  return whole > 0 || journal.hasEngineRows(runId, firstSeq, last) ? whole : checkpointSeq;
}

/** `last`, or what comes before the entry that says which node ended last before the newest snapshot, which does not. */
function sparingLastExecution({ journal }: CompactionParts, position: RunPosition, last: number): number {
  const { runId, snapshotSeq, checkpointSeq } = position;
  if (snapshotSeq <= checkpointSeq) return last;
  const execution = journal.lastExecution(runId, snapshotSeq, lookBack);
  return execution === null ? last : Math.min(last, execution - 1);
}

function removeTo(parts: CompactionParts, position: RunPosition, bound: number): RunPosition {
  const last = sparingLastExecution(parts, position, bound);
  if (last < position.firstSeq) return position;
  parts.counters.add('journal_compacted', parts.intake.removeTo(position.runId, last));
  return { ...position, firstSeq: last + 1 };
}
