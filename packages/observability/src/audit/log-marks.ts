/**
 * Whether the log goes on only where its writer went on. Behind the mark by which it closed the log in order, the next
 * entry follows a mark by which it was opened again; that one names the former by its signature, so that no older one
 * can be put in its place. Entries that no checkpoint covered when the writer came back are named by an entry of its
 * own, directly behind the checkpoint that then took them in.
 */
import { parseAuditEntry } from './audit-entry.ts';
import { AuditEventType } from './audit-event.ts';
import type { ClosedMark, OpenedMark } from './signed-records.ts';

/** Entries that were in the log unsigned when a writer took it up: after a crash its own, or somebody's. */
export interface AdoptedEntries {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** The entry that says so. */
  readonly seq: number;
  /** They stood behind the mark by which the log had been closed in order: they are not the robot's. */
  readonly isAfterClose: boolean;
}

export class LogMarks {
  /** Behind it, nothing but an opened mark may stand. */
  closed: ClosedMark | null = null;

  close(mark: ClosedMark): void {
    this.closed = mark;
  }

  /**
   * @param isKnown whether what stands before was followed
   * @returns what is wrong; null: nothing
   */
  open({ after }: OpenedMark, isKnown: boolean): string | null {
    const { closed } = this;
    this.closed = null;
    if (closed === null && !isKnown) return null;
    if (after === (closed?.signature ?? null)) return null;
    return closed === null
      ? 'the mark by which the log had been closed before it was opened here was taken out'
      : 'this mark, by which the log was opened, belongs elsewhere';
  }

  /** An entry; what is wrong, or null. */
  entry(seq: number): string | null {
    const { closed } = this;
    this.closed = null;
    if (closed === null) return null;
    return (
      `entry ${seq} stands behind the mark by which the robot closed the log after entry ${closed.seq} at ${closed.at}, ` +
      'and no mark says that it was opened again: the robot did not write it'
    );
  }
}

const adoptedType = Buffer.from(`"type":"${AuditEventType.AUDIT_ENTRIES_ADOPTED}"`);

/** Null when the line tells of none. */
export function adoptedIn(bytes: Buffer, start: number, end: number): AdoptedEntries | null {
  const line = bytes.subarray(start, end);
  if (!line.includes(adoptedType)) return null;
  const entry = parseAuditEntry(line.toString('utf8'));
  if (entry?.type !== AuditEventType.AUDIT_ENTRIES_ADOPTED) return null;
  const { from_seq: from, to_seq: to, after_close: after } = entry.details;
  return { fromSeq: Number(from), toSeq: Number(to), seq: entry.seq, isAfterClose: after === true };
}
