/**
 * The local store against bare SQLite, on one disk and in one run: what a step costs through the store's own API
 * (journal entry, outbox entry, status, checksums, high-water mark, thread) and through a prepared INSERT of the same
 * bytes; what concurrent savers gain by sharing commits; what a step of a job in a process of its own costs beside it;
 * what step 100,000 costs; what resuming it costs.
 *
 * `STORE_BENCH_DIR` names the folder, for another disk; on a disk in memory nothing is left but the work. Sides take
 * turns, so that a disk that slows down slows all. Beside the time that passes stands the CPU time of all threads:
 * on a busy machine a side also waits for its turn on a core, as often as it does something.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CheckpointManager,
  type JobHandle,
  OfflineQueue,
  openStore,
  type Store,
} from '../packages/offline-store/src/index.ts';
import { openJobSteps } from './job-process-steps.ts';
import { printSettings } from './settings.ts';

interface BareDatabase {
  pragma(text: string, options?: { simple: boolean }): unknown;
  exec(sql: string): void;
  prepare(sql: string): { run(...values: readonly unknown[]): unknown };
  transaction(work: () => void): () => void;
  close(): void;
}
type Entry = { readonly kind: string; readonly node_id?: string; readonly [key: string]: unknown };

/** Many short ones: what disturbs the machine for a while then falls on every side, and the median leaves it out. */
const rounds = 35;
const stepsPerRound = 80;
const warmUpRounds = 5;
/** A job is longer than a side's turn, and has its turn in every fifth round. */
const roundsPerJob = 5;
const savers = 8;
/** Turns of a job's loop, of two or three steps each. */
const jobLoops = 100;
const longJob = 100_000;

const parent = process.env.STORE_BENCH_DIR ?? tmpdir();
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'casare-store-bench-'));
const Database = createRequire(new URL('../packages/offline-store/package.json', import.meta.url))(
  'better-sqlite3',
) as new (
  path: string,
) => BareDatabase;

