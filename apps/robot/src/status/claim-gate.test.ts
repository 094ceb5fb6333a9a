import type { ResourceSample } from '@casare/observability';
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
});
