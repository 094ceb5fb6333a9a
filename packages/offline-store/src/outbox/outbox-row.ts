/** Between the rows of outbox and dead letters and what their users see: checksums are made and verified here. */
import { rowChecksum } from '../database/checksum.ts';
import type { JsonValue } from '../json.ts';
import type { DeadLetter, Disposition, OutboxEntry, OutboxHead } from './outbox.ts';

/** An entry with the claim it belongs to; that is null when the claim's record is gone. */
export interface OutboxRow {
  readonly id: number;
  readonly run_id: number;
  readonly job_id: string | null;
  readonly lease_token: string | null;
  readonly seq: number;
  readonly kind: string;
  readonly payload: string;
  readonly recorded_at_ms: number;
  readonly keep: number;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly crc: number;
}

export interface DeadLetterRow {
  readonly id: number;
  readonly job_id: string;
  readonly lease_token: string;
  readonly seq: number;
  readonly kind: string;
  readonly payload: string;
  readonly recorded_at_ms: number;
  readonly keep: number;
  readonly attempts: number;
  readonly disposition: Disposition;
  readonly reason: string;
  readonly dead_at_ms: number;
  readonly crc: number;
}

export function outboxChecksum(row: Omit<OutboxRow, 'id' | 'run_id' | 'crc'>): number {
  return rowChecksum([
    row.job_id,
    row.lease_token,
    row.seq,
    row.kind,
    row.payload,
    row.recorded_at_ms,
    row.keep,
    row.attempts,
    row.last_error,
  ]);
}

export function deadLetterChecksum(row: Omit<DeadLetterRow, 'id' | 'crc'>): number {
  return rowChecksum([
    row.job_id,
    row.lease_token,
    row.seq,
    row.kind,
    row.payload,
    row.recorded_at_ms,
    row.keep,
    row.attempts,
    row.disposition,
    row.reason,
    row.dead_at_ms,
  ]);
}

export function isIntact(row: OutboxRow): boolean {
  return row.job_id !== null && outboxChecksum(row) === row.crc;
}

type ClaimedRow = Omit<DeadLetterRow, 'crc' | 'disposition' | 'reason' | 'dead_at_ms'>;

export function toHead(row: ClaimedRow): OutboxHead {
  return {
    id: row.id,
    jobId: row.job_id,
    leaseToken: row.lease_token === '' ? null : row.lease_token,
    seq: row.seq,
    kind: row.kind,
    recordedAtMs: row.recorded_at_ms,
    attempts: row.attempts,
  };
}

export function toEntry(row: ClaimedRow): OutboxEntry {
  return { ...toHead(row), payload: JSON.parse(row.payload) as JsonValue };
}

/** What was damaged when it was set aside, or since, is handed out without its payload. */
export function toDeadLetter(row: DeadLetterRow): DeadLetter {
  const damaged = row.disposition === 'damaged' || deadLetterChecksum(row) !== row.crc;
  const entry = toEntry(damaged ? { ...row, payload: 'null' } : row);
  const { disposition, reason, dead_at_ms: deadAtMs } = row;
  return { ...entry, disposition: damaged ? 'damaged' : disposition, reason, deadAtMs };
}
