import { expect, it } from 'vitest';
import type { JournalEntry } from '../engine/journal.ts';
import { journalParts } from './journal-parts.ts';

const entry = (size: number): JournalEntry => ({
  kind: 'began',
  workflow_hash: '',
  variables: { text: 'x'.repeat(size) },
  at: 0,
});

it('a journal is handed over in parts that are short in number and in size, in order', () => {
  const sizes = [...Array.from({ length: 1_200 }, () => 10), 3_000_000, ...Array.from({ length: 5 }, () => 400_000)];
  const parts = [...journalParts(sizes.map(entry))];
  expect(parts.map((part) => part.length)).toEqual([500, 500, 200, 1, 2, 2, 1]);
  expect(parts.flat().map((each) => (each.kind === 'began' ? String(each.variables.text).length : -1))).toEqual(sizes);
  expect([...journalParts([])]).toEqual([]);
});
