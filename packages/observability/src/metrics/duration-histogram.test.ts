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
