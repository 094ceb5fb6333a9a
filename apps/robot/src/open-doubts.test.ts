import type { InDoubtEntry, JournalEntry } from '@casare/execution';
import { expect, it } from 'vitest';
import { OpenDoubts } from './open-doubts.ts';

const doubt = (lane: string, node: string): JournalEntry => ({
  kind: 'in_doubt',
  lane,
  step: 1,
  attempt: 1,
  node_id: node,
  reason: 'it cannot look',
  answers: ['retry', 'skip', 'fail'],
  at: 0,
});

it('names the nodes in doubt of all branches, whenever each was asked about', () => {
  const doubts = new OpenDoubts();
  doubts.follow([doubt('1.1/', 'a')]);
  doubts.follow([doubt('1.2/', 'b')]);
  expect(doubts.all.map(({ node_id }) => node_id)).toEqual(['a', 'b']);
});

it('tells of a question about the same thing that is asked for another reason', () => {
  const doubts = new OpenDoubts();
  const whole = { ...doubt('', ''), node_id: null } as JournalEntry;
  expect(doubts.follow([whole])).toBe(true);
  expect(doubts.follow([whole])).toBe(false);
  expect(doubts.follow([{ ...whole, reason: 'another one' } as JournalEntry])).toBe(true);
});

it('forgets a node once its branch has gone on, and all of them when the run is stopped', () => {
  const doubts = new OpenDoubts();
  const failure = { code: 'X', category: 'permanent', message: 'x', node_id: 'a' } as const;
  doubts.follow([
    doubt('1.1/', 'a'),
    doubt('1.2/', 'b'),
    { kind: 'failure', lane: '1.1/', step: 1, node_id: 'a', error: failure, duration_ms: 0, retries: 0, at: 0 },
  ]);
  expect(doubts.all.map(({ node_id }) => node_id)).toEqual(['b']);
  const stop = { status: 'cancelled', reason: 'enough', requested_by: null } as const;
  doubts.follow([{ kind: 'stop', step: null, node_id: null, stop, at: 0 }]);
  expect(doubts.all).toEqual([]);
});

it('takes the open questions of a snapshot for all that was asked before it', () => {
  const { kind: _kind, lane: _lane, at: _at, ...question } = doubt('', 'pay') as InDoubtEntry;
  const state = {
    workflow_hash: null,
    library: null,
    variables: [],
    outputs: [],
    frames: [{ kind: 'root', queue: [] }],
    retrying: null,
    doubt: { ...question, answers: [...question.answers] },
    executed: [],
    step: 1,
    errors: [],
    errors_dropped: 0,
    stop: null,
    active_ms: 0,
  };
  const doubts = new OpenDoubts();
  doubts.follow([doubt('1.1/', 'settled long ago'), { kind: 'snapshot', state, at: 0 }]);
  expect(doubts.all).toEqual([question]);
  expect(doubts.follow([{ kind: 'snapshot', state, at: 0 }])).toBe(false);
});