/** Made once, like the INSERT's text: what is measured is what the store does with a value. */
const text = 'x'.repeat(700);
const result = (step: number): Entry => ({
  kind: 'result',
  node_id: 'node-17',
  step,
  exit: 'success',
  outputs: { text },
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
  const insertMany = bare.transaction(() => {
    for (let row = 0; row < savers; row += 1) insert.run(stepBytes);
  });
  const inline = await openJobs('inline');
  const thread = await openJobs('thread');
  const { settings } = await thread.store.stats();
  const loadBefore = load();
  printSettings({
    folder,
    'store: synchronous': settings.synchronous ?? '?',
    'bare: synchronous': Number(bare.pragma('synchronous', { simple: true })),
    'bytes per step': stepBytes.length,
  });
  const jobs = await openJobSteps(folder, thread.store, jobLoops);
  const sides = [
    () => msPerStep(stepsPerRound, async () => void insert.run(stepBytes)),
    () => msPerStep(stepsPerRound, (step) => commit(inline.single, step)),
    () => msPerStep(stepsPerRound, (step) => commit(thread.single, step)),
    () => sharedMsPerStep(inline.many),
    () => sharedMsPerStep(thread.many),
    async () => (await msPerStep(stepsPerRound, async () => insertMany())) / savers,
    jobs.thisProcess,
    jobs.ownProcess,
  ] as const;
  const firstJobSide = 6;
  const timed = sides.map((): number[] => []);
  const busy = [0, 0, 0, 0, 0, 0];
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const [index, side] of sides.entries()) {
      if (index >= firstJobSide && round % roundsPerJob !== 0) continue;
      const before = process.cpuUsage();
      const ms = await side();
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      timed[index]?.push(ms);
      const steps = index >= 3 ? stepsPerRound * savers : stepsPerRound;
      busy[index] = (busy[index] ?? 0) + (user + system) / steps / rounds;
    }
  }
  const medians = timed.map(median);
  const [bareMs = 0, inlineMs = 0, threadMs = 0, inlineManyMs = 0, threadManyMs = 0] = medians;
  const [bareManyMs = 0, hereMs = 0, ownMs = 0] = medians.slice(5);
  const ratio = (ms: number): string => `${(ms / bareMs).toFixed(2)} x the bare time (aim: at most 1.3)`;
  const gain = (alone: number, many: number): string => `${(alone / many).toFixed(1)} x the rate of one (aim: 5)`;
  const line = (name: string, ms: number, cpuUs: number | undefined, what: string): void => {
    const cpu = cpuUs === undefined ? '' : `CPU ${cpuUs.toFixed(0)} us`;
    console.log(`${`${name}:`.padEnd(32)}${rate(ms)} ${cpu.padEnd(11)} ${what}`);
  };
  line('bare INSERT', bareMs, busy[0], '');
  line(
    `bare, ${savers} in a transaction`,
    bareManyMs,
    busy[5],
    `${(bareMs / bareManyMs).toFixed(1)} x the rate of one`,
  );
  line('store, inline, one saver', inlineMs, busy[1], ratio(inlineMs));
  line('store, thread, one saver', threadMs, busy[2], ratio(threadMs));
  line(`store, inline, ${savers} savers`, inlineManyMs, busy[3], gain(inlineMs, inlineManyMs));
  line(`store, thread, ${savers} savers`, threadManyMs, busy[4], gain(threadMs, threadManyMs));
  line('a job here, node and commit', hereMs, undefined, 'thread; smaller steps than the ones above');
  line('the same in a process of its own', ownMs, undefined, `${(ownMs / hereMs).toFixed(2)} x the time here`);
  for (const { store, name } of [
    { store: inline.store, name: 'inline' },
    { store: thread.store, name: 'thread' },
  ]) {
    const { entries, ms } = await drain(store);
    console.log(
      `outbox, ${name}: ${((ms / entries) * 1_000).toFixed(0)} us an entry to hand it out and take it off, for ${entries}`,
    );
  }
  console.log(`load while it ran: ${loadBefore} to ${load()}`);
  await jobs.close();
  bare.close();
  await inline.store.close();
  await thread.store.close();
  await longRun();
}

async function openJobs(writer: 'inline' | 'thread'): Promise<{
  readonly store: Store;
  readonly single: JobHandle<Entry>;
  readonly many: readonly JobHandle<Entry>[];
}> {
  const store = await openStore({ path: join(folder, `${writer}.db`), robotId: 'bench', maxBytes: null, writer });
  const queue = new OfflineQueue({ store });
  const checkpoints = new CheckpointManager(queue);
  const open = async (jobId: string): Promise<JobHandle<Entry>> => {
    await queue.cacheJob({ jobId, workflowJson: '{}' });
    return checkpoints.startJob<Entry>(jobId, 'bench');
  };
  const single = await open('single');
  const many = await Promise.all(Array.from({ length: savers }, (_, index) => open(`job-${index}`)));
  return { store, single, many };
}

async function sharedMsPerStep(handles: readonly JobHandle<Entry>[]): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(handles.map((handle) => steps(handle, stepsPerRound)));
  return (performance.now() - startedAt) / (handles.length * stepsPerRound);
}

/** What steps left to do: their drafts are taken out of the journal when the outbox is looked at. */
async function drain(store: Store): Promise<{ readonly entries: number; readonly ms: number }> {
  const startedAt = performance.now();
  let entries = 0;
  for (let batch = await store.outbox.peek(500); batch.length > 0; batch = await store.outbox.peek(500)) {
    entries += await store.outbox.ack(batch.map(({ id }) => id));
  }
  return { entries, ms: performance.now() - startedAt };
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

/** Processes that run or wait for a core or a disk, over the last minute. */
function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

function rate(ms: number): string {
  return `${(ms * 1_000).toFixed(0).padStart(6)} us a step, ${Math.round(1_000 / ms)}/s`.padEnd(34);
}
