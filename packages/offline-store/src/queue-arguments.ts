/** Checks of what callers without a type checker may get wrong. */
import { StoreError } from './errors.ts';
import type { CacheJobOptions } from './jobs/job-record.ts';
import { assertSerializable, isPlainObject, type JsonObject } from './json.ts';

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkJobId(jobId: string): string {
  if (typeof jobId === 'string' && jobId !== '') return jobId;
  throw new StoreError('INVALID_ARGUMENT', 'jobId is a string that is not empty.');
}

/** @throws StoreError `INVALID_ARGUMENT` */
export function checkCacheJob(options: CacheJobOptions): void {
  checkJobId(options.jobId);
  if (typeof options.workflowJson !== 'string') {
    throw new StoreError('INVALID_ARGUMENT', 'workflowJson is the text of the workflow file, kept verbatim.');
  }
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
