/** Fits the local store to what is looked up about a claim before it is taken. */
import type { OfflineQueue } from '@casare/offline-store';
import type { JobStore } from './desk-ports.ts';
import type { EndedClaimRecords, NewestClaim } from './ended-claims.ts';

/** So many refused or waiting entries are looked through; more than that is no claim's own. */
const lookedThrough = 1_000;

export function endedClaimRecords(queue: OfflineQueue, jobs: Pick<JobStore, 'open'>): EndedClaimRecords {
  const { outbox } = queue.store;
  return {
    async newest(jobId) {
      const record = await queue.getJob(jobId).catch((error: unknown) => {
        // A damaged record is judged where the claim is stored.
        if (passedOver.has(String((error as { code?: unknown }).code))) return null;
        throw error;
      });
      if (record === null) return null;
      const { status, result, error, leaseToken, journalSeq, syncedAtMs } = record;
      const isClaims = (entry: { readonly jobId: string; readonly leaseToken: string | null }): boolean =>
        entry.jobId === jobId && entry.leaseToken === leaseToken;
      const telling = async (): Promise<NewestClaim['telling']> => {
        const isWaiting =
          status === 'released' ? (await outbox.peek(lookedThrough)).some(isClaims) : syncedAtMs === null;
        if (isWaiting) return 'under-way';
        const superseded = await outbox.deadLetters({ dispositions: ['superseded'], limit: lookedThrough });
        return superseded.some((entry) => entry.kind === 'complete' && isClaims(entry)) ? 'superseded' : 'counted';
      };
      return {
        leaseToken: leaseToken ?? '',
        status,
        result,
        error,
        hasBegun: journalSeq > 0,
        telling: await telling(),
      };
    },
    async journal(jobId) {
      const job = jobs.open(jobId);
      try {
        return await job.load();
      } finally {
        job.close();
      }
    },
    greatestToken: () => queue.greatestLeaseToken().then((token) => token ?? '0'),
  };
}

const passedOver: ReadonlySet<string> = new Set(['UNKNOWN_JOB', 'STORE_CORRUPT']);
