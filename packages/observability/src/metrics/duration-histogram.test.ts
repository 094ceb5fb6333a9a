import { describe, expect, it } from 'vitest';
import { DurationHistogram } from './duration-histogram.ts';

/** Mulberry32: the same numbers for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function exactPercentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

describe('a percentile', () => {
  it('is within 1 % of the exact one, whatever the durations look like', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const spread = 1 + random() * 12;
      const durations = Array.from({ length: 1 + Math.floor(random() * 500) }, () =>
        Math.min(1e10, Math.max(0.001, 10 ** (random() * spread - 3))),
      );
      const histogram = new DurationHistogram();
      for (const duration of durations) histogram.record(duration);
      const sorted = durations.toSorted((a, b) => a - b);
      for (const share of [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1]) {
        const exact = exactPercentile(sorted, share);
        const error = Math.abs((histogram.percentile(share) ?? Number.NaN) - exact) / exact;
        expect(error, `seed ${seed}, share ${share}`).toBeLessThanOrEqual(0.01);
      }
    }
  });

  it('is exact where all durations are equal', () => {
    const histogram = new DurationHistogram();
    for (let count = 0; count < 10; count += 1) histogram.record(150);
    expect(histogram.summary()).toMatchObject({ count: 10, minMs: 150, p50Ms: 150, p99Ms: 150, maxMs: 150 });
  });

  it('is nothing when there is no duration', () => {
    expect(new DurationHistogram().summary()).toEqual({
      count: 0,
      totalMs: 0,
      averageMs: null,
      minMs: null,
      maxMs: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
    });
  });

  it('stays between minimum and maximum at the ends of the range', () => {
    const histogram = new DurationHistogram();
    for (const duration of [0, 1e-9, 1e15]) histogram.record(duration);
    expect(histogram.summary()).toMatchObject({ minMs: 0, maxMs: 1e15, count: 3 });
    expect(histogram.percentile(0.5)).toBeLessThanOrEqual(0.001);
    expect(histogram.percentile(1)).toBeGreaterThanOrEqual(0.99e10);
  });
});

it('refuses what is no duration, and what is no share, and counts nothing', () => {
  const histogram = new DurationHistogram();
  for (const durationMs of [Number.NaN, -1, 1e300, '5' as never]) {
    expect(() => histogram.record(durationMs)).toThrow(/^durationMs must be a number of ms from 0 to 9007199254740991/);
  }
  for (const share of [Number.NaN, -1, 2, '0.5' as never]) {
    expect(() => histogram.percentile(share)).toThrow(/^share must be a number from 0 to 1, but is/);
  }
  expect(histogram.summary()).toMatchObject({ count: 0, totalMs: 0 });
});

describe('histograms', () => {
  const filled = (seed: number, count: number): { histogram: DurationHistogram; durations: number[] } => {
    const random = seededRandom(seed);
    const histogram = new DurationHistogram();
    const durations = Array.from({ length: count }, () => 10 ** (random() * 8 - 2));
    for (const duration of durations) histogram.record(duration);
    return { histogram, durations };
  };

  it('that are merged are the same as one that has counted everything', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const parts = [
        filled(seed, 300),
        filled(seed + 100, seed),
        { histogram: new DurationHistogram(), durations: [] },
      ];
      const merged = new DurationHistogram();
      const whole = new DurationHistogram();
      for (const { histogram, durations } of parts) {
        merged.merge(histogram);
        for (const duration of durations) whole.record(duration);
      }
      expect({ ...merged.snapshot(), totalMs: 0 }).toEqual({ ...whole.snapshot(), totalMs: 0 });
      expect(merged.totalMs / whole.totalMs).toBeCloseTo(1, 9);
    }
  });

  it('survive being written and read', () => {
    const { histogram } = filled(7, 500);
    const read = DurationHistogram.restore(JSON.parse(JSON.stringify(histogram.snapshot())));
    expect(read?.snapshot()).toEqual(histogram.snapshot());
    expect(DurationHistogram.restore(new DurationHistogram().snapshot())?.summary().count).toBe(0);
  });

  it.each([
    null,
    {},
    { count: 1, totalMs: 1, minMs: 1, maxMs: 1, buckets: [] },
    { count: 1, totalMs: 1, minMs: 1, maxMs: 1, buckets: [[1e9, 1]] },
    { count: 1, totalMs: 1, minMs: 1, maxMs: 1, buckets: [[0.5, 1]] },
    { count: -1, totalMs: 1, minMs: 1, maxMs: 1, buckets: [[1, -1]] },
    { count: 1, totalMs: 'x', minMs: 1, maxMs: 1, buckets: [[1, 1]] },
    { count: 1, totalMs: 1, minMs: null, maxMs: 1, buckets: [[1, 1]] },
  ])('refuse what is no snapshot: %j', (value) => {
    expect(DurationHistogram.restore(value)).toBeNull();
  });

  it('count what does not exceed a bound, to within 2 % of the bound', () => {
    const { histogram, durations } = filled(3, 2_000);
    const bounds = [0.5, 1, 5, 250, 10_000, 1e6];
    histogram.countsUpTo(bounds).forEach((count, index) => {
      const bound = bounds[index] ?? 0;
      expect(count).toBeGreaterThanOrEqual(durations.filter((duration) => duration <= bound).length);
      expect(count).toBeLessThanOrEqual(durations.filter((duration) => duration <= bound * 1.02).length);
    });
  });
});
