/** A robot's durable store as its users see it. */
import type { Outbox, OutboxLimits } from './outbox/outbox.ts';
import type { Clock, Logger } from './ports.ts';
import type { Incident } from './rescue/incidents.ts';
import type { OpeningReport } from './rescue/open-rescued.ts';
import type { SecretKeys } from './secrets/secret-keys.ts';
import type { Pressure } from './writer/quota.ts';

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
  /**
   * True: open the store of another robot, too, in which that one has left something open, and make it this robot's. The jobs in
   * it keep the id of the robot that cached them (`JobRecord.robotId`). Default false: it is refused.
   */
  readonly adopt?: boolean;
  /** Default `full`; `normal` gives up the last commits before a power loss. */
  readonly synchronous?: Synchronous;
  /** The file grows no further than this; null for no limit. Default 1 GiB. */
  readonly maxBytes?: number | null;
  /** Part of `maxBytes` that only what ends a job may use. Default an eighth of it, at most 32 MiB. */
  readonly reserveBytes?: number;
  /** Entries of a job's journal that are kept besides those a resume needs. Default 10,000. */
  readonly keepJournalEntries?: number;
  /** The same in bytes, from one whole state of the job to the next. Default 16 MiB, at most a sixteenth of `maxBytes`. */
  readonly keepJournalBytes?: number;
  /** How long a statement may block for another connection's lock, in ms; at most 250. Default 250. */
  readonly busyTimeoutMs?: number;
  /**
   * `thread`: a thread of its own writes, and a disk that takes seconds over a flush keeps nobody waiting but those
   * who wait for their write. `inline`: the caller's thread writes, which saves a step the way to the other one;
   * for programs that do nothing else meanwhile. Default `thread`.
   */
  readonly writer?: 'thread' | 'inline';
  /** `thread` only: how long the store is idle before its write-ahead log is moved into the file, in ms. Default 5,000. */
  readonly idleCheckpointMs?: number;
  readonly outbox?: Partial<OutboxLimits>;
  /** Seal what is marked as secret; kept outside the store. Default none: nothing secret can be stored. */
  readonly keys?: SecretKeys;
  /** `thread` only, for drills of a slow disk: each COMMIT takes so many ms longer as the first element says. */
  readonly commitDelayMs?: Int32Array;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface StoreStats {
  readonly synchronous: Synchronous;
  /** Read from the connection that writes, by SQLite's names: `synchronous` is 2 for full, 1 for normal. */
  readonly settings: Readonly<Record<string, string | number>>;
  /**
   * Whether the file is still where it was opened. False: it was moved, deleted or replaced, and what is written from
   * now on is lost with this process.
   */
  readonly isInPlace: boolean;
  /** Size of the main file, without its write-ahead log, and the part of it that is free to be used again. */
  readonly bytes: number;
  readonly freeBytes: number;
  readonly maxBytes: number | null;
  readonly reserveBytes: number;
  /** What the store refuses at present for want of room. */
  readonly pressure: Pressure;
  /**
   * Why the newest high-water marks could not be written, by the system's words; null while they are all there. They are
   * tried again with each commit. What was committed is not affected; but as long as they are missing, the loss of these
   * commits by a damaged log would not be noticed.
   */
  readonly marksProblem: string | null;
  /** Writes acknowledged since the store was opened, and the transactions that carried them. */
  readonly commits: number;
  readonly transactions: number;
  /** Totals since the store was made: writes refused for want of room, and those that took the reserve. */
  readonly commitsRefused: number;
  readonly reserveUsed: number;
  /** Journal entries that compaction removed. */
  readonly journalCompacted: number;
}

export interface CleanupOptions {
  /** Keep claims that have ended and were synced, or were released, for so many ms. Default 7 days. */
  readonly endedForMs?: number;
  /** Keep ended claims that were never synced for so many ms; null keeps them for ever. Default null. */
  readonly unsyncedForMs?: number | null;
  /** Keep dead letters and superseded results for so many ms. Default 30 days. */
  readonly deadLettersForMs?: number;
  /** Keep incidents for so many ms. Default 90 days. */
  readonly incidentsForMs?: number;
}

export interface CleanupReport {
  readonly jobs: number;
  readonly journalEntries: number;
  readonly deadLetters: number;
  readonly incidents: number;
}

/** How many journal entries are sealed with a key. */
export interface KeyUse {
  readonly keyId: string;
  readonly entries: number;
}

export interface Store extends AsyncDisposable {
  readonly path: string;
  readonly robotId: string;
  readonly outbox: Outbox;
  readonly isOpen: boolean;
  /** What was found when the store was opened. */
  readonly opening: OpeningReport;
  stats(): Promise<StoreStats>;
  /** What the store lost or set aside, the newest first. Default limit 100. */
  incidents(limit?: number): Promise<Incident[]>;
  /** Seals with `keys.current` from now on. */
  useKeys(keys: SecretKeys): Promise<void>;
  /** The keys that are needed to open what is sealed in the store. Reads the whole journal. */
  sealedWith(): Promise<KeyUse[]>;
  /** Removes what retention allows; see `CleanupOptions`. */
  cleanup(options?: CleanupOptions): Promise<CleanupReport>;
  /** Finishes the writes under way, closes the file and gives up ownership. Idempotent. */
  close(): Promise<void>;
}
