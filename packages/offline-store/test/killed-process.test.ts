/** SIGKILL only: it says nothing about power loss. */
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { CheckpointManager, OfflineQueue, openStore } from '../src/index.ts';
import { startFixture } from './support/child-process.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const jobIds = ['job-a', 'job-b', 'job-c'];

it('after each of five SIGKILLs every acknowledged step is there, whole, once and in order', {
  timeout: 60_000,
}, async () => {
  const path = join(temporaryFolder(), 'store.db');
  for (const acknowledgements of [1, 40, 100, 173, 260]) {
    const robot = startFixture('commits-until-killed.ts', [path]);
    await eventually(`${acknowledgements} steps: ${robot.errors()}`, () => robot.lines.length >= acknowledgements);
    robot.child.kill('SIGKILL');
    await robot.ended;
    const acknowledged = lastSteps(robot.lines);

    const store = await openStore({ path, robotId: 'robot-123' });
    const queue = new OfflineQueue({ store });
    const checkpoints = new CheckpointManager(queue);
    const outbox = await store.outbox.peek(100_000);
    for (const jobId of jobIds.filter((id) => acknowledged.has(id))) {
      const steps = (await checkpoints.startJob<{ kind: string; step: number }>(jobId, 'endless').load()).map(
        (entry) => entry.step,
      );
      expect(steps.length).toBeGreaterThanOrEqual(acknowledged.get(jobId) ?? 0);
      expect(steps).toEqual(countTo(steps.length));
      const sent = outbox.filter((entry) => entry.jobId === jobId);
      expect(sent.map((entry) => entry.seq)).toEqual(countTo(steps.length));
      expect(sent.map((entry) => entry.payload)).toEqual(steps.map((step) => ({ step })));
    }
    expect((await queue.getInProgressJobs()).map((job) => job.id)).toEqual(
      expect.arrayContaining([...acknowledged.keys()]),
    );
    await store.close();
  }
});

it('a SIGKILL in the middle of a commit leaves what was acknowledged before, and nothing of that commit', async () => {
  const path = join(temporaryFolder(), 'store.db');
  const robot = startFixture('killed-in-commit.ts', [path]);
  await eventually(`the commit: ${robot.errors()}`, () => robot.lines.includes('committing'));
  robot.child.kill('SIGKILL');
  await robot.ended;
  const store = await openStore({ path, robotId: 'robot-123' });
  onTestFinished(() => store.close());
  expect(store.opening).toEqual({ setAside: null, marks: 'ok', incidents: [] });
  const handle = new CheckpointManager(new OfflineQueue({ store })).startJob<{ kind: string; step: number }>(
    'job-456',
    'w',
  );
  expect((await handle.load()).map((entry) => entry.step)).toEqual([1, 2, 3, 4, 5]);
});

function lastSteps(lines: readonly string[]): Map<string, number> {
  return new Map(
    lines.map((line) => line.split(' ') as [string, string]).map(([jobId, step]) => [jobId, Number(step)]),
  );
}

function countTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
