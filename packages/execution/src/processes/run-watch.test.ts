import { describe, expect, it } from 'vitest';
import { type KillCause, type OpenNode, RunWatch } from './run-watch.ts';

const limits = { graceMs: 1_000, stallMs: 5_000 };
const pure = { step: 1, effect: 'pure' } as const;
const effect = { step: 1, effect: 'effect' } as const;

/** A watch, and what is due of it when its process has answered a moment before. */
function watch() {
  const made = new RunWatch(limits, 0);
  const due = (now: number, open: readonly OpenNode[], stoppedAt: number | null): KillCause | null => {
    made.heard(now - 1);
    return made.due(now, open, stoppedAt);
  };
  return { watch: made, due };
}

describe('a job process is to be killed', () => {
  it('when a node has not ended within its limit and the grace', () => {
    const { watch: run, due } = watch();
    run.nodeStarted(1, 2_000, 100);
    expect(due(3_300, [pure], null)).toBeNull();
    expect(due(3_350, [pure], null)).toEqual({ kind: 'node_timeout', step: 1, limitMs: 2_000 });
    expect(due(3_350, [], null)).toBeNull();
  });

  it('never for a node without a limit that answers', () => {
    const { watch: run, due } = watch();
    run.nodeStarted(1, null, 0);
    expect(due(1_000_000, [pure], null)).toBeNull();
  });

  it('when it has been silent for too long and no limit is known', () => {
    const run = new RunWatch(limits, 0);
    expect(run.due(4_999, [], null)).toBeNull();
    expect(run.due(5_000, [], null)).toEqual({ kind: 'stalled', silentMs: 5_000 });
    run.nodeStarted(1, 60_000, 5_000);
    expect(run.due(20_000, [pure], null)).toBeNull();
    run.heard(20_000);
    expect(run.due(20_001, [], null)).toBeNull();
  });

  it('when a node outlasts a cancel by the grace, whatever it is', () => {
    for (const node of [pure, effect]) {
      const { watch: run, due } = watch();
      run.nodeStarted(1, null, 0);
      run.stopped('cancel', 100);
      expect(due(1_300, [node], null)).toBeNull();
      expect(due(1_400, [node], null)).toEqual({ kind: 'stop_ignored' });
    }
  });

  it('not for an effect that answers while the run is suspended, but for one that does not', () => {
    const { watch: run, due } = watch();
    run.nodeStarted(1, null, 0);
    run.stopped('suspend', 100);
    expect(due(10_000, [effect], null)).toBeNull();
    expect(due(10_000, [pure], null)).toEqual({ kind: 'stop_ignored' });
    expect(run.due(11_300, [effect], null)).toEqual({ kind: 'stop_ignored' });
  });

  it('when anything is left at the limit of a suspend', () => {
    const { watch: run, due } = watch();
    run.nodeStarted(1, null, 0);
    run.stopped('suspend', 100, 500);
    expect(due(849, [effect], null)).toBeNull();
    expect(due(850, [effect], null)).toEqual({ kind: 'stop_ignored' });
  });

  it('when finally bodies outlast the grace that began with the stop', () => {
    const { watch: run, due } = watch();
    run.stopped('cancel', 100);
    run.nodeStarted(1, null, 500);
    expect(due(1_400, [pure], 200)).toBeNull();
    expect(due(1_500, [pure], 200)).toEqual({ kind: 'stop_ignored' });
  });

  it('is told once that the time of the job is over', () => {
    const { watch: run } = watch();
    run.jobStarted(null, 0);
    expect(run.isJobOver(1_000_000)).toBe(false);
    run.jobStarted(1_000, 0);
    expect(run.isJobOver(999)).toBe(false);
    expect(run.isJobOver(1_000)).toBe(true);
    run.stopped('job_timeout', 1_000);
    expect(run.isJobOver(1_001)).toBe(false);
  });
});
