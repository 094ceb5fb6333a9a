import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OfflineQueue, openStore, type StoreOptions, StoreOtherRobotError } from '../src/index.ts';
import { openTestJob, openTestStore, result, withDatabase } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

async function refusalOf(path: string, robotId: string): Promise<StoreOtherRobotError> {
  const error = await openStore({ path, robotId }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreOtherRobotError);
  return error as StoreOtherRobotError;
}

async function openAndClose(options: StoreOptions): Promise<void> {
  await (await openStore(options)).close();
}

it('a copy in which another robot has work is refused with both ids, what waits, and what to do; nothing in it changes', async () => {
  const { store, queue, handle } = await openTestJob({ robotId: 'robot-1' });
  await handle.commit([result(1)], { outbox: [{ kind: 'event', payload: 1 }] });
  for (const jobId of ['ended', 'released', 'told']) await queue.cacheJob({ jobId, workflowJson: '{}' });
  await queue.markReleased('released');
  for (const jobId of ['ended', 'told']) await queue.markCompleted(jobId, { success: true });
  await queue.markSynced('told');
  await store.close();
  const path = join(temporaryFolder(), 'store.db');
  copyFileSync(store.path, path);

  for (const attempt of [1, 2]) {
    const refusal = await refusalOf(path, 'robot-2');
    expect({ attempt, ...refusal }).toMatchObject({
      attempt,
      code: 'STORE_OTHER_ROBOT',
      category: 'permanent',
      path,
      ownerId: 'robot-1',
      robotId: 'robot-2',
      unfinished: 1,
      undelivered: 1,
    });
    expect(refusal.message).toMatch(/store\.db belongs to robot robot-1, and this is robot robot-2\. It holds 1 job /);
    expect(refusal.message).toMatch(/Open it with robotId "robot-1", .* with adopt: true/);
  }
  expect(() => new OfflineQueue({ dbPath: path, robotId: 'robot-2' })).toThrow(StoreOtherRobotError);

  const own = await openTestJob({ path, robotId: 'robot-1' });
  expect(await own.handle.load()).toEqual([result(1)]);
  await own.store.close();
});

it('whoever adopts it has it from then on, and its jobs keep the id of the robot that began them', async () => {
  const { store, handle } = await openTestJob({ robotId: 'robot-1' });
  await handle.commit([result(1)]);
  await store.close();
  const { path } = store;
  const logged: unknown[] = [];
  const logger = { log: (...line: unknown[]) => void logged.push(line) };
  const adopted = await openTestStore({ path, robotId: 'robot-2', adopt: true, logger });
  const queue = new OfflineQueue({ store: adopted });
  expect(await queue.getInProgressJobs()).toMatchObject([{ id: 'job-456', robotId: 'robot-1' }]);
  await queue.cacheJob({ jobId: 'own', workflowJson: '{}' });
  await adopted.close();
  const told = { path, former_robot_id: 'robot-1', robot_id: 'robot-2', unfinished: 1, undelivered: 0 };
  expect(logged).toEqual([['warning', 'the store of another robot was taken over', told]]);
  await openAndClose({ path, robotId: 'robot-2' });
  expect(await refusalOf(path, 'robot-1')).toMatchObject({ ownerId: 'robot-2', unfinished: 1 });
});

it('a store in which nothing waits passes to another robot without a word of permission', async () => {
  const { store, queue } = await openTestJob({ robotId: 'robot-1' });
  await queue.markCompleted('job-456', { success: true, outbox: [{ kind: 'complete', payload: 1 }] });
  await queue.markSynced('job-456');
  await store.close();
  const { path } = store;
  expect(await refusalOf(path, 'robot-2')).toMatchObject({ unfinished: 0, undelivered: 1 });
  const own = await openTestStore({ path, robotId: 'robot-1' });
  await own.outbox.ack((await own.outbox.peek()).map(({ id }) => id));
  await own.close();
  await openAndClose({ path, robotId: 'robot-2' });
});

it('a store that was made before it noted its robot is that of its jobs', async () => {
  const { store } = await openTestJob({ robotId: 'robot-1' });
  await store.close();
  const { path } = store;
  const forget = () => withDatabase(path, (db) => db.exec("DELETE FROM meta WHERE name = 'robot_id'"));
  forget();
  expect(await refusalOf(path, 'robot-2')).toMatchObject({ ownerId: 'robot-1', unfinished: 1 });
  await openAndClose({ path, robotId: 'robot-1' });
  // A note that is damaged counts as none, and a damaged store that was set aside keeps its robot.
  withDatabase(path, (db) => db.exec("UPDATE meta SET value = 'robot-2' WHERE name = 'robot_id'"));
  expect(await refusalOf(path, 'robot-2')).toMatchObject({ ownerId: 'robot-1' });
  await openAndClose({ path, robotId: 'robot-1' });
  withDatabase(path, (db) => db.exec("UPDATE meta SET value = 'x' WHERE name = 'store_id'"));
  expect(await refusalOf(path, 'robot-2')).toMatchObject({ ownerId: 'robot-1' });
});
