/** What crosses between the caller's thread and the writer's. */
import type { MessagePort } from 'node:worker_threads';
import type { DatabaseOptions } from '../database/open-database.ts';
import type { OutboxLimits } from '../outbox/outbox.ts';
import type { SecretKeys } from '../secrets/secret-keys.ts';
import type { StoreCommand } from './commands.ts';
import type { Pressure, QuotaLimits } from './quota.ts';
import type { StepMessage } from './step-message.ts';
import type { WireError } from './wire-error.ts';

/** What a writer is made from. */
export interface EngineSetup {
  readonly path: string;
  readonly marksPath: string;
  readonly database: DatabaseOptions;
  readonly quota: QuotaLimits;
  readonly outbox: OutboxLimits;
  readonly keepEntries: number;
  readonly keepBytes: number;
  readonly keys: SecretKeys | null;
  /** Ms that each COMMIT is made to take longer, in its first element; for drills of a slow disk. */
  readonly commitDelayMs: Int32Array | null;
}

export interface WriterSetup extends EngineSetup {
  readonly idleCheckpointMs: number;
  readonly port: MessagePort;
  /** Counts what was sent to the writer, which sleeps on it. */
  readonly bell: Int32Array;
}

export type WriterRequest =
  | { readonly kind: 'command'; readonly id: number; readonly command: StoreCommand }
  | { readonly kind: 'status'; readonly id: number }
  /** Moves the write-ahead log into the file. */
  | { readonly kind: 'truncate'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number };

/** What is sent in one go. */
export type WriterMessage = readonly (WriterRequest | StepMessage)[];

export interface WriterStatus {
  /** Settings read from the connection that writes. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly commits: number;
  readonly transactions: number;
  readonly pressure: Pressure;
  readonly marksProblem: string | null;
}

export interface WriterAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: WireError;
}

/** A number is the id of a command that was committed and has no value. */
export type WriterReply = readonly (WriterAnswer | number)[];

/** The id of the answer to opening the file. */
export const openingId = 0;
