/**
 * Until when a job may act. Under `hold` nobody else starts it, so it may go on however long the server is away; under
 * `restart` another robot may start it anew once its lease is over, so it must have stopped by then (I2):
 *
 *   ... nodes start ...  | margin: none starts | limit: what still runs is killed | deadline: another robot may start it
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

/** How often the deadlines have to be looked at, in ms. */
export function guardIntervalMs(lockTimeoutMs: number): number {
  return Math.min(1_000, leaseMarginMs(lockTimeoutMs) / 4);
}

/** Whether a job must not begin a node: another robot may soon be running it, or is. */
export function isLeaseEnding(
  { jobId, onLost }: Pick<StoredJob, 'jobId' | 'onLost'>,
  locker: Pick<JobLocker, 'remainingMs' | 'lockTimeoutMs'>,
): boolean {
  return onLost === 'restart' && (locker.remainingMs(jobId) ?? 0) <= leaseMarginMs(locker.lockTimeoutMs);
}
