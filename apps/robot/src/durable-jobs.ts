/** Fits the local store to what the desk needs of it. */
import type { ClaimedJob, ClaimProgress, JournalEntry, Lease } from '@casare/execution';
import type { CheckpointManager, JobRecord, LeaseNote, OfflineQueue } from '@casare/offline-store';
import type { JobStore, StoredJob } from './desk-ports.ts';
import type { DurableJob } from './job-journal.ts';
import type { Behind } from './known-progress.ts';
import { sealedParts } from './sealed-parts.ts';

export interface DurableJobsParts {
  readonly queue: OfflineQueue;
  readonly checkpoints: CheckpointManager;
  /** Leases that were noted under another one are not believed: `bootClockEra`. */
  readonly bootId: string;
  /** Ms on a clock that counts suspend and starts with the boot. */
  readonly bootClock: () => number;
  /** Told of unfinished jobs that another robot has claimed: they are not this one's to go on with (I1). */
  readonly onForeign?: (robotId: string, jobIds: readonly string[]) => void;
}

export function durableJobs({ queue, checkpoints, bootId, bootClock, onForeign }: DurableJobsParts): JobStore {
  const leaseNote = (remainingMs: number): LeaseNote => ({ bootId, sentAtMs: bootClock(), durationMs: remainingMs });
  const supersede = async (jobId: string): Promise<void> => {
    await queue.markReleased(jobId, { reason: 'the server has given the job away, or ended it' });
  };
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
    async noteLost({ jobId, leaseToken }: Lease) {
      await queue.renewLease(jobId, leaseToken, { ...leaseNote(0), isLost: true });
    },
    async progressOf({ jobId, leaseToken }: Lease) {
      const record = await queue.getJob(jobId);
      return record.leaseToken === leaseToken && unfinishedStates.has(record.status) ? progressOf(record) : null;
    },
    async loseSteps({ jobId, leaseToken }: Lease, { why, lastSeq }: Behind) {
      await queue.markStepsLost(jobId, { leaseToken, reason: why, outboxSeq: lastSeq });
    },
    async unfinished() {
      const found = [...(await queue.getInProgressJobs()), ...(await queue.getCachedJobs())];
      const byRobot = Map.groupBy(found, ({ robotId }) => robotId);
      const records = byRobot.get(queue.robotId) ?? [];
      byRobot.delete(queue.robotId);
      for (const [robotId, theirs] of byRobot) {
        onForeign?.(
          robotId,
          theirs.map(({ id }) => id),
        );
      }
      for (const { id, lease } of records) if (lease?.isLost === true) await supersede(id);
      return records
        .filter(({ lease }) => lease?.isLost !== true)
        .flatMap((record) => storedJob(record, bootId, bootClock()));
    },
    async untold() {
      const ended = (await queue.getJobsToSync()).filter(
        ({ robotId, lease }) => robotId === queue.robotId && lease?.isLost !== true,
      );
      if (ended.length === 0) return [];
      // What the server has refused, or an operator has discarded, does not wait any more.
      const waiting = (await queue.store.outbox.peek(wholeOutbox)).filter(({ kind }) => kind === 'complete');
      const claims = new Set(waiting.map(({ jobId, leaseToken }) => `${jobId} ${leaseToken}`));
      const newest = new Map(ended.map((record) => [record.id, record]));
      return [...newest.values()].flatMap(({ id: jobId, leaseToken, lease }) =>
        leaseToken === null || !claims.has(`${jobId} ${leaseToken}`)
          ? []
          : [{ jobId, leaseToken, leaseRemainingMs: knownRemainingMs(lease, bootId, bootClock()) }],
      );
    },
    open(jobId: string): DurableJob & { close(): void } {
      const handle = checkpoints.startJob<JournalEntry>(jobId, jobId);
      return {
        load: () => handle.load(),
        commit: (entries, options) => handle.commit(entries, { ...options, secret: sealedParts(entries) }),
        close: () => handle.endJob(),
      };
    },
    supersede,
  };
}

/** More entries than an outbox holds. */
const wholeOutbox = 200_000;
const unfinishedStates: ReadonlySet<string> = new Set(['cached', 'in_progress', 'in_doubt']);

function progressOf({ outboxSeq, journalSeq }: JobRecord): ClaimProgress {
  return { lastSeq: outboxSeq, recorded: journalSeq };
}

/** 0 for a lease that was noted in another boot, or where the time since cannot be told. */
function knownRemainingMs(lease: LeaseNote | null, bootId: string, now: number): number {
  if (lease?.bootId !== bootId) return 0;
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
      own: progressOf(record),
      leaseRemainingMs: knownRemainingMs(record.lease, bootId, now),
    },
  ];
}
