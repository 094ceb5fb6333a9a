/** Fits the local store to what the desk needs of it. */
import type { ClaimedJob, ClaimProgress, JournalEntry, Lease } from '@casare/execution';
import {
  type CheckpointManager,
  classifyStoreError,
  type JobRecord,
  type LeaseNote,
  type OfflineQueue,
  type OutboxHead,
} from '@casare/offline-store';
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
      const untold = new Map<string, UntoldClaim>();
      // What the server has refused, or an operator has discarded, does not wait any more.
      for await (const entry of waitingEnds(queue)) {
        const record = await readable(queue, entry.jobId);
        if (record === null || record.leaseToken !== entry.leaseToken || !isOwnEnd(record, queue.robotId)) continue;
        const leaseRemainingMs = knownRemainingMs(record.lease, bootId, bootClock());
        untold.set(record.id, { jobId: record.id, leaseToken: record.leaseToken ?? '', leaseRemainingMs });
      }
      return [...untold.values()];
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

type UntoldClaim = Awaited<ReturnType<JobStore['untold']>>[number];

/** Ends of jobs are looked at one by one: each record has its workflow with it. */
const endsAtOnce = 1_000;

async function* waitingEnds({ store: { outbox } }: OfflineQueue): AsyncIterable<OutboxHead> {
  for (let afterId = 0; ; ) {
    const ends = await outbox.waiting('complete', { afterId, limit: endsAtOnce });
    yield* ends;
    const last = ends.at(-1);
    if (last === undefined || ends.length < endsAtOnce) return;
    afterId = last.id;
  }
}

/** Null for a record that is damaged. */
async function readable(queue: OfflineQueue, jobId: string): Promise<JobRecord | null> {
  try {
    return await queue.getJob(jobId);
  } catch (error) {
    if (classifyStoreError(error)?.code !== 'STORE_CORRUPT') throw error;
    return null;
  }
}

function isOwnEnd({ robotId, leaseToken, lease, status, syncedAtMs }: JobRecord, ownId: string): boolean {
  const hasEnded = status === 'completed' || status === 'failed' || status === 'cancelled';
  return hasEnded && syncedAtMs === null && leaseToken !== null && robotId === ownId && lease?.isLost !== true;
}

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
