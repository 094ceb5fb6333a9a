import { ManualClock } from '@casare/testing';
import { expect, it } from 'vitest';
import { verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import { Pauses } from './pauses.ts';

function begin(letter: 'S' | 'T', ending?: 'answered' | 'lost') {
  const clock = new ManualClock();
  const pauses = new Pauses(clock);
  const error = new ConnectionError('later', verdict(letter, 'LATER', { retryAfterMs: 16_000 }));
  let isOver = false;
  const over = pauses.pause({ error, attempt: 1, delayMs: 16_500 }, new AbortController().signal).then(() => {
    isOver = true;
  });
  if (ending !== undefined) pauses[ending]();
  const advance = async (ms: number): Promise<boolean> => {
    await clock.advance(ms);
    return isOver;
  };
  return { over, advance };
}

it('takes as long as the service asks for, and the own backoff besides', async () => {
  const { advance } = begin('S');
  expect([await advance(16_499), await advance(1)]).toEqual([false, true]);
});

it('takes the own backoff once a look was answered, but a throttle counts', async () => {
  const guess = begin('S', 'answered');
  expect([await guess.advance(499), await guess.advance(1)]).toEqual([false, true]);
  const throttle = begin('T', 'answered');
  expect([await throttle.advance(16_499), await throttle.advance(1)]).toEqual([false, true]);
});

it.each(['S', 'T'] as const)('is over once the connection is lost (class %s)', async (letter) => {
  await begin(letter, 'lost').over;
});
