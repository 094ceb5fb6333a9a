/** One line of the audit log. */
import type { JsonObject } from '../redaction/plain-json.ts';
import type { AuditEventType, AuditOutcome, AuditSeverity } from './audit-event.ts';

export interface AuditEntry {
  /** Version of this shape. */
  readonly v: 1;
  /** Counts the entries of a folder from 1, across files and restarts, without a gap. */
  readonly seq: number;
  /** Wall-clock time, ISO 8601 in UTC. */
  readonly at: string;
  /** Monotonic ms: orders and measures within one `boot_id`, whatever is done to the wall clock. */
  readonly mono_ms: number;
  readonly boot_id: string;
  readonly robot_id: string;
  readonly type: AuditEventType;
  readonly severity: AuditSeverity;
  readonly message: string;
  readonly job_id: string | null;
  readonly node_id: string | null;
  /** Who caused it: `robot`, or a person or service by name. */
  readonly actor: string;
  readonly outcome: AuditOutcome;
  readonly details: JsonObject;
}

/** Longest line that is written, in bytes; details that would exceed it are left out. */
export const longestEntryBytes = 65_536;

/** Null when the text is no entry. */
export function parseAuditEntry(text: string): AuditEntry | null {
  try {
    const value: unknown = JSON.parse(text);
    return isAuditEntry(value) ? value : null;
  } catch {
    return null;
  }
}

function isAuditEntry(value: unknown): value is AuditEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Partial<Record<keyof AuditEntry, unknown>>;
  return (
    entry.v === 1 &&
    Number.isSafeInteger(entry.seq) &&
    [entry.at, entry.type, entry.severity, entry.message, entry.robot_id].every((text) => typeof text === 'string')
  );
}
