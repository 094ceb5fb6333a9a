/**
 * Until when a job may act. Under `hold` nobody else starts it, so it may go on however long the server is away; under
 * `restart` another robot may start it anew once its lease is over, so it must have stopped by then (I2):
 *
 *   ... nodes start ...  | margin: none starts | limit: what still runs is killed | deadline: another robot may start it
 *
 * Between limit and deadline the job's process ends itself, in case the robot is stopped or hangs. Whether a node may begin
 * is looked at before its intent is recorded, after, and in its process right before its function is called: each time it
 * may have been long since. What is stopped inside of the function can still act when it wakes; see ADR 31.
 */
import type { JobLocker } from '@casare/execution';
import type { StoredJob } from './desk-ports.ts';

/** How long before its deadline a `restart` job begins no node any more, in ms. */
export function leaseMarginMs(lockTimeoutMs: number): number {
  return Math.min(10_000, lockTimeoutMs / 3);
}

/** How long a node that is under way may still take to finish, in ms: until half of the margin is over. */
export function lastNodeLimitMs(jobId: string, locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>): number {
  return Math.max(0, (locker.remainingMs(jobId) ?? 0) - leaseMarginMs(locker.lockTimeoutMs) / 2);
}

/** For how long anything of a job may act, in ms: until three quarters of the margin are over. Null: as long as it takes. */
export function mayActForMs(
  { jobId, onLost }: Pick<StoredJob, 'jobId' | 'onLost'>,
  locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>,
): number | null {
  const remainingMs = onLost === 'restart' ? locker.remainingMs(jobId) : null;
  return remainingMs === null ? null : Math.max(0, remainingMs - leaseMarginMs(locker.lockTimeoutMs) / 4);
}

/** For how long a node of a job may still begin, in ms: until the margin. Null: no matter when. */
export function mayBeginForMs(
  { jobId, onLost }: Pick<StoredJob, 'jobId' | 'onLost'>,
  locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>,
): number | null {
  if (onLost !== 'restart') return null;
  return Math.max(0, (locker.remainingMs(jobId) ?? 0) - leaseMarginMs(locker.lockTimeoutMs));
}

/** How often the deadlines have to be looked at, in ms. */
export function guardIntervalMs(lockTimeoutMs: number): number {
  return Math.min(1_000, leaseMarginMs(lockTimeoutMs) / 4);
}

/** Whether a job must not begin a node: another robot may soon be running it, or is. */
export function isLeaseEnding(
  job: Pick<StoredJob, 'jobId' | 'onLost'>,
  locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>,
): boolean {
  return mayBeginForMs(job, locker) === 0;
}
