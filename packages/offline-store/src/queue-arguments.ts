/** Checks of what callers without a type checker may get wrong. */
import { StoreError } from './errors.ts';
import type { CacheJobOptions, LeaseNote } from './jobs/job-record.ts';
import { assertSerializable, copyOf, isPlainObject, type JsonObject } from './json.ts';
import { cacheJobNames, cleanupNames, leaseNames, type OptionNames, refuseSlips } from './option-names.ts';
import type { OutboxDraft } from './outbox/outbox.ts';
import type { SecretPath } from './secrets/secret-parts.ts';
import type { CleanupOptions } from './store.ts';

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkJobId(jobId: string): string {
  if (typeof jobId === 'string' && jobId !== '' && isKeepable(jobId)) return jobId;
  throw new StoreError('INVALID_ARGUMENT', `jobId is a string that is not empty, ${keepable}.`);
}

export const keepable = 'without halves of surrogate pairs';

/** Whether SQLite gives the text back as it was. */
export function isKeepable(text: string): boolean {
  return text.isWellFormed();
}

/**
 * @param known the options of the call, where a misspelt one is to be refused
 * @throws StoreError `INVALID_ARGUMENT`
 */
export function checkGiven<Options extends object>(options: Options, call: string, known?: OptionNames): Options {
  if (typeof options === 'object' && options !== null) {
    if (known !== undefined) refuseSlips(options, call, known);
    return options;
  }
  throw new StoreError('INVALID_ARGUMENT', `${call} takes an object of options.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || known.includes(value as string)) return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is one of ${known.join(', ')}, not ${shown(value)}.`);
}

