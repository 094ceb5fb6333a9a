import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import type { IntentEntry } from '../engine/journal.ts';
import { memoryJournal } from '../engine/memory-journal.ts';
import { JournalWatch } from './journal-watch.ts';

function intent(step: number, lane?: string): IntentEntry {
  const entry = {
    kind: 'intent',
    step,
    node_id: `n${step}`,
    effect: 'pure',
    attempt: 1,
    idempotency_key: 'k',
    at: 0,
  } as const;
  return lane === undefined ? entry : { ...entry, lane };
}

function watch(recorded: readonly IntentEntry[] = []): JournalWatch {
  return new JournalWatch(memoryJournal(recorded), new ManualClock());
}

const openSteps = (journal: JournalWatch): readonly number[] => journal.open.map(({ step }) => step);

describe('the nodes that are under way', () => {
  it('are those with an intent and no end, also of an earlier process', async () => {
    const journal = watch([intent(1), intent(2)]);
    await journal.load();
    expect(openSteps(journal)).toEqual([1, 2]);
    const ended = { duration_ms: 0, retries: 0, at: 0 };
    await journal.commit([
      { kind: 'result', step: 1, node_id: 'n1', exit: null, outputs: {}, variables: {}, ...ended },
      intent(3),
    ]);
    expect(openSteps(journal)).toEqual([2, 3]);
  });

  it('are no longer those that were told to stop with their branch', async () => {
    const journal = watch();
    await journal.commit([intent(1, '1.1/'), intent(2, '1.2/'), intent(3, '1.2/1.1/')]);
    await journal.commit([{ kind: 'interrupted', lane: '1.1/', step: 1, node_id: 'n1', at: 0 }]);
    expect(openSteps(journal)).toEqual([2, 3]);
    await journal.commit([{ kind: 'lane_dropped', lane: '1.2/', at: 0 }]);
    expect(openSteps(journal)).toEqual([]);
  });

  it('are as before when a commit is refused', async () => {
    const refusing = { ...memoryJournal(), commit: () => Promise.reject(new Error('disk full')) };
    const journal = new JournalWatch(refusing, new ManualClock());
    await expect(journal.commit([intent(1)])).rejects.toThrow('disk full');
    expect(openSteps(journal)).toEqual([]);
    expect(journal.commits).toBe(0);
  });
});
