import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalEntry } from '@casare/execution';
import { CheckpointManager, OfflineQueue, openStore } from '@casare/offline-store';
import { ManualClock } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claim } from '../test/support/desk.ts';
import { DeskJob } from './desk-job.ts';
import { storedForm } from './desk-ports.ts';
import { durableJobs } from './durable-jobs.ts';
import { LeaseNotes } from './lease-notes.ts';

const lockTimeoutMs = 60_000;
const logger = { log: () => undefined };

function intent(step: number): JournalEntry {
  return { kind: 'intent', step, node_id: 'n', effect: 'effect', attempt: 1, idempotency_key: 'k', at: 0 };
}

/** A `restart` job on the desk, its real store, and what a minute of it costs that, in transactions. */
async function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'casare-notes-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = await openStore({ path: join(folder, 'store.db'), robotId: 'r', synchronous: 'normal' });
  onTestFinished(() => store.close());
  const queue = new OfflineQueue({ store, robotId: 'r' });
  const clock = new ManualClock();
  const jobs = durableJobs({
    queue,
    checkpoints: new CheckpointManager(queue),
    bootId: 'b',
    bootClock: () => clock.monotonic(),
  });
  const given = claim('a', { onLost: 'restart' });
  await jobs.add(given, lockTimeoutMs);
  const notedAt: number[] = [];
  let written = Promise.resolve();
  const notes = new LeaseNotes({
    store: {
      renewLease: (lease, remainingMs) => {
        notedAt.push(clock.monotonic());
        written = jobs.renewLease(lease, remainingMs);
        return written;
      },
    },
    locker: { lockTimeoutMs, remainingMs: () => lockTimeoutMs },
    logger,
    clock,
  });
  const record = storedForm(given);
  const job = new DeskJob(record, {
    store: jobs,
    telemetry: {} as never,
    reporter: null,
    logger,
    clock,
    checkpoints: { enabled: true, onEveryNode: true },
    onOutbox: () => undefined,
    isLeaseEnding: () => false,
    onCommitting: () => notes.keepBesideCommit(record),
    onOver: () => undefined,
  });
  const aMinute = async (everySecond: (second: number) => Promise<void>): Promise<number> => {
    const before = (await store.stats()).transactions;
    for (let second = 0; second < 60; second += 1) {
      notes.keep(record);
      await everySecond(second);
      await written;
      await clock.advance(1_000);
    }
    return (await store.stats()).transactions - before;
  };
  return { job, jobs, notedAt, aMinute };
}

describe('the note that a lease was renewed', () => {
  it('costs a job that takes steps no transaction of its own', async () => {
    const { job, jobs, notedAt, aMinute } = await setup();
    expect(await aMinute((second) => job.journal.commit([intent(second)]))).toBe(60);
    expect(notedAt).toEqual([6, 12, 18, 24, 30, 36, 42, 48, 54].map((seconds) => seconds * 1_000));
    expect(await jobs.unfinished()).toMatchObject([{ jobId: 'a', leaseRemainingMs: lockTimeoutMs - 6_000 }]);
  });

  it('is written for its own sake, half as often, while a job takes none', async () => {
    const { notedAt, aMinute } = await setup();
    expect(await aMinute(async () => undefined)).toBe(4);
    expect(notedAt).toEqual([12_000, 24_000, 36_000, 48_000]);
  });
});
