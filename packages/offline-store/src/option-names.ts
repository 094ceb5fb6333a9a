/**
 * The names of the options that each call reads. A name that nobody reads, and that is nearly one of them, is a slip: it is
 * refused, because what it was meant to set would be at its default in silence.
 */
import type { CheckpointManagerOptions, StartJobOptions } from './checkpoint-manager.ts';
import { StoreError } from './errors.ts';
import type { CommitOptions, NodeCheckpoint, SecretPart } from './job-handle.ts';
import type { CacheJobOptions, LeaseNote } from './jobs/job-record.ts';
import type { DeadLettersOptions, FailOptions, OutboxDraft, OutboxLimits, WaitingOptions } from './outbox/outbox.ts';
import type { MarkCompletedOptions, SaveCheckpointOptions } from './queue-types.ts';
import type { SecretKeys } from './secrets/secret-keys.ts';
import type { CleanupOptions, StoreOptions } from './store.ts';

/** All names of an interface; the compiler sees to it that none is missing and none is too many. */
type Names<Options> = { readonly [Name in keyof Required<Options>]: true };
export type OptionNames = Readonly<Record<string, true>>;

const storeNames: Names<Omit<StoreOptions, 'path'>> = {
  robotId: true,
  adopt: true,
  synchronous: true,
  maxBytes: true,
  reserveBytes: true,
  keepJournalEntries: true,
  keepJournalBytes: true,
  busyTimeoutMs: true,
  writer: true,
  idleCheckpointMs: true,
  outbox: true,
  keys: true,
  commitDelayMs: true,
  clock: true,
  logger: true,
};
export const openStoreNames: Names<StoreOptions> = { path: true, ...storeNames };
export const offlineQueueNames: OptionNames = { store: true, dbPath: true, ...storeNames };
export const outboxLimitNames: Names<OutboxLimits> = { maxEntries: true, maxPermanentFailures: true };
export const secretKeysNames: Names<SecretKeys> = { current: true, older: true };
export const cacheJobNames: Names<CacheJobOptions> = {
  jobId: true,
  workflowJson: true,
  originalStatus: true,
  leaseToken: true,
  name: true,
  variables: true,
  lease: true,
  onLost: true,
  inDoubtPolicy: true,
  timeoutMs: true,
};
export const leaseNames: Names<LeaseNote> = { bootId: true, sentAtMs: true, durationMs: true, isLost: true };
export const markCompletedNames: Names<MarkCompletedOptions> = {
  success: true,
  result: true,
  error: true,
  status: true,
  outbox: true,
};
export const markReleasedNames: OptionNames = { reason: true, outbox: true };
export const markStepsLostNames: OptionNames = { leaseToken: true, reason: true, outboxSeq: true };
export const saveCheckpointNames: Names<SaveCheckpointOptions> = {
  jobId: true,
  checkpointId: true,
  nodeId: true,
  state: true,
  secret: true,
  iteration: true,
};
export const nodeCheckpointNames: Names<NodeCheckpoint> = {
  checkpointId: true,
  nodeId: true,
  context: true,
  secret: true,
  iteration: true,
};
export const leaseTokenNames: Names<StartJobOptions> = { leaseToken: true };
export const limitNames: OptionNames = { limit: true };
export const cleanupNames: Names<CleanupOptions> = {
  endedForMs: true,
  unsyncedForMs: true,
  deadLettersForMs: true,
  incidentsForMs: true,
};
export const checkpointManagerNames: Names<CheckpointManagerOptions> = { autoSave: true };
export const commitNames: Names<CommitOptions> = { outbox: true, status: true, secret: true, reserve: true };
export const secretPartNames: Names<SecretPart> = { entry: true, path: true };
export const draftNames: Names<OutboxDraft> = { kind: true, payload: true, keep: true };
export const waitingNames: Names<WaitingOptions> = { afterId: true, limit: true };
export const failNames: Names<FailOptions> = { permanent: true, final: true, retryAfterMs: true };
export const deadLettersNames: Names<DeadLettersOptions> = { limit: true, dispositions: true };

/**
 * A look-up per name, so that a step may ask, too.
 *
 * @throws StoreError `INVALID_ARGUMENT` naming the option that was probably meant
 */
export function refuseSlips(options: object, call: string, known: OptionNames): void {
  for (const name in options) if (known[name] !== true) refuseSlip(name, call, known);
}

function refuseSlip(name: string, call: string, known: OptionNames): void {
  const given = plain(name);
  const meant = Object.keys(known).find((one) => isNearly(given, plain(one)));
  if (meant === undefined) return;
  throw new StoreError('INVALID_ARGUMENT', `${call}: unknown option ${JSON.stringify(name)}; did you mean ${meant}?`);
}

/** As in `lease_token`, `LeaseToken` and `lease-token`. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** The same, a part of it, or the same but for a letter; for two letters where the name is long, or they are swapped. */
function isNearly(name: string, known: string): boolean {
  if (name === known) return true;
  if (name.length < 4) return false;
  if (name.includes(known) || known.includes(name)) return true;
  const [shorter, longer] = name.length < known.length ? [name, known] : [known, name];
  let start = 0;
  while (start < shorter.length && shorter[start] === longer[start]) start += 1;
  let end = 0;
  while (end < shorter.length - start && shorter.at(-1 - end) === longer.at(-1 - end)) end += 1;
  const apart = longer.length - start - end;
  const isSwapped = apart === 2 && name[start] === known[start + 1] && name[start + 1] === known[start];
  return isSwapped || apart <= (longer.length < 8 ? 1 : 2);
}
