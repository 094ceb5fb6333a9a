/** One line of the audit log. */
import type { JsonObject } from '../redaction/plain-json.ts';
import type { AuditEventType, AuditOutcome, AuditSeverity } from './audit-event.ts';
import { parseObject } from './signed-records.ts';

export interface AuditEntry {
  /** Version of this shape; 1 is from before the chain. */
  readonly v: 1 | 2;
  /** Counts the entries of a folder from 1, across files and restarts, without a gap. */
  readonly seq: number;
  /** `hash` of the entry before; null before the chain. */
  readonly prev: string | null;
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
  /** 32 hex digits as in W3C Trace Context; what belongs to one run of a job has the same. */
  readonly trace_id: string | null;
  readonly details: JsonObject;
  /** SHA-256 of the line up to this field; null before the chain. */
  readonly hash: string | null;
}

/** What the chain adds to an entry: `v`, `seq`, `prev` and `hash`. */
export type EntryBody = Omit<AuditEntry, 'v' | 'seq' | 'prev' | 'hash'>;

/** Longest line that is written, in bytes; details that would exceed it are left out. */
export const longestEntryBytes = 65_536;
/** Room for the fields of the chain. */
const chainBytes = 256;

export function bodyText(body: EntryBody): string {
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes <= longestEntryBytes - chainBytes) return text;
  return JSON.stringify({ ...body, details: { too_long_bytes: bytes } });
}

/** Null when the text is no entry. */
export function parseAuditEntry(text: string): AuditEntry | null {
  const value = parseObject(text);
  if (value === null || !isAuditEntry(value)) return null;
  return value.v === 2 ? value : { ...value, prev: null, trace_id: null, hash: null };
}

function isAuditEntry(value: object): value is AuditEntry {
  const entry = value as Partial<Record<keyof AuditEntry, unknown>>;
  return (
    (entry.v === 1 || entry.v === 2) &&
    Number.isSafeInteger(entry.seq) &&
    [entry.at, entry.type, entry.severity, entry.message, entry.robot_id].every((text) => typeof text === 'string')
  );
}
