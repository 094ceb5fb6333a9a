import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { CancellationChecker, type LeaseAnswer } from '../../src/index.ts';

const answerFor = (jobId: string, outcome: LeaseAnswer['outcome']): LeaseAnswer => ({
  jobId,
  leaseToken: '1',
  outcome,
  cancelReason: outcome === 'cancelled' ? 'wrong month' : null,
  cancelRequestedBy: outcome === 'cancelled' ? 'ann' : null,
  answers: [],
});

describe('CancellationChecker', () => {
  it('tells a job once that it was cancelled, with the reason and who asked', async () => {
    const clock = new ManualClock();
    let outcome: LeaseAnswer['outcome'] = 'ok';
    const told: unknown[] = [];
    const checker = new CancellationChecker({
      leases: { heartbeatAll: async () => [answerFor('a', outcome), answerFor('b', 'ok')] },
      checkIntervalMs: 2_000,
      clock,
    });
    const watch = checker.start('a', { onCancelled: (cancellation) => told.push(cancellation) });
    const other = checker.start('b');
    await clock.advance(2_000);
    expect(watch.isCancelled).toBe(false);
    outcome = 'cancelled';
    await clock.advance(6_000);
    expect(watch.isCancelled).toBe(true);
    expect(other.isCancelled).toBe(false);
    expect(told).toEqual([{ reason: 'wrong month', requestedBy: 'ann' }]);
    watch.stop();
    other.stop();
    expect(clock.sleeping).toBe(0);
  });

  it('tells that a lease is lost', async () => {
    const clock = new ManualClock();
    let stale = 0;
    const checker = new CancellationChecker({
      leases: { heartbeatAll: async () => [answerFor('a', 'stale')] },
      clock,
    });
    const watch = checker.start('a', { onStale: () => (stale += 1) });
    await clock.advance(10_000);
    expect([watch.isStale, stale]).toEqual([true, 1]);
    checker.stop();
  });

  it('takes a failed check for no answer and asks again', async () => {
    const clock = new ManualClock();
    let down = true;
    const failures: unknown[] = [];
    const checker = new CancellationChecker({
      leases: {
        heartbeatAll: async () => {
          if (down) throw new Error('offline');
          return [answerFor('a', 'cancelled')];
        },
      },
      clock,
      onCheckFailed: (error) => failures.push(error),
    });
    const watch = checker.start('a');
    await clock.advance(4_000);
    expect(watch.isCancelled).toBe(false);
    expect(failures.length).toBeGreaterThan(0);
    down = false;
    await clock.advance(2_000);
    expect(watch.isCancelled).toBe(true);
    checker.stop();
  });

  it('asks at once when it is woken, and once more for all who ask meanwhile', async () => {
    const clock = new ManualClock();
    const answers: ((outcome: LeaseAnswer['outcome']) => void)[] = [];
    const told: unknown[] = [];
    const checker = new CancellationChecker({
      leases: {
        heartbeatAll: () => new Promise((resolve) => answers.push((outcome) => resolve([answerFor('a', outcome)]))),
      },
      clock,
    });
    checker.start('a', { onCancelled: (cancellation) => told.push(cancellation) });
    await clock.advance(0);
    const woken = Promise.all([checker.checkNow(), checker.checkNow(), checker.checkNow()]);
    answers[0]?.('ok');
    await clock.advance(0);
    expect(answers).toHaveLength(2);
    answers[1]?.('cancelled');
    await woken;
    expect(told).toHaveLength(1);
    checker.stop();
  });

  it('says once that a lease stands, and takes no answer about an earlier claim of the job', async () => {
    const clock = new ManualClock();
    let answer = answerFor('a', 'stale');
    const told: string[] = [];
    const checker = new CancellationChecker({ leases: { heartbeatAll: async () => [answer] }, clock });
    const listener = { onStale: () => told.push('stale'), onConfirmed: () => told.push('confirmed') };
    const watch = checker.start('a', listener, { leaseToken: '2' });
    await clock.advance(4_000);
    expect(told).toEqual([]);
    answer = { ...answerFor('a', 'ok'), leaseToken: '2' };
    await clock.advance(4_000);
    expect([told, watch.isStale]).toEqual([['confirmed'], false]);
    checker.stop();
  });

  it('takes answers that came another way for a check, and does not wait for a request that is under way', async () => {
    const clock = new ManualClock();
    const askedAt: number[] = [];
    const checker = new CancellationChecker({
      leases: {
        heartbeatAll: async () => {
          askedAt.push(clock.monotonic());
          return [answerFor('a', 'ok')];
        },
      },
      checkIntervalMs: 2_000,
      clock,
    });
    const watch = checker.start('a');
    for (let turn = 0; turn < 5; turn += 1) {
      await clock.advance(1_000);
      checker.answered([answerFor('a', 'ok')], clock.monotonic());
    }
    expect(askedAt).toEqual([0]);
    await clock.advance(2_500);
    expect(askedAt).toEqual([0, 7_000]);
    checker.answered([answerFor('a', 'cancelled')], clock.monotonic());
    expect(watch.isCancelled).toBe(true);
    checker.stop();
  });

  it('checks again at once when a check took longer than the interval', async () => {
    const clock = new ManualClock();
    const askedAt: number[] = [];
    const checker = new CancellationChecker({
      leases: {
        heartbeatAll: async () => {
          askedAt.push(clock.monotonic());
          await clock.sleep(5_000);
          return [];
        },
      },
      checkIntervalMs: 2_000,
      clock,
    });
    checker.start('a');
    await clock.advance(11_000);
    expect(askedAt).toEqual([0, 5_000, 10_000]);
    checker.stop();
  });

  it('tells what operators answered with every check, but not to a job that is to stop', async () => {
    const clock = new ManualClock();
    const given = [
      { node_id: 'pay', step: 3, attempt: 1, answer: 'skip' as const, by: 'ann', at: '2026-01-01T00:00:00Z' },
    ];
    let outcome: LeaseAnswer['outcome'] = 'ok';
    const told: unknown[] = [];
    const checker = new CancellationChecker({
      leases: { heartbeatAll: async () => [{ ...answerFor('a', outcome), answers: given }] },
      clock,
    });
    checker.start('a', { onAnswers: (answers) => told.push(...answers) });
    await clock.advance(2_000);
    expect(told).toEqual([...given, ...given]);
    outcome = 'cancelled';
    await clock.advance(2_000);
    expect(told).toHaveLength(2);
    checker.stop();
  });

  it('tells the others when one listener throws', async () => {
    const clock = new ManualClock();
    const failures: unknown[] = [];
    const checker = new CancellationChecker({
      leases: { heartbeatAll: async () => [answerFor('a', 'cancelled'), answerFor('b', 'cancelled')] },
      clock,
      onCheckFailed: (error) => failures.push(error),
    });
    checker.start('a', {
      onCancelled: () => {
        throw new Error('listener');
      },
    });
    const other = checker.start('b');
    await clock.advance(2_000);
    expect([other.isCancelled, failures.length]).toEqual([true, 1]);
    checker.stop();
  });
});
