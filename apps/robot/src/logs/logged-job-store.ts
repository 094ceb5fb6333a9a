/** Tells the job logs which jobs are here, and under which lease: as the local store knows it. */
import type { Lease } from '@casare/execution';
import type { JobStore } from '../desk-ports.ts';

export interface LeaseListener {
  begin(lease: Lease): void;
  end(jobId: string): void;
}

const finalStates: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'released']);

export function loggedJobStore(store: JobStore, logs: LeaseListener): JobStore {
  return {
    ...store,
    async add(job, leaseRemainingMs) {
      await store.add(job, leaseRemainingMs);
      logs.begin(job);
    },
    async unfinished() {
      const jobs = await store.unfinished();
      for (const job of jobs) logs.begin(job);
      return jobs;
    },
    open(jobId) {
      const durable = store.open(jobId);
      return {
        ...durable,
        async commit(entries, options) {
          const answer = await durable.commit(entries, options);
          if (options.status !== undefined && finalStates.has(options.status.status)) logs.end(jobId);
          return answer;
        },
      };
    },
    async supersede(jobId) {
      logs.end(jobId);
      await store.supersede(jobId);
    },
  };
}
