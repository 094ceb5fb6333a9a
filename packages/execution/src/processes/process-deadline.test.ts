import { expect, it } from 'vitest';
import { DeadlineReader, deadlineLine } from './process-deadline.ts';

it('knows the newest deadline that has come whole, however it comes', () => {
  const reader = new DeadlineReader();
  expect(reader.remainingMs(0)).toBeNull();
  const text = deadlineLine(1_000.7) + deadlineLine(2_000);
  for (const piece of [text.slice(0, 7), text.slice(7)]) reader.take(piece);
  expect(reader.remainingMs(500)).toBe(1_500);
  reader.take('30');
  expect(reader.remainingMs(2_500)).toBe(0);
  reader.take(`00\n${deadlineLine(null)}`);
  expect(reader.remainingMs(2_500)).toBeNull();
});
