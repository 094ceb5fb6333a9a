/**
 * A store that is full takes no step. What has happened already is recorded all the same, from its reserve, so that an
 * effect is in doubt for no want of room (I4): only what would begin is refused, and the run waits between two nodes.
 */
import type { JournalEntry } from '@casare/execution';
import type { DurableJob } from './job-journal.ts';

export function withResultsInReserve<Job extends DurableJob>(job: Job): Job {
  return {
    ...job,
    async commit(entries, options) {
      try {
        await job.commit(entries, options);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'STORE_FULL' || !entries.some(isResult)) throw error;
        const happened = entries.filter(({ kind }) => kind !== 'intent' && kind !== 'snapshot');
        await job.commit(happened, { ...options, reserve: true });
        if (entries.some(({ kind }) => kind === 'intent')) throw error;
      }
    },
  };
}

function isResult({ kind }: JournalEntry): boolean {
  return kind === 'result' || kind === 'failure' || kind === 'retry' || kind === 'interrupted';
}
