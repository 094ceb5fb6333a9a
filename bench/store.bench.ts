/**
 * The local store against bare SQLite, on one disk and in one run: what a step costs through the store's own API
 * (journal entry, outbox entry, status, checksums, high-water mark, thread) and through a prepared INSERT of the same
 * bytes; what concurrent savers gain by sharing commits; what step 100,000 costs; what resuming it costs.
 *
 * `STORE_BENCH_DIR` names the folder, for another disk. Sides take turns, so that a disk that slows down slows both.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointManager, type JobHandle, OfflineQueue, openStore } from '../packages/offline-store/src/index.ts';
import { printSettings } from './settings.ts';

interface BareDatabase {
  pragma(text: string, options?: { simple: boolean }): unknown;
  exec(sql: string): void;
  prepare(sql: string): { run(...values: readonly unknown[]): unknown };
  close(): void;
}
type Entry = { readonly kind: string; readonly node_id?: string; readonly [key: string]: unknown };

const rounds = 7;
const stepsPerRound = 400;
const savers = 8;
const longJob = 100_000;

const parent = process.env.STORE_BENCH_DIR ?? tmpdir();
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'casare-store-bench-'));
const Database = createRequire(new URL('../packages/offline-store/package.json', import.meta.url))(
  'better-sqlite3',
) as new (
  path: string,
) => BareDatabase;

const result = (step: number): Entry => ({
  kind: 'result',
  node_id: 'node-17',
  step,
  exit: 'success',
  outputs: { text: 'x'.repeat(700) },
  variables: { total: step },
});
const intent = (step: number): Entry => ({ kind: 'intent', node_id: 'node-18', step, effect: 'effect', attempt: 1 });
const event = (step: number): object => ({ kind: 'node_completed', node_id: 'node-17', step, duration_ms: 12 });
const stepBytes = [result(1), intent(1), event(1)].map((value) => JSON.stringify(value)).join('');

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const bare = new Database(join(folder, 'bare.db'));
  for (const pragma of ['journal_mode = wal', 'synchronous = full', 'wal_autocheckpoint = 1000']) bare.pragma(pragma);
  bare.exec('CREATE TABLE steps (id INTEGER PRIMARY KEY, payload TEXT NOT NULL) STRICT');
  const insert = bare.prepare('INSERT INTO steps (payload) VALUES (?)');
  const store = await openStore({ path: join(folder, 'store.db'), robotId: 'bench', maxBytes: null });
  const queue = new OfflineQueue({ store });
  const checkpoints = new CheckpointManager(queue);
  const handles: JobHandle<Entry>[] = [];
  for (let index = 0; index <= savers; index += 1) {
    await queue.cacheJob({ jobId: `job-${index}`, workflowJson: '{}' });
    handles.push(checkpoints.startJob<Entry>(`job-${index}`, 'bench'));
  }
  const { settings } = await store.stats();
  printSettings({
    folder,
    sqlite: String(
      Object.values(bare.pragma('compile_options') as object).length > 0 ? 'bundled with better-sqlite3' : '',
    ),
    'store: synchronous': settings.synchronous ?? '?',
    'bare: synchronous': Number(bare.pragma('synchronous', { simple: true })),
    'bytes per step': stepBytes.length,
  });

  const [single, ...many] = handles;
  if (single === undefined) return;
  const bareMs: number[] = [];
  const aloneMs: number[] = [];
  const sharedMs: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const timed = [
      await msPerStep(stepsPerRound, async () => void insert.run(stepBytes)),
      await msPerStep(stepsPerRound, (step) => commit(single, step)),
      (await msPerStep(1, () => Promise.all(many.map((handle) => steps(handle, stepsPerRound))))) /
        (savers * stepsPerRound),
    ];
    if (round === 0) continue;
    for (const [index, list] of [bareMs, aloneMs, sharedMs].entries()) list.push(timed[index] ?? 0);
  }
  const [bareStep, aloneStep, sharedStep] = [median(bareMs), median(aloneMs), median(sharedMs)];
  console.log(`bare INSERT, FULL:              ${rate(bareStep)}`);
  console.log(
    `store, one saver, FULL:         ${rate(aloneStep)}   ${(aloneStep / bareStep).toFixed(2)} x the bare time (at most 1.3)`,
  );
  console.log(
    `store, ${savers} savers, FULL:         ${rate(sharedStep)}   ${(aloneStep / sharedStep).toFixed(1)} x the rate of one (at least 5)`,
  );
  bare.close();
  await store.close();
  await longRun();
}

/** Without flushes in between (`normal`): what is compared here is the work, which a flush would drown. */
async function longRun(): Promise<void> {
  const path = join(folder, 'long.db');
  const store = await openStore({ path, robotId: 'bench', maxBytes: null, synchronous: 'normal' });
  const queue = new OfflineQueue({ store });
  await queue.cacheJob({ jobId: 'long', workflowJson: '{}' });
  const handle = new CheckpointManager(queue).startJob<Entry>('long', 'bench');
  const early: number[] = [];
  const late: number[] = [];
  for (let step = 1; step <= longJob; step += 1) {
    const startedAt = performance.now();
    await commit(handle, step);
    const ms = performance.now() - startedAt;
    if (step > 100 && step <= 2_100) early.push(ms);
    if (step > longJob - 2_000) late.push(ms);
    if (step % 2_500 === 1) await handle.commit([{ kind: 'snapshot', state: { variables: [['total', step]] } }]);
  }
  console.log(`step 100 to 2,100 (median):     ${(median(early) * 1_000).toFixed(0)} us`);
  console.log(
    `step 98,000 to 100,000:         ${(median(late) * 1_000).toFixed(0)} us   ${(median(late) / median(early)).toFixed(2)} x`,
  );
  await store.close();

  const startedAt = performance.now();
  const reopened = await openStore({ path, robotId: 'bench', maxBytes: null });
  const openedAt = performance.now();
  const entries = await new CheckpointManager(new OfflineQueue({ store: reopened }))
    .startJob<Entry>('long', 'bench')
    .load();
  const loadedAt = performance.now();
  const { bytes } = await reopened.stats();
  console.log(
    `resuming after ${longJob} steps:   open and check ${(openedAt - startedAt).toFixed(0)} ms, load ${entries.length} entries ${(loadedAt - openedAt).toFixed(0)} ms (file ${Math.round(bytes / 2 ** 20)} MiB; at most 1,000 ms)`,
  );
  await reopened.close();
}

async function commit(handle: JobHandle<Entry>, step: number): Promise<void> {
  await handle.commit([result(step), intent(step)], { outbox: [{ kind: 'event', payload: event(step) }] });
}

async function steps(handle: JobHandle<Entry>, count: number): Promise<void> {
  for (let step = 1; step <= count; step += 1) await commit(handle, step);
}

async function msPerStep(count: number, run: (step: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let step = 1; step <= count; step += 1) await run(step);
  return (performance.now() - startedAt) / count;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rate(ms: number): string {
  return `${(ms * 1_000).toFixed(0).padStart(6)} us a step, ${Math.round(1_000 / ms)}/s`.padEnd(34);
}
