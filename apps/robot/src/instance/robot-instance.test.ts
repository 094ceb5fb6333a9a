import type { InstanceAnswer, InstanceClaim } from '@casare/execution';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/robot-home.ts';
import { RobotInstance } from './robot-instance.ts';

/** Starts of one robot, in a home that they share; the test is the server. */
function starts() {
  const home = temporaryFolder();
  const asked: InstanceClaim[] = [];
  const told: string[] = [];
  const server = {
    version: 15,
    answer: (_claim: InstanceClaim): InstanceAnswer => ({ isTaken: true, after: 'restart', host: 'one' }),
  };
  const gateway = {
    schemaVersion: async () => server.version,
    takeInstance: async (claim: InstanceClaim) => {
      asked.push(claim);
      return server.answer(claim);
    },
    leaveInstance: async (_robot: string, instance: string) => {
      told.push(`left ${instance}`);
      return true;
    },
  };
  const listener = {
    onHeld: () => void told.push('held'),
    onTakenAfterSilence: async (why: string) => {
      told.push('silence');
      return { why, upToToken: '7' };
    },
    onTwin: () => void told.push('twin'),
  };
  const start = async (machine = 'one') => {
    const instance = await RobotInstance.load({
      home,
      robotId: 'r',
      place: { machine, boot: 'b', host: machine, upMs: () => 0 },
      presenceMs: 10_000,
      silentMs: 300_000,
      logger: { log: () => undefined },
    });
    return { instance, settle: () => instance.settle(gateway, listener) };
  };
  return { start, server, asked, told, gateway };
}

it('a start names the accepted instance before it, and those whose answer was lost; it is asked for once', async () => {
  const { start, server, asked, told, gateway } = starts();
  const first = await start();
  await Promise.all([first.settle(), first.settle()]);
  await first.settle();
  server.answer = () => {
    throw new Error('the answer was lost');
  };
  const second = await start();
  await expect(second.settle()).rejects.toThrow('lost');
  server.answer = () => ({ isTaken: true, after: 'restart', host: 'one' });
  const third = await start();
  await third.settle();
  expect(asked.map(({ previous }) => previous)).toEqual([
    [],
    [first.instance.id],
    [first.instance.id, second.instance.id],
  ]);
  await third.instance.leave(gateway);
  expect(told).toEqual(['held', 'held', `left ${third.instance.id}`]);
});

it('a home that was moved resumes nothing unheard, nor does a start that was refused', async () => {
  const { start, server, told } = starts();
  const first = await start();
  expect(first.instance.mayActUnheard).toBe(true);
  await first.settle();
  expect((await start('two')).instance.mayActUnheard).toBe(false);
  const again = await start();
  expect(again.instance.mayActUnheard).toBe(true);
  server.answer = () => ({ isTaken: false, host: 'two', silentMs: 1_000, waitMs: 20_000 });
  await expect(again.settle()).rejects.toMatchObject({ code: 'ROBOT_TWIN' });
  expect([again.instance.mayActUnheard, again.instance.isHeld, told]).toEqual([false, false, ['held']]);
  server.answer = () => ({ isTaken: false, host: 'two', silentMs: 1_000, waitMs: 299_000 });
  await expect(again.settle()).rejects.toThrow('works elsewhere: at two, last heard of 1 s ago');
  server.answer = () => ({ isTaken: true, after: 'silence', host: 'two' });
  await again.settle();
  expect(told).toEqual(['held', 'twin', 'silence', 'held']);
  // The next start knows what it took over, however soon this one ends.
  server.answer = () => ({ isTaken: true, after: 'restart', host: 'one' });
  const next = await start();
  await next.settle();
  expect((await start()).instance.distrust).toMatchObject({ why: expect.stringContaining('two'), upToToken: '7' });
});

it('a place that is to be free soon is waited for, until the other one is heard of meanwhile', async () => {
  const { start, server, told } = starts();
  const { settle } = await start();
  for (const silentMs of [1_000, 4_000, 8_000, 500]) {
    expect(told).toEqual([]);
    server.answer = () => ({ isTaken: false, host: 'two', silentMs, waitMs: 30_000 - silentMs });
    await expect(settle()).rejects.toMatchObject({ code: 'ROBOT_TWIN' });
  }
  expect(told).toEqual(['twin']);
});

it('a database that knows of no instances has one', async () => {
  const { start, server, told, gateway } = starts();
  server.version = 14;
  server.answer = () => {
    throw new Error('no such function');
  };
  const { instance, settle } = await start();
  await settle();
  await instance.leave(gateway);
  expect([instance.isHeld, told]).toEqual([true, ['held']]);
});
