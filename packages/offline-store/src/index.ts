export { CheckpointManager, type CheckpointManagerOptions, type StartJobOptions } from './checkpoint-manager.ts';
export {
  CorruptRecordError,
  classifyStoreError,
  type FailureClass,
  type OtherRobotsWork,
  StoreError,
  type StoreErrorCode,
  type StoreErrorVerdict,
  type StoreHolder,
  StoreOtherRobotError,
  StoreOwnedError,
  ValueTooLargeError,
} from './errors.ts';
export type { CommitOptions, JobHandle, NodeCheckpoint, SecretPart } from './job-handle.ts';
export type {
  CacheJobOptions,
  CacheOutcome,
  InDoubtPolicy,
  JobRecord,
  LeaseNote,
  OnLost,
} from './jobs/job-record.ts';
export type { FinalStatus, InDoubtNode, JobStatus, StatusChange } from './jobs/job-state.ts';
export type { Iteration } from './journal/iteration.ts';
export type { JournalEntryLike } from './journal/journal-entry.ts';
export type { JsonObject, JsonValue, Storable } from './json.ts';
export { OfflineQueue } from './offline-queue.ts';
export { openStore } from './open-store.ts';
export type {
  DeadLetter,
  DeadLettersOptions,
  Disposition,
  FailOptions,
  FailOutcome,
  Outbox,
  OutboxDraft,
  OutboxEntry,
  OutboxHead,
  OutboxLimits,
  OutboxStats,
  WaitingOptions,
} from './outbox/outbox.ts';
export type { Clock, Logger, LogLevel } from './ports.ts';
export type {
  Checkpoint,
  HistoryEntry,
  MarkCompletedOptions,
  OfflineQueueOptions,
  QueueStats,
  SaveCheckpointOptions,
} from './queue-types.ts';
export type { Incident, IncidentKind } from './rescue/incidents.ts';
export type { OpeningReport } from './rescue/open-rescued.ts';
export { openKeyFolder, removeKey, rotateKeyFolder } from './secrets/key-folder.ts';
export { type SealedPlace, SecretBox } from './secrets/secret-box.ts';
export { keyIdOf, type SecretKey, type SecretKeys, secretKey } from './secrets/secret-keys.ts';
export type { SecretPath } from './secrets/secret-parts.ts';
export type {
  CleanupOptions,
  CleanupReport,
  KeyUse,
  Store,
  StoreOptions,
  StoreStats,
  Synchronous,
} from './store.ts';
export { systemClock } from './system-clock.ts';
export type { Pressure } from './writer/quota.ts';
