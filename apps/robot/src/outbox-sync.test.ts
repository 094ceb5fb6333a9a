import type { DoubtQuestion, JobEvent, JsonObject, Lease, LeaseOutcome } from '@casare/execution';
import { describe, expect, it, vi } from 'vitest';
import { type OutboxItem, OutboxSync } from './outbox-sync.ts';

const never = new AbortController().signal;

function item(id: number, kind: string, jobId = 'a', payload: JsonObject = {}): OutboxItem {
  return { id, jobId, leaseToken: '7', seq: id, kind, payload };
}

function question(node_id: string): DoubtQuestion {
  return { node_id, step: 1, attempt: 1, reason: 'nobody can tell', answers: ['retry', 'skip', 'fail'] };
}

/** An outbox in memory and a server that notes what reaches it. */
function setup(items: readonly OutboxItem[], refuse: (what: string) => unknown = () => null, batchSize?: number) {
  let pending = [...items];
  const sent: string[] = [];
  const failed: string[] = [];
  const superseded: number[] = [];
  const take = async (what: string): Promise<LeaseOutcome> => {
    const error = await refuse(what);
    if (error === 'stale' || error === 'ok') return error;
    if (error !== null) throw error;
    sent.push(what);
    return 'ok';
  };
  const sync = new OutboxSync({
    ...(batchSize === undefined ? {} : { batchSize }),
    outbox: {
      peek: async (limit) => pending.slice(0, limit),
      ack: async (ids) => {
        pending = pending.filter(({ id }) => !ids.includes(id));
      },
      supersede: async (ids) => {
        superseded.push(...ids);
        pending = pending.filter(({ id }) => !ids.includes(id));
      },
      fail: async (id, reason) => {
        failed.push(`${id}: ${reason}`);
        pending = pending.filter((other) => other.id !== id);
      },
    },
    gateway: {
      recordEvents: async (lease: Lease, events: readonly JobEvent[]) =>
        take(`events ${lease.jobId} ${events.map(({ seq }) => seq).join(',')}`),
      setInDoubt: async (lease: Lease, nodes) =>
        take(`in_doubt ${lease.jobId} ${nodes.map((node) => node.node_id).join()}`.trim()),
      completeJob: async (lease: Lease, end) => take(`complete ${lease.jobId} ${end.status}`),
      releaseJob: async (lease: Lease) => take(`release ${lease.jobId}`),
    },
    questionsOf: async ({ jobId }) => (jobId === 'here' ? [question('now')] : null),
    isPermanent: (error) => (error as { category?: string }).category === 'permanent',
  });
  return { sync, sent, failed, superseded, left: () => pending.map(({ id }) => id) };
}

