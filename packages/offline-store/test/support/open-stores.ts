/** Stores, queues and recordings that are closed when the test ends. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import {
  CheckpointManager,
  type JobHandle,
  OfflineQueue,
  openStore,
  type Store,
  type StoreOptions,
} from '../../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TestEntry {
  readonly kind: string;
  readonly node_id?: string;
  readonly step?: number;
  readonly text?: string;
  readonly outputs?: Record<string, unknown>;
  readonly variables?: Record<string, unknown>;
}

export async function openTestStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  const path = options.path ?? join(temporaryFolder(), 'store.db');
  const store = await openStore({ robotId: 'robot-123', ...options, path });
  onTestFinished(() => store.close());
  return store;
}

export interface OpenJob {
  readonly store: Store;
  readonly queue: OfflineQueue;
  readonly checkpoints: CheckpointManager;
  readonly handle: JobHandle<TestEntry>;
}

/** A store with one cached job and its handle. */
export async function openTestJob(
  options: Partial<StoreOptions> & { readonly jobId?: string; readonly leaseToken?: string } = {},
): Promise<OpenJob> {
  const { jobId = 'job-456', leaseToken = '7', ...storeOptions } = options;
  const store = await openTestStore(storeOptions);
  const queue = new OfflineQueue({ store });
  await queue.cacheJob({ jobId, workflowJson: '{"nodes": {}}', leaseToken });
  const checkpoints = new CheckpointManager(queue);
  return { store, queue, checkpoints, handle: checkpoints.startJob<TestEntry>(jobId, 'A workflow', { leaseToken }) };
}

/** Looks at, or meddles with, the file itself. */
export function withDatabase<T>(path: string, action: (db: Database.Database) => T): T {
  const db = new Database(path);
  try {
    return action(db);
  } finally {
    db.close();
  }
}

export function result(step: number, nodeId = `node-${step}`): TestEntry {
  return { kind: 'result', step, node_id: nodeId, outputs: { step }, variables: { last: step } };
}
