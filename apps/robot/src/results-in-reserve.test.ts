import type { JournalEntry } from '@casare/execution';
import { expect, it } from 'vitest';
import type { DurableJob } from './job-journal.ts';
import { withResultsInReserve } from './results-in-reserve.ts';

/** A job in a store that has room for nothing but its reserve. */
function jobInFullStore() {
  const written: string[][] = [];
  const job: DurableJob = {
    load: async () => [],
    commit: async (entries, { reserve = false }) => {
      if (!reserve) throw Object.assign(new Error('no room'), { code: 'STORE_FULL' });
      written.push(entries.map(({ kind }) => kind));
    },
  };
  return { job: withResultsInReserve(job), written };
}

const entries = (...kinds: JournalEntry['kind'][]): JournalEntry[] =>
  kinds.map((kind) => ({ kind, step: 1, at: 0 }) as unknown as JournalEntry);

it('a full store keeps the result of an effect, and refuses the node that would follow', async () => {
  const { job, written } = jobInFullStore();
  await expect(job.commit(entries('result', 'snapshot', 'intent'), { outbox: [] })).rejects.toThrow('no room');
  await job.commit(entries('failure'), { outbox: [] });
  expect(written).toEqual([['result'], ['failure']]);
  await expect(job.commit(entries('began', 'intent'), { outbox: [] })).rejects.toThrow('no room');
  expect(written).toHaveLength(2);
});
