/** Fits the local store to what the desk needs of it. */
import type { ClaimedJob, JournalEntry, Lease } from '@casare/execution';
import type { CheckpointManager, JobRecord, LeaseNote, OfflineQueue } from '@casare/offline-store';
import type { JobStore, StoredJob } from './desk-ports.ts';
import type { DurableJob } from './job-journal.ts';
import { sealedParts } from './sealed-parts.ts';

export interface DurableJobsParts {
  readonly queue: OfflineQueue;
  readonly checkpoints: CheckpointManager;
  readonly bootId: string;
  /** Ms on a clock that counts suspend and starts with the boot. */
  readonly bootClock: () => number;
}

export function durableJobs({ queue, checkpoints, bootId, bootClock }: DurableJobsParts): JobStore {
  const leaseNote = (remainingMs: number): LeaseNote => ({ bootId, sentAtMs: bootClock(), durationMs: remainingMs });
  return {
    async add(job: ClaimedJob, leaseRemainingMs: number) {
      await queue.cacheJob({
        jobId: job.jobId,
        workflowJson: job.workflow,
        leaseToken: job.leaseToken,
        name: job.name,
        variables: job.variables,
        lease: leaseNote(leaseRemainingMs),
        onLost: job.onLost,
        inDoubtPolicy: job.inDoubtPolicy,
        timeoutMs: job.timeoutMs,
      });
    },
    async renewLease({ jobId, leaseToken }: Lease, remainingMs: number) {
      await queue.renewLease(jobId, leaseToken, leaseNote(remainingMs));
    },
    async unfinished() {
      const records = [...(await queue.getInProgressJobs()), ...(await queue.getCachedJobs())];
      return records.flatMap((record) => storedJob(record, bootId, bootClock()));
    },
    open(jobId: string): DurableJob & { close(): void } {
      const handle = checkpoints.startJob<JournalEntry>(jobId, jobId);
      return {
        load: () => handle.load(),
        commit: (entries, options) => handle.commit(entries, { ...options, secret: sealedParts(entries) }),
        close: () => handle.endJob(),
      };
    },
    async supersede(jobId: string) {
      await queue.markReleased(jobId, { reason: 'another claim holds the job' });
    },
  };
}

function remainingMs(lease: LeaseNote, now: number): number {
  const age = now - lease.sentAtMs;
  return age < 0 ? 0 : Math.max(0, lease.durationMs - age);
}

function storedJob(record: JobRecord, bootId: string, now: number): StoredJob[] {
  const { status, leaseToken } = record;
  if (leaseToken === null || (status !== 'cached' && status !== 'in_progress' && status !== 'in_doubt')) return [];
  return [
    {
      jobId: record.id,
      leaseToken,
      name: record.name ?? record.id,
      workflowJson: record.workflowJson,
      variables: record.variables,
      onLost: record.onLost,
      inDoubtPolicy: record.inDoubtPolicy,
      timeoutMs: record.timeoutMs,
      state: status,
      lostRecord: record.inDoubtAsWhole,
      leaseRemainingMs: record.lease?.bootId === bootId ? remainingMs(record.lease, now) : 0,
    },
  ];
}
