import { createNodeRegistry, InProcessRunner, type JournalEntry } from '@casare/execution';
import { CheckpointManager, OfflineQueue } from '@casare/offline-store';
import { expect, it, onTestFinished } from 'vitest';
import { claim } from '../test/support/desk.ts';
import { temporaryFolder } from '../test/support/robot-home.ts';
import { durableJobs } from './durable-jobs.ts';
import { type DurableJob, jobJournal } from './job-journal.ts';
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

it('a job that fills the store by itself fails, and does not wait for room that never comes', async () => {
  const home = temporaryFolder();
  const queue = new OfflineQueue({ dbPath: `${home}/store.db`, robotId: 'r', maxBytes: 400 * 1_024 });
  onTestFinished(() => queue.close());
  const jobs = durableJobs({ queue, checkpoints: new CheckpointManager(queue), bootId: 'b', bootClock: () => 0 });
  await jobs.add(claim('a'), 300_000);
  const ids = ['start', ...Array.from({ length: 20 }, (_, index) => `set${index}`)];
  const config = (name: string): object => ({ variable_name: name, value: 'x'.repeat(30_000) });
  const nodes = ids.map((id) => [
    id,
    id === 'start'
      ? { node_id: id, node_type: 'StartNode', config: {} }
      : { node_id: id, node_type: 'SetVariableNode', config: config(id) },
  ]);
  const connections = ids.slice(1).map((target, index) => ({
    ...{ source_node: ids[index], source_port: 'exec_out', target_node: target, target_port: 'exec_in' },
  }));
  const runner = new InProcessRunner({
    registry: createNodeRegistry([]),
    journalFor: () => jobJournal(withResultsInReserve(jobs.open('a')), () => null),
    workDirFor: async () => home,
    logger: { log: () => undefined },
  });
  const workflowJson = JSON.stringify({ metadata: { name: 'a' }, nodes: Object.fromEntries(nodes), connections });
  const policies = { inDoubtPolicy: 'ask', timeoutMs: null, priority: 0, variables: {} } as const;
  const { end } = await runner.run({ jobId: 'a', name: 'a', workflowJson, ...policies }, new AbortController().signal);
  expect(end).toMatchObject({ status: 'failed', error: { code: 'RESULT_TOO_LARGE' } });
  expect((await queue.getJob('a')).status).toBe('failed');
});
