import { describe, expect, it } from 'vitest';
import { describeShortage, type ResourceShortage, shortagesOf } from './claim-limits.ts';
import type { ResourceSample } from './resource-sample.ts';

const thresholds = { minFreeDiskMb: 100, maxMemoryPercent: 90 };

function sample(freeMb: number | null, memoryPercent: number): ResourceSample {
  return {
    atMs: 0,
    cpuPercent: null,
    memoryMb: 1,
    memoryPercent,
    memoryLimitMb: 1,
    cpuLimitCores: 1,
    processes: 1,
    eventLoop: null,
    disk: freeMb === null ? null : { freeMb, totalMb: 1_000 },
    storesMb: {},
  };
}

describe('a shortage', () => {
  it('begins at its limit, holds until there is clearly more room, and does not flicker', () => {
    let short: readonly ResourceShortage[] = [];
    const seen = [100, 99, 101, 109, 110, 101, 99].map((freeMb) => {
      short = shortagesOf(sample(freeMb, 10), thresholds, short);
      return short.length;
    });
    expect(seen).toEqual([0, 1, 1, 1, 0, 0, 1]);
    const memory = [90, 91, 86, 85, 89].map((percent) => {
      short = shortagesOf(sample(500, percent), thresholds, short);
      return short.length;
    });
    expect(memory).toEqual([0, 1, 1, 0, 0]);
  });

  it('of disk and memory is told of both, in words', () => {
    const short = shortagesOf(sample(12.4, 95.2), thresholds, []);
    expect(short.map(describeShortage)).toEqual([
      'the disk has 12 MB free, 100 MB are needed',
      'memory is at 95 % of its limit, 90 % are allowed',
    ]);
  });

  it('is none where there is no limit, or nothing is known', () => {
    expect(shortagesOf(sample(0, 100), { minFreeDiskMb: null, maxMemoryPercent: null }, [])).toEqual([]);
    expect(shortagesOf(sample(null, 0), thresholds, [])).toEqual([]);
  });
});
