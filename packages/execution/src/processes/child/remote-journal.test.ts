import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../engine/journal.ts';
import { FrameTooLargeError } from '../channel.ts';
import type { Question } from '../messages.ts';
import { Questions } from './questions.ts';
import { RemoteJournal } from './remote-journal.ts';

const began: JournalEntry = { kind: 'began', workflow_hash: '', variables: {}, at: 0 };
const snapshot: JournalEntry = { kind: 'snapshot', state: {}, at: 0 };

/** A channel that refuses a commit if one of its entries is of a kind that `isTooLarge` names. */
function journalThatRefuses(isTooLarge: (kind: string) => boolean) {
  const taken: string[][] = [];
  const tooLarge: number[] = [];
  const questions = new Questions((question: Question) => {
    if (question.type !== 'commit') return;
    const kinds = question.entries.map(({ kind }) => kind);
    if (kinds.some(isTooLarge)) throw new FrameTooLargeError(99);
    taken.push(kinds);
    questions.take({ type: 'answer', id: question.id, value: null });
  });
  const onTooLarge = (bytes: number): void => void tooLarge.push(bytes);
  const rest = { snapshotEveryEntries: 1, sinceBootMs: () => 0, onHeld: () => undefined };
  const journal = new RemoteJournal({ questions, onTooLarge, ...rest });
  return { journal, taken, tooLarge };
}

describe('what no message can hold', () => {
  it('is done without if it is a snapshot', async () => {
    const { journal, taken, tooLarge } = journalThatRefuses((kind) => kind === 'snapshot');
    await journal.commit([began, snapshot]);
    expect([taken, tooLarge]).toEqual([[['began']], []]);
  });

  it('is refused and told if it is needed', async () => {
    const { journal, taken, tooLarge } = journalThatRefuses((kind) => kind === 'began');
    await expect(journal.commit([began, snapshot])).rejects.toThrow(FrameTooLargeError);
    expect([taken, tooLarge]).toEqual([[], [99]]);
  });
});

it('refuses to begin a node when the time that came with the answer to its intent is over', async () => {
  const clock = { ms: 1_000 };
  let beginBy: number | null = 1_500;
  const journal = new RemoteJournal({
    questions: { load: async () => [], commit: async () => beginBy },
    sinceBootMs: () => clock.ms,
    snapshotEveryEntries: null,
    onTooLarge: () => undefined,
    onHeld: () => undefined,
  });
  journal.beforeNode();
  await journal.commit([began]);
  clock.ms = 1_499;
  journal.beforeNode();
  clock.ms = 1_500;
  expect(() => journal.beforeNode()).toThrow('is over');
  beginBy = null;
  await journal.commit([began]);
  journal.beforeNode();
});
