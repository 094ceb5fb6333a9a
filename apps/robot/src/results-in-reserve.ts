/**
 * A store that is full takes no step. What has happened already is recorded all the same, from its reserve, so that an
 * effect is in doubt for no want of room (I4): only what would begin is refused, and the run waits between two nodes. Where
 * the job alone has filled the store there is nothing to wait for: what would begin fails (`VALUE_TOO_LARGE`), and what
 * comes by itself then is still recorded.
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
        const { code } = error as { code?: unknown };
        if ((code !== 'STORE_FULL' && code !== 'VALUE_TOO_LARGE') || !entries.some(isResult)) throw error;
        const begins = entries.some(({ kind }) => kind === 'intent');
        // Then they come again one by one.
        if (code === 'VALUE_TOO_LARGE' && (begins || entries.length > 1)) throw error;
        const happened = entries.filter(({ kind }) => kind !== 'intent' && kind !== 'snapshot');
        await job.commit(happened, { ...options, reserve: true }).catch((refusal: unknown) => {
          throw code === 'VALUE_TOO_LARGE' ? error : refusal;
        });
        if (begins) throw error;
      }
    },
  };
}

function isResult({ kind }: JournalEntry): boolean {
  return kind === 'result' || kind === 'failure' || kind === 'retry' || kind === 'interrupted';
}
