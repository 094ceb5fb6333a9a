import { describe, expect, it } from 'vitest';
import { changeState, type JobState, type StatusChange } from './job-state.ts';

const running: JobState = { status: 'in_progress', startedAtMs: 5 };
const ended: JobState = { status: 'completed', startedAtMs: 5, endedAtMs: 9, result: { a: 1, b: [2] }, error: null };
const released: JobState = { status: 'released', startedAtMs: 5, endedAtMs: 9, reason: null, supersededBy: '8' };

describe('the state of a job', () => {
  it('keeps its start through doubt and end', () => {
    const nodes = [{ node_id: 'n', reason: 'r' }];
    expect(changeState({ status: 'cached' }, { status: 'in_progress' }, 5)).toEqual({
      kind: 'changed',
      state: running,
    });
    const doubt = { status: 'in_doubt', startedAtMs: 5, nodes } as const;
    expect(changeState(running, { status: 'in_doubt', nodes }, 7)).toEqual({ kind: 'changed', state: doubt });
    expect(changeState(doubt, { status: 'in_progress' }, 8)).toEqual({ kind: 'changed', state: running });
    expect(changeState(running, { status: 'completed', result: { a: 1, b: [2] } }, 9)).toEqual({
      kind: 'changed',
      state: ended,
    });
  });

  it('says when nothing changes', () => {
    expect(changeState(running, { status: 'in_progress' }, 9)).toEqual({ kind: 'same' });
    expect(changeState(ended, { status: 'completed', result: { b: [2], a: 1 } }, 99)).toEqual({ kind: 'same' });
    expect(changeState(released, { status: 'released', reason: 'again' }, 99)).toEqual({ kind: 'same' });
  });

  it.each<[JobState, StatusChange]>([
    [ended, { status: 'in_progress' }],
    [ended, { status: 'in_doubt', nodes: [] }],
    [ended, { status: 'completed' }],
    [ended, { status: 'failed', error: 'e' }],
    [ended, { status: 'cancelled' }],
    [ended, { status: 'released' }],
    [released, { status: 'in_progress' }],
    [released, { status: 'completed' }],
  ])('is final: %j refuses %j', (state, change) => {
    expect(changeState(state, change, 99)).toEqual({ kind: 'refused' });
  });
});
