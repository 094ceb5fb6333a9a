/** A robot's durable store as its users see it. */
import type { Outbox, OutboxLimits } from './outbox/outbox.ts';
import type { Clock, Logger } from './ports.ts';

/**
 * `full`: a commit that was acknowledged survives power loss, as far as the disk keeps its word.
 * `normal`: it survives the death of the process, but the last commits before a power loss or a crash of
 * the operating system may be missing. Several times faster on one writer.
 */
export type Synchronous = 'full' | 'normal';

export interface StoreOptions {
  /** The store's file; folders that are missing are made, for their owner only. */
  readonly path: string;
  readonly robotId: string;
  /** Default `full`; `normal` gives up the last commits before a power loss. */
  readonly synchronous?: Synchronous;
  /** The file grows no further than this; null for no limit. Default 1 GiB. */
  readonly maxBytes?: number | null;
  /** How long a statement may block for another connection's lock, in ms; at most 250. Default 250. */
  readonly busyTimeoutMs?: number;
  readonly outbox?: Partial<OutboxLimits>;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface StoreStats {
  readonly synchronous: Synchronous;
  /** Size of the main file, without its write-ahead log. */
  readonly bytes: number;
  readonly maxBytes: number | null;
  /** Writes acknowledged since the store was opened, and the transactions that carried them. */
  readonly commits: number;
  readonly transactions: number;
}

export interface CleanupOptions {
  /** Keep claims that have ended and were synced, or were released, for so many ms. Default 7 days. */
  readonly endedForMs?: number;
  /** Keep ended claims that were never synced for so many ms; null keeps them for ever. Default null. */
  readonly unsyncedForMs?: number | null;
  /** Keep dead letters for so many ms. Default 30 days. */
  readonly deadLettersForMs?: number;
}

export interface CleanupReport {
  readonly jobs: number;
  readonly journalEntries: number;
  readonly deadLetters: number;
}

export interface Store extends AsyncDisposable {
  readonly path: string;
  readonly robotId: string;
  readonly outbox: Outbox;
  readonly isOpen: boolean;
  stats(): Promise<StoreStats>;
  /** Removes what retention allows; see `CleanupOptions`. */
  cleanup(options?: CleanupOptions): Promise<CleanupReport>;
  /** Finishes the writes under way, closes the file and gives up ownership. Idempotent. */
  close(): Promise<void>;
}
