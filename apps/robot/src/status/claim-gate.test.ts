import type { ResourceSample } from '@casare/observability';
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { ClaimGate } from './claim-gate.ts';

function sample(freeMb: number): ResourceSample {
  return {
    atMs: 0,
    cpuPercent: null,
    memoryMb: 1,
    memoryPercent: 1,
    memoryLimitMb: 100,
    cpuLimitCores: 1,
    processes: 1,
    eventLoop: null,
    disk: { freeMb, totalMb: 1_000 },
    storesMb: {},
  };
}

describe('the gate', () => {
  it('closes once when the disk is full, says why, and opens once when there is room', () => {
    const logged: string[] = [];
    let changes = 0;
    const gate = new ClaimGate({
      minFreeDiskMb: 100,
      maxMemoryPercent: 90,
      logger: { log: (level, message) => logged.push(`${level}: ${message}`) },
      clock: new ManualClock(),
      onChange: () => {
        changes += 1;
      },
    });
    const closed = [500, 50, 40, 500, 500].map((freeMb) => {
      gate.sampled(sample(freeMb));
      return gate.isClosed;
    });
    expect(closed).toEqual([false, true, true, false, false]);
    expect(changes).toBe(2);
    expect(gate.refusals).toEqual([]);
    expect(logged).toEqual([
      'warning: no new jobs are taken, running ones go on: the disk has 50 MB free, 100 MB are needed',
      'info: nothing is in the way any more; new jobs are taken',
    ]);
  });

  it('says of what comes and goes that it does, then how often, and when it is over; another reason is told at once', async () => {
    const clock = new ManualClock();
    const logged: string[] = [];
    let changes = 0;
    const gate = new ClaimGate({
      ...{ minFreeDiskMb: 100, maxMemoryPercent: 90, clock },
      logger: { log: (level, message) => logged.push(`${level}: ${message}`) },
      onChange: () => {
        changes += 1;
      },
    });
    const slow = 'the store is slow';
    const look = async (reason: string | null): Promise<void> => {
      gate.hold('store', reason);
      await clock.advance(5_000);
    };
    const news = (): string[] => logged.splice(0);
    for (let minute = 0; minute < 25; minute += 1) {
      for (let turn = 0; turn < 6; turn += 1) for (const reason of [slow, null]) await look(reason);
    }
    expect(changes).toBe(300);
    expect(news()).toEqual([
      'warning: no new jobs are taken, running ones go on: the store is slow',
      'info: nothing is in the way any more; new jobs are taken',
      'warning: no new jobs are taken, running ones go on: the store is slow (it comes and goes, which is told again in ten minutes)',
      'warning: no new jobs are taken, running ones go on: the store is slow (it has come and gone 62 times in 10 minutes)',
      'warning: no new jobs are taken, running ones go on: the store is slow (it has come and gone 122 times in 20 minutes)',
    ]);
    gate.sampled(sample(50));
    gate.sampled(sample(500));
    expect(news()).toEqual([
      'warning: no new jobs are taken, running ones go on: the disk has 50 MB free, 100 MB are needed',
    ]);
    for (let turn = 0; turn < 30; turn += 1) await look(null);
    expect(news()).toEqual([
      'info: nothing has been in the way for a minute; new jobs are taken (it had come and gone 151 times)',
    ]);
    await look(slow);
    for (let turn = 0; turn < 30; turn += 1) await look(null);
    await look(slow);
    gate.stopping();
    await look(null);
    expect(news().map((line) => line.slice(0, 7))).toEqual(['warning', 'info: n', 'warning']);
    gate.hold('store', 'the store cannot be written to: ENOSPC');
    for (let turn = 0; turn < 30; turn += 1) await look(null);
    expect(news()).toEqual(['warning: the robot stops, with a problem: the store cannot be written to: ENOSPC']);
  });
});
