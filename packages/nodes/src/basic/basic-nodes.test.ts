import { ManualClock } from '@casare/testing';
import { expect, test } from 'vitest';
import { NodeBench, problemsOf } from '../../test/context.ts';
import { logNode } from './log-node.ts';
import { waitNode } from './wait-node.ts';

async function logged(config: Record<string, never> | object, variables = {}): Promise<NodeBench['logs']> {
  const bench = new NodeBench(logNode, config as never, { variables, clock: new ManualClock() });
  await bench.run();
  return bench.logs;
}

test('a message is logged at critical unless a level is given, with node and time as fields', async () => {
  expect(await logged({ message: 'hi' })).toEqual([
    { level: 'critical', message: 'hi', fields: { node_id: 'node_1', logged_at: '2026-01-01T00:00:00.000Z' } },
  ]);
  expect(await logged({ message: 'hi', level: 'INFO', include_timestamp: false, include_node_id: false })).toEqual([
    { level: 'info', message: 'hi', fields: {} },
  ]);
});

test('data is not required, and is written after the message when given', async () => {
  const [record] = await logged({ message: 'row', data: { a: [1] } });
  expect(record?.message).toBe('row | Data: {"a":[1]}');
});

test('fields of the message are filled from variables; other braces are left alone', async () => {
  expect((await logged({ message: '{n} items' }, { n: 3 }))[0]?.message).toBe('3 items');
  expect((await logged({ message: '{n} items' }))[0]?.message).toBe('{n} items');
  expect((await logged({ message: '{"a": 1}' }, { a: 2 }))[0]?.message).toBe('{"a": 1}');
  expect((await logged({ message: '{{unknown}} {{{}}}' }))[0]?.message).toBe('{{unknown}} {{{}}}');
  expect((await logged({ message: '{n} of {{unknown}}, {missing}' }, { n: 3 }))[0]?.message).toBe(
    '3 of {{unknown}}, {missing}',
  );
});

test('a wait takes its seconds on the clock', async () => {
  const clock = new ManualClock();
  let done = false;
  const waiting = new NodeBench(waitNode, { duration: '1.5' }, { clock }).run().then(() => {
    done = true;
  });
  await clock.advance(1499);
  expect(done).toBe(false);
  await clock.advance(1);
  await waiting;
});

test('a wait ends as soon as the run is stopped', async () => {
  const stop = new AbortController();
  const waiting = new NodeBench(waitNode, { duration: 3600 }, { clock: new ManualClock(), signal: stop.signal }).run();
  const ended = expect(waiting).rejects.toThrow('stopped');
  stop.abort(new Error('stopped'));
  await ended;
});

test('a wait is one second by default, and never negative', async () => {
  expect(new NodeBench(waitNode, {}).context.params).toEqual({ duration: 1 });
  expect(problemsOf(waitNode, { duration: -1 })).toEqual(['duration: must be at least 0, but is -1']);
});
