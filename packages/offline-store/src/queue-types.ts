/** What goes into the offline queue and what comes out. */
import type { FinalStatus, JobStatus } from './jobs/job-state.ts';
import type { CheckpointDraft } from './journal/encode-checkpoint.ts';
import type { JsonObject, Storable } from './json.ts';
import type { OutboxDraft, OutboxStats } from './outbox/outbox.ts';
import type { Store, StoreOptions, StoreStats } from './store.ts';

export type OfflineQueueOptions =
  | {
      /** An open store; closing it stays the caller's. */
      readonly store: Store;
      /** Default: the store's. */
      readonly robotId?: string;
    }
  | ({
      /** Opened by the constructor, closed by `close()`. Default `~/.casare_rpa/offline.db`. */
      readonly dbPath?: string;
    } & Omit<StoreOptions, 'path'>);

/** A checkpoint as it is handed out. */
export interface Checkpoint {
  readonly jobId: string;
  readonly checkpointId: string;
  /** The node that finished last. */
  readonly nodeId: string;
  /** `{ variables, outputs }` and whatever else was saved. */
  readonly state: JsonObject;
  readonly savedAtMs: number;
}

export interface SaveCheckpointOptions extends CheckpointDraft {
  readonly jobId: string;
  readonly checkpointId: string;
}

export interface MarkCompletedOptions {
  readonly success: boolean;
  readonly result?: Storable;
  readonly error?: Storable;
  /** Default: `completed` on success, `failed` otherwise. */
  readonly status?: FinalStatus;
  /** Written in the same transaction, and never dropped. */
  readonly outbox?: readonly OutboxDraft[];
}

/** One journal entry of a job, for people and for the sync of history. */
export interface HistoryEntry {
  readonly seq: number;
  readonly kind: string;
  readonly nodeId: string | null;
  readonly recordedAtMs: number;
  readonly entry: JsonObject;
}

export interface QueueStats {
  readonly robotId: string;
  readonly jobs: Readonly<Record<JobStatus, number>>;
  /** Ended jobs whose end has not been marked as synced. */
  readonly toSync: number;
  readonly journalEntries: number;
  readonly outbox: OutboxStats;
  readonly store: StoreStats;
}
