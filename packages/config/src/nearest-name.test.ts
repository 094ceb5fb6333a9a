import { describe, expect, it } from 'vitest';
import { nearestName } from './nearest-name.ts';

describe('the nearest name', () => {
  const names = ['maxConcurrentJobs', 'lockTimeoutMs', 'nodeTimeoutMs'];

  it.each([
    ['maxConcurentJobs', 'maxConcurrentJobs'],
    ['max_concurrent_jobs', 'maxConcurrentJobs'],
    ['LOCK-TIMEOUT', 'lockTimeoutMs'],
    ['nodeTimeout', 'nodeTimeoutMs'],
  ])('of %s is %s', (given, meant) => {
    expect(nearestName(given, names)).toBe(meant);
  });

  it('is nothing when no name is close', () => {
    expect(nearestName('colour', names)).toBeNull();
    expect(nearestName('x'.repeat(1_000_000), names)).toBeNull();
  });
});