/** A duration in ms; null and undefined are for whoever asks. */
function checkMs(name: string, value: number | null | undefined, isAllowed: (value: number) => boolean): void {
  if (value === undefined || value === null || (typeof value === 'number' && isAllowed(value))) return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is a number of milliseconds, not ${shown(value)}.`);
}

/** A value in a message, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** A text that may be missing. @throws StoreError `INVALID_ARGUMENT` */
export function checkText(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && isKeepable(value))) return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is a text ${keepable}, not ${shown(value)}.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new StoreError('INVALID_ARGUMENT', `${name} is true or false, not ${shown(value)}.`);
}

/** A copy of ids of outbox entries. @throws StoreError `INVALID_ARGUMENT` */
export function checkIds(ids: readonly number[], call: string): readonly number[] {
  if (Array.isArray(ids) && ids.every((id) => Number.isSafeInteger(id))) return [...ids];
  const wrong = Array.isArray(ids) ? `a list with ${shown(ids.find((id) => !Number.isSafeInteger(id)))}` : shown(ids);
  throw new StoreError('INVALID_ARGUMENT', `${call} takes a list of the ids of entries, not ${wrong}.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkRetryAfter(retryAfterMs: number | undefined): void {
  checkMs('retryAfterMs', retryAfterMs, (ms) => ms >= 0 && Number.isFinite(ms));
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkDrafts(drafts: readonly OutboxDraft[] | undefined): readonly OutboxDraft[] {
  if (drafts === undefined) return [];
  if (!Array.isArray(drafts) || drafts.some((draft) => typeof draft !== 'object' || draft === null)) {
    throw new StoreError('INVALID_ARGUMENT', 'outbox is a list of entries { kind, payload }.');
  }
  return drafts;
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkSecretPaths(paths: readonly SecretPath[]): readonly SecretPath[] {
  const isKey = (key: unknown): boolean => typeof key === 'string' || Number.isInteger(key);
  if (Array.isArray(paths) && paths.every((path) => Array.isArray(path) && path.every(isKey))) return paths;
  throw new StoreError('INVALID_ARGUMENT', "secret is a list of paths: [['variables', 'token']].");
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkCleanup(options: CleanupOptions): CleanupOptions {
  for (const [name, value] of Object.entries(checkGiven(options, 'cleanup', cleanupNames)))
    checkMs(name, value as number | null, (ms) => ms >= 0);
  return { ...options };
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLease(lease: LeaseNote | undefined): void {
  if (lease === undefined) return;
  const { bootId, sentAtMs, durationMs, isLost = false } = checkGiven(lease, 'lease', leaseNames);
  const isWhole = typeof bootId === 'string' && Number.isFinite(sentAtMs) && Number.isFinite(durationMs);
  if (isWhole && typeof isLost === 'boolean') return;
  throw new StoreError(
    'INVALID_ARGUMENT',
    'lease is { bootId, sentAtMs, durationMs }, a text and two numbers, with isLost or without.',
  );
}

/** What is known of a lease, apart from whatever its caller makes of it later. */
export function noteOf({ bootId, sentAtMs, durationMs, isLost }: LeaseNote): LeaseNote {
  return { bootId, sentAtMs, durationMs, ...(isLost === undefined ? {} : { isLost }) };
}

type KnownOptions = Omit<CacheJobOptions, 'jobId' | 'workflowJson' | 'variables'>;

/** What is known of the options. @throws StoreError `INVALID_ARGUMENT`, `NOT_SERIALIZABLE` */
export function checkCacheJob(options: CacheJobOptions): CacheJobOptions & { readonly variables: JsonObject } {
  checkJobId(checkGiven(options, 'cacheJob', cacheJobNames).jobId);
  const { jobId, workflowJson, name, originalStatus, leaseToken, onLost, inDoubtPolicy, timeoutMs, lease } = options;
  if (typeof workflowJson !== 'string') {
    const was =
      workflowJson === undefined
        ? 'is missing'
        : `is ${workflowJson === null ? 'null' : `of type ${typeof workflowJson}`}`;
    throw new StoreError('INVALID_ARGUMENT', `workflowJson must be the text of the workflow file, but ${was}.`);
  }
  if (!isKeepable(workflowJson)) {
    const what = 'workflowJson is the text of the workflow file, kept verbatim';
    throw new StoreError('INVALID_ARGUMENT', `${what}: ${keepable}.`);
  }
  for (const [field, value] of Object.entries({ name, originalStatus })) {
    if (value === undefined || value === null || (typeof value === 'string' && isKeepable(value))) continue;
    throw new StoreError('INVALID_ARGUMENT', `${field} is a text ${keepable}.`);
  }
  checkOneOf('onLost', onLost ?? undefined, ['hold', 'restart']);
  checkOneOf('inDoubtPolicy', inDoubtPolicy ?? undefined, ['retry', 'skip', 'fail', 'ask']);
  checkMs('timeoutMs', timeoutMs, (ms) => ms > 0 && Number.isFinite(ms));
  checkLease(lease);
  checkLeaseToken(leaseToken);
  const given = { name, originalStatus, leaseToken, onLost, inDoubtPolicy, timeoutMs, lease: lease && noteOf(lease) };
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as KnownOptions),
    jobId,
    workflowJson,
    variables: checkVariables(options.variables ?? {}),
  };
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLeaseToken(leaseToken: string | null | undefined): void {
  if (leaseToken === undefined || (typeof leaseToken === 'string' && /^(0|[1-9]\d*)$/.test(leaseToken))) return;
  throw new StoreError('INVALID_ARGUMENT', 'leaseToken is a number as text, without leading zeros: "17".');
}

/** A journal holds them again, some levels down. */
const maxVariableLevels = 900;

function checkVariables(variables: object): JsonObject {
  if (isDeeperThan(variables, maxVariableLevels)) {
    const reason = `they are circular or nested deeper than ${maxVariableLevels} levels`;
    throw new StoreError('NOT_SERIALIZABLE', `The variables cannot be stored: ${reason}.`);
  }
  return copyOf(checkObject(variables, 'variables'), 'variables');
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** @throws StoreError `INVALID_ARGUMENT`, `NOT_SERIALIZABLE` */
export function checkObject(value: object, what: string): JsonObject {
  if (!isPlainObject(value)) throw new StoreError('INVALID_ARGUMENT', `${what} is a plain object.`);
  assertSerializable(value, what);
  return value as JsonObject;
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkNodeId(nodeId: string): string {
  if (typeof nodeId === 'string' && nodeId !== '' && isKeepable(nodeId)) return nodeId;
  throw new StoreError('INVALID_ARGUMENT', `nodeId is a string that is not empty, ${keepable}.`);
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new StoreError('INVALID_ARGUMENT', `limit is a whole number above 0, not ${shown(limit)}.`);
}
