/** Checks of what callers without a type checker may get wrong. */
import { StoreError } from './errors.ts';
import type { CacheJobOptions, LeaseNote } from './jobs/job-record.ts';
import { assertSerializable, isPlainObject, type JsonObject } from './json.ts';
import type { CleanupOptions } from './store.ts';

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkJobId(jobId: string): string {
  if (typeof jobId === 'string' && jobId !== '' && isKeepable(jobId)) return jobId;
  throw new StoreError('INVALID_ARGUMENT', `jobId is a string that is not empty, ${keepable}.`);
}

const keepable = 'without halves of surrogate pairs';

/** Whether SQLite gives the text back as it was. */
function isKeepable(text: string): boolean {
  return text.isWellFormed();
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkGiven<Options extends object>(options: Options, call: string): Options {
  if (typeof options === 'object' && options !== null) return options;
  throw new StoreError('INVALID_ARGUMENT', `${call} takes an object of options.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is one of ${known.join(', ')}, not ${JSON.stringify(value)}.`);
}

/** A duration in ms; null and undefined are for whoever asks. */
function checkMs(name: string, value: number | null | undefined, isAllowed: (value: number) => boolean): void {
  if (value === undefined || value === null || (typeof value === 'number' && isAllowed(value))) return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is a number of milliseconds, not ${String(value)}.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkCleanup(options: CleanupOptions): CleanupOptions {
  for (const [name, value] of Object.entries(checkGiven(options, 'cleanup')))
    checkMs(name, value as number | null, (ms) => ms >= 0);
  return options;
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLease(lease: LeaseNote | undefined): void {
  if (lease === undefined) return;
  const { bootId, sentAtMs, durationMs } = checkGiven(lease, 'lease');
  if (typeof bootId === 'string' && Number.isFinite(sentAtMs) && Number.isFinite(durationMs)) return;
  throw new StoreError('INVALID_ARGUMENT', 'lease is { bootId, sentAtMs, durationMs }: a text and two numbers.');
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkCacheJob(options: CacheJobOptions): void {
  checkJobId(checkGiven(options, 'cacheJob').jobId);
  const { workflowJson, name, originalStatus } = options;
  if (typeof workflowJson !== 'string' || !isKeepable(workflowJson)) {
    const what = 'workflowJson is the text of the workflow file, kept verbatim';
    throw new StoreError('INVALID_ARGUMENT', `${what}: ${keepable}.`);
  }
  for (const [field, value] of Object.entries({ name, originalStatus })) {
    if (value === undefined || value === null || (typeof value === 'string' && isKeepable(value))) continue;
    throw new StoreError('INVALID_ARGUMENT', `${field} is a text ${keepable}.`);
  }
  checkOneOf('onLost', options.onLost ?? undefined, ['hold', 'restart']);
  checkOneOf('inDoubtPolicy', options.inDoubtPolicy ?? undefined, ['retry', 'skip', 'fail', 'ask']);
  checkMs('timeoutMs', options.timeoutMs, (ms) => ms > 0 && Number.isFinite(ms));
  checkLease(options.lease);
  checkLeaseToken(options.leaseToken);
  checkObject(options.variables ?? {}, 'variables');
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLeaseToken(leaseToken: string | undefined): void {
  if (leaseToken === undefined || (typeof leaseToken === 'string' && /^\d+$/.test(leaseToken))) return;
  throw new StoreError('INVALID_ARGUMENT', 'leaseToken is a number as text: "17".');
}

/** @throws StoreError `INVALID_ARGUMENT`, `NOT_SERIALIZABLE` */
export function checkObject(value: object, what: string): JsonObject {
  if (!isPlainObject(value)) throw new StoreError('INVALID_ARGUMENT', `${what} is a plain object.`);
  assertSerializable(value, what);
  return value as JsonObject;
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkNodeId(nodeId: string): string {
  if (typeof nodeId === 'string' && nodeId !== '') return nodeId;
  throw new StoreError('INVALID_ARGUMENT', 'nodeId is a string that is not empty.');
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLimit(limit: number): number {
  if (Number.isInteger(limit) && limit > 0) return limit;
  throw new StoreError('INVALID_ARGUMENT', 'limit is a whole number above 0.');
}