describe('OutboxSync', () => {
  it('sends in order per job, events of one job together, whatever the others do in between', async () => {
    const { sync, sent, left } = setup([
      item(1, 'event'),
      item(2, 'event'),
      item(3, 'event', 'b'),
      item(4, 'event'),
      item(5, 'complete', 'a', { status: 'completed', result: null, error: null, progress: { percent: 100 } }),
    ]);
    expect(await sync.drain(never)).toBe('empty');
    expect(sent).toEqual(['events a 1,2,4', 'events b 3', 'complete a completed']);
    expect(left()).toEqual([]);
  });

  it.each([100, 2, 1])(
    'asks nothing before it has told what led to it, however much lies between (%i at a time)',
    async (batchSize) => {
      const asked = (...nodes: readonly string[]): JsonObject =>
        ({ nodes: nodes.map(question) }) as unknown as JsonObject;
      const items = [
        item(1, 'in_doubt', 'here', asked('then')),
        item(2, 'in_doubt', 'here', asked()),
        item(3, 'event', 'here'),
        item(4, 'in_doubt', 'here', asked('now')),
      ];
      const { sync, sent } = setup(items, () => null, batchSize);
      await sync.drain(never);
      expect(sent).toEqual(['in_doubt here', 'in_doubt here', 'events here 3', 'in_doubt here now']);
    },
  );

  it('sends what an outage leaves in as few requests as the database lets it: 1,000 events in one', async () => {
    const { sync, sent } = setup(Array.from({ length: 2_001 }, (_unused, index) => item(index + 1, 'event')));
    await sync.drain(never);
    expect(sent.map((what) => what.split(',').length)).toEqual([1_000, 1_000, 1]);
  });

  it('asks what is open now, not what was open when the entry was made', async () => {
    const asked = (nodeId: string): JsonObject => ({ nodes: [{ ...question(nodeId) }] }) as unknown as JsonObject;
    const { sync, sent } = setup([
      item(1, 'in_doubt', 'here', asked('now')),
      item(2, 'in_doubt', 'gone', asked('then')),
      // It was refused before, and put back.
      item(3, 'in_doubt', 'here', asked('then')),
    ]);
    expect(await sync.drain(never)).toBe('empty');
    expect(sent).toEqual(['in_doubt here now', 'in_doubt gone then', 'in_doubt here now']);
  });

  it('sends what other jobs have to tell while the answer for one is awaited', async () => {
    const waiting = Promise.withResolvers<LeaseOutcome>();
    const { sync, sent, left } = setup([item(1, 'event'), item(2, 'event'), item(3, 'event', 'b')], (what) =>
      what.startsWith('events a') ? waiting.promise : null,
    );
    const drained = sync.drain(never);
    await vi.waitFor(() => expect([sent, left()]).toEqual([['events b 3'], [1, 2]]));
    waiting.resolve('ok');
    expect(await drained).toBe('empty');
    expect(left()).toEqual([]);
  });

  it('keeps everything that was not answered when the server cannot be reached', async () => {
    let down = true;
    const { sync, sent, failed, left } = setup(
      [item(1, 'event'), item(2, 'complete', 'a', { status: 'failed' })],
      (what) =>
        down && what.startsWith('complete') ? Object.assign(new Error('down'), { category: 'transient' }) : null,
    );
    expect(await sync.drain(never)).toBe('offline');
    expect(left()).toEqual([2]);
    down = false;
    expect(await sync.drain(never)).toBe('empty');
    expect(sent).toEqual(['events a 1', 'complete a failed']);
    expect(failed).toEqual([]);
  });

  it('lets a refused entry count against itself alone', async () => {
    const refusal = Object.assign(new Error('no such thing'), { category: 'permanent' });
    const { sync, sent, failed } = setup([item(1, 'event'), item(2, 'event'), item(3, 'event')], (what) =>
      what.includes('2') ? refusal : null,
    );
    expect(await sync.drain(never)).toBe('empty');
    expect(sent).toEqual(['events a 1', 'events a 3']);
    expect(failed).toEqual(['2: no such thing']);
  });

  it('keeps what counts for nothing any more as superseded, and sends it once', async () => {
    const { sync, sent, superseded, left } = setup(
      [item(1, 'event'), item(2, 'event', 'b'), item(3, 'complete', 'a', { status: 'completed' })],
      (what) => (what.includes(' a') ? 'stale' : null),
    );
    expect(await sync.drain(never)).toBe('empty');
    expect([sent, superseded, left()]).toEqual([['events b 2'], [1, 3], []]);
  });

  it('tells the end of a job without its result when the server refuses the result', async () => {
    const refusal = Object.assign(new Error('too large'), { category: 'permanent' });
    let first = true;
    const { sync, sent, left } = setup(
      [item(1, 'complete', 'a', { status: 'completed', result: { rows: 1 }, error: null })],
      () => {
        if (!first) return null;
        first = false;
        return refusal;
      },
    );
    expect(await sync.drain(never)).toBe('empty');
    expect(sent).toEqual(['complete a completed']);
    expect(left()).toEqual([]);
  });
});
