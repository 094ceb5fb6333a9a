import { expect, test } from 'vitest';
import { QueueFullError, TaskQueue } from './task-queue.ts';

test('tasks run one after the other, in the order they came, whatever becomes of each', async () => {
  const queue = new TaskQueue();
  const steps: string[] = [];
  const task = (name: string) => async (): Promise<void> => {
    steps.push(`${name} starts`);
    await Promise.resolve();
    steps.push(`${name} ends`);
    if (name === 'b') throw new Error('b failed');
  };

  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => queue.run(task(name))));

  expect(steps).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a full queue refuses more, and takes more when there is room again', async () => {
  const queue = new TaskQueue(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = queue.run(() => promise);

  await expect(queue.run(async () => 'second')).rejects.toBeInstanceOf(QueueFullError);
  resolve();
  await first;

  expect(await queue.run(async () => 'third')).toBe('third');
});

test('closing lets the task under way end, refuses those that wait, and then does its last thing', async () => {
  const queue = new TaskQueue();
  const steps: string[] = [];
  const underWay = queue.run(async () => void steps.push('under way'));
  await underWay;
  const waiting = queue.run(async () => void steps.push('waiting'));
  const closing = queue.close(async () => void steps.push('closed'));

  await expect(waiting).rejects.toMatchObject({ code: 'STOPPED' });
  await closing;

  expect(steps).toEqual(['under way', 'closed']);
  await expect(queue.run(async () => undefined)).rejects.toMatchObject({ code: 'STOPPED' });
});
