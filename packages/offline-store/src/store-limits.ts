/** The numbers that a store is opened with: their defaults, and what callers without a type checker may get wrong. */
import { StoreError } from './errors.ts';
import type { OutboxLimits } from './outbox/outbox.ts';
import { shown } from './queue-arguments.ts';
import type { StoreOptions } from './store.ts';

export interface StoreLimits {
  readonly maxBytes: number | null;
  readonly reserveBytes: number;
  readonly keepJournalEntries: number;
  readonly keepJournalBytes: number;
  readonly busyTimeoutMs: number;
  readonly idleCheckpointMs: number;
  readonly outbox: OutboxLimits;
}

const kib = 1024;
const mib = 1024 * kib;
/** An empty store takes about half of it. */
const leastBytes = 256 * kib;
const maxBusyTimeoutMs = 250;

/** @throws StoreError `INVALID_ARGUMENT` naming the option */
export function storeLimits(options: StoreOptions): StoreLimits {
  const { maxBytes = 1024 * mib } = options;
  if (maxBytes !== null) whole('maxBytes', maxBytes, leastBytes);
  const reserveBytes = options.reserveBytes ?? Math.min(32 * mib, Math.floor((maxBytes ?? 0) / 8));
  const keepJournalBytes = options.keepJournalBytes ?? Math.min(16 * mib, Math.floor((maxBytes ?? Infinity) / 16));
  return {
    maxBytes,
    reserveBytes: whole('reserveBytes', reserveBytes, 0, maxBytes === null ? undefined : Math.floor(maxBytes / 2)),
    keepJournalEntries: whole('keepJournalEntries', options.keepJournalEntries ?? 10_000, 0),
    keepJournalBytes: whole('keepJournalBytes', keepJournalBytes, 0),
    busyTimeoutMs: whole('busyTimeoutMs', options.busyTimeoutMs ?? maxBusyTimeoutMs, 0, maxBusyTimeoutMs),
    idleCheckpointMs: whole('idleCheckpointMs', options.idleCheckpointMs ?? 5_000, 1),
    outbox: {
      maxEntries: whole('outbox.maxEntries', options.outbox?.maxEntries ?? 100_000, 1),
      maxPermanentFailures: whole('outbox.maxPermanentFailures', options.outbox?.maxPermanentFailures ?? 5, 1),
    },
  };
}

function whole(name: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new StoreError('INVALID_ARGUMENT', `${name} is a whole number ${range}, not ${shown(value)}.`);
}
