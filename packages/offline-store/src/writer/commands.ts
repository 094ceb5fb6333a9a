/**
 * What the writer does, as data: commands cross from the caller's thread to the writer's and their values come
 * back. Each runs in a transaction that others may share.
 */
import type { CacheJobOptions, CacheOutcome, LeaseNote } from '../jobs/job-record.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { CheckpointToSave } from '../journal/checkpoint-log.ts';
import type { RunWrite } from '../journal/run-log.ts';
import type { Disposition } from '../outbox/outbox.ts';
import type { FillReport } from '../outbox/outbox-intake.ts';
import type { SecretKeys } from '../secrets/secret-keys.ts';

/** A claim, or the newest one of a job. */
export type RunTarget = RunRef | { readonly jobId: string };

export type StoreCommand =
  /** Brings what is written once for many steps up to date: the jobs' rows, the journal's index. */
  | { readonly op: 'settle' }
  /** Puts the outbox drafts of some past steps into the outbox; see `OutboxIntake.fill`. */
  | { readonly op: 'outbox-fill'; readonly sparing?: boolean }
  | { readonly op: 'cache'; readonly job: CacheJobOptions; readonly robotId: string; readonly nowMs: number }
  | { readonly op: 'record'; readonly run: RunTarget; readonly write: RunWrite; readonly nowMs: number }
  | {
      readonly op: 'checkpoint';
      readonly run: RunTarget;
      readonly checkpoint: CheckpointToSave;
      readonly nowMs: number;
    }
  | { readonly op: 'renew-lease'; readonly jobId: string; readonly leaseToken: string; readonly lease: LeaseNote }
  | { readonly op: 'mark-synced'; readonly jobId: string; readonly leaseToken?: string; readonly nowMs: number }
  /** Puts a claim in doubt as a whole; its outbox entries are numbered on behind `outboxSeq`. */
  | {
      readonly op: 'lose-steps';
      readonly jobId: string;
      readonly leaseToken: string;
      readonly reason: string;
      readonly outboxSeq: number;
      readonly nowMs: number;
    }
  | { readonly op: 'outbox-remove'; readonly ids: readonly number[] }
  | { readonly op: 'outbox-fail'; readonly id: number; readonly reason: string; readonly nowMs: number }
  | {
      readonly op: 'outbox-bury';
      readonly ids: readonly number[];
      readonly disposition: Disposition;
      readonly reason: string;
      readonly nowMs: number;
    }
  | { readonly op: 'dead-requeue'; readonly ids: readonly number[] }
  | { readonly op: 'dead-discard'; readonly ids: readonly number[] }
  /** Removes the journal entries of up to `limit` commits of a claim that is over. */
  | { readonly op: 'remove-entries'; readonly runId: number; readonly limit: number }
  | { readonly op: 'remove-run'; readonly runId: number }
  | { readonly op: 'remove-notes'; readonly deadBeforeMs: number; readonly incidentsBeforeMs: number }
  | { readonly op: 'use-keys'; readonly keys: SecretKeys };

export type RecordCommand = Extract<StoreCommand, { readonly op: 'record' }>;
export type StoreOp = StoreCommand['op'];

export interface CommandValues {
  readonly settle: undefined;
  readonly 'outbox-fill': FillReport;
  readonly cache: CacheOutcome;
  readonly record: undefined;
  readonly checkpoint: undefined;
  readonly 'renew-lease': undefined;
  readonly 'mark-synced': undefined;
  readonly 'lose-steps': undefined;
  readonly 'outbox-remove': number;
  readonly 'outbox-fail': boolean;
  readonly 'outbox-bury': number;
  readonly 'dead-requeue': number;
  readonly 'dead-discard': number;
  readonly 'remove-entries': number;
  readonly 'remove-run': undefined;
  readonly 'remove-notes': { readonly deadLetters: number; readonly incidents: number };
  readonly 'use-keys': undefined;
}

export type ValueOf<Command extends StoreCommand> = CommandValues[Command['op']];

/**
 * Whether a command may use the reserve of a full store: what ends, releases or doubts a job, what has happened
 * already, what must be kept for the server, and what makes room.
 */
export function mayUseReserve(command: StoreCommand): boolean {
  switch (command.op) {
    case 'cache':
    case 'checkpoint':
      return false;
    case 'record': {
      const { change, entries, reserve } = command.write;
      return (change !== null && change.status !== 'in_progress') || entries.count === 0 || reserve;
    }
    default:
      return true;
  }
}

/** Whether it is a step that has happened, and nothing that ends, releases or doubts its job. */
export function hasHappened(command: StoreCommand): boolean {
  if (command.op !== 'record') return false;
  const { change, entries } = command.write;
  return (change === null || change.status === 'in_progress') && entries.count > 0;
}
