/** The files of a store as a crash would leave them, and what the store had acknowledged by then. */

import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CheckpointManager,
  type JobRecord,
  OfflineQueue,
  type OutboxEntry,
  openStore,
  secretKey,
} from '../../src/index.ts';
import { moveLogIntoFile } from './move-log.ts';

export interface JobTruth {
  readonly record: JobRecord;
  readonly entries: readonly unknown[];
  readonly checkpoint: unknown;
  readonly executed: readonly string[];
}

export interface StoreImage {
  /** Holds `store.db` and what belongs to it. */
  readonly folder: string;
  readonly jobs: ReadonlyMap<string, JobTruth>;
  /** Every entry that was ever in the outbox, by job and seq. */
  readonly outbox: ReadonlyMap<string, OutboxEntry>;
  /** Those that waited in the end. */
  readonly waiting: ReadonlySet<string>;
}

export const imageFiles = ['store.db', 'store.db-wal', 'store.db-marks'] as const;
export const imageKeys = { current: secretKey(randomBytes(32)) };

export function outboxKey(entry: Pick<OutboxEntry, 'jobId' | 'seq'>): string {
  return `${entry.jobId} ${entry.seq}`;
}

/** Half of it lies in the main file, the other half in the write-ahead log, what that holds for the outbox not taken in yet. */
export async function makeImage(parent: string): Promise<StoreImage> {
  const work = join(parent, 'work');
  const path = join(work, 'store.db');
  await using store = await openStore({ path, robotId: 'robot-123', keys: imageKeys, idleCheckpointMs: 3_600_000 });
  const queue = new OfflineQueue({ store });
  const checkpoints = new CheckpointManager(queue);
  const outbox = new Map<string, OutboxEntry>();
  const handles = new Map<string, ReturnType<typeof checkpoints.startJob>>();
  const begin = async (jobId: string): Promise<void> => {
    await queue.cacheJob({ jobId, workflowJson: JSON.stringify({ nodes: { of: jobId } }), leaseToken: '7' });
    handles.set(jobId, checkpoints.startJob(jobId, jobId));
  };
  const step = async (jobId: string, number: number): Promise<void> => {
    const entry = {
      kind: 'result',
      node_id: `n${number}`,
      outputs: { text: `${jobId}-${number} `.repeat(20) },
      cookie: `c${number}`,
    };
    const entries = jobId === 'steady' ? [entry, { kind: 'intent', node_id: `n${number + 1}` }] : [entry];
    await handles.get(jobId)?.commit(entries, {
      outbox: [{ kind: 'event', payload: { jobId, number } }],
      secret: number % 3 === 0 ? [{ entry: 0, path: ['cookie'] }] : [],
    });
  };
  const note = async (): Promise<void> => {
    for (const entry of await store.outbox.peek(10_000)) outbox.set(outboxKey(entry), entry);
  };

  for (const jobId of ['early-ended', 'early', 'steady', 'saves']) await begin(jobId);
  for (let number = 1; number <= 12; number += 1)
    for (const jobId of ['early-ended', 'early', 'steady']) await step(jobId, number);
  for (let number = 1; number <= 8; number += 1) await save(number);
  await queue.markCompleted('early-ended', { success: true, result: { total: 12 } });
  await note();
  await store.outbox.ack([...outbox.values()].slice(0, 10).map((entry) => entry.id));
  moveLogIntoFile(path);
  for (const jobId of ['late', 'late-ended']) await begin(jobId);
  for (let number = 13; number <= 20; number += 1)
    for (const jobId of ['steady', 'late', 'late-ended']) await step(jobId, number);
  for (let number = 9; number <= 14; number += 1) await save(number);
  await queue.markCompleted('late-ended', { success: false, error: { message: 'as it happens' } });
  const folder = join(parent, 'image');
  mkdirSync(folder);
  for (const file of imageFiles) copyFileSync(join(work, file), join(folder, file));
  await note();

  const jobs = new Map<string, JobTruth>();
  for (const [jobId, handle] of handles) {
    const entries = await handle.load();
    const record = await queue.getJob(jobId);
    jobs.set(jobId, { record, entries, checkpoint: await handle.getCheckpoint(), executed: handle.getExecutedNodes() });
  }
  const waiting = new Set((await store.outbox.peek(10_000)).map(outboxKey));
  return { folder, jobs, outbox, waiting };

  async function save(number: number): Promise<void> {
    const context = {
      variables: { number, list: Array.from({ length: number }, (_, n) => n) },
      browser: { cookie: `b${number}` },
    };
    await handles.get('saves')?.saveCheckpoint({ nodeId: `s${number}`, context, secret: [['browser', 'cookie']] });
  }
}

export function copyImage(image: StoreImage, folder: string): void {
  mkdirSync(folder);
  for (const file of imageFiles) {
    if (existsSync(join(image.folder, file))) copyFileSync(join(image.folder, file), join(folder, file));
  }
}
