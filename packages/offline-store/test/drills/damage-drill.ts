/**
 * Damages copies of a store at random places and opens them: it must open, and whatever it then hands out must be
 * what was acknowledged, or an error, or a job in doubt by name. A shorter record that looks whole is the worst case.
 */

import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type SeededRandom, seededRandom } from '@casare/testing';
import { CheckpointManager, OfflineQueue, openStore, type Store } from '../../src/index.ts';
import { copyImage, imageKeys, type JobTruth, makeImage, outboxKey, type StoreImage } from './store-image.ts';

export interface DamageDrillReport {
  readonly rounds: number;
  /** Rounds in which nothing was missing, something was reported, or the file was set aside. */
  readonly harmless: number;
  readonly reported: number;
  readonly setAside: number;
  /** What must not happen, with the fault that led to it. */
  readonly violations: readonly string[];
}

interface Fault {
  readonly what: string;
  /** Whether the marks were left alone: only then must a loss be noticed. */
  readonly marksAreWhole: boolean;
}

export async function damageDrill(options: {
  readonly folder: string;
  readonly seed: number;
  readonly rounds: number;
}): Promise<DamageDrillReport> {
  const random = seededRandom(options.seed);
  const image = await makeImage(options.folder);
  const violations: string[] = [];
  const counts = { harmless: 0, reported: 0, setAside: 0 };
  for (let round = 0; round < options.rounds; round += 1) {
    const folder = join(options.folder, `round-${round}`);
    copyImage(image, folder);
    const fault = damage(folder, random);
    const found: string[] = [];
    try {
      await using store = await openStore({ path: join(folder, 'store.db'), robotId: 'robot-123', keys: imageKeys });
      await check(store, image, fault, found);
      if (store.opening.setAside !== null) counts.setAside += 1;
      else if (store.opening.incidents.length > 0) counts.reported += 1;
      else counts.harmless += 1;
    } catch (error) {
      found.push(`the store does not open or work: ${String(error)}`);
    }
    violations.push(...found.map((text) => `round ${round}, ${fault.what}: ${text}`));
    rmSync(folder, { recursive: true, force: true });
  }
  return { rounds: options.rounds, ...counts, violations };
}

function damage(folder: string, random: SeededRandom): Fault {
  const file = random.pick(['store.db', 'store.db', 'store.db-wal', 'store.db-wal', 'store.db-wal', 'store.db-marks']);
  const path = join(folder, file);
  const size = statSync(path).size;
  const at = random.below(size);
  const marksAreWhole = file !== 'store.db-marks';
  const kind = random.pick(['bit', 'bit', 'bit', 'sector', 'truncate']);
  if (kind === 'truncate') {
    truncateSync(path, at);
    return { what: `${file} cut at ${at} of ${size}`, marksAreWhole };
  }
  const bytes = readFileSync(path);
  if (kind === 'bit') {
    const bit = random.below(8);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    writeFileSync(path, bytes);
    return { what: `bit ${bit} of byte ${at} of ${file} flipped`, marksAreWhole };
  }
  const from = at - (at % 512);
  bytes.fill(0, from, Math.min(size, from + 512));
  writeFileSync(path, bytes);
  return { what: `512 bytes from ${from} of ${file} zeroed`, marksAreWhole };
}

async function check(store: Store, image: StoreImage, fault: Fault, found: string[]): Promise<void> {
  const queue = new OfflineQueue({ store });
  const checkpoints = new CheckpointManager(queue);
  const listed = new Set([...(await queue.getInProgressJobs()), ...(await queue.getJobsToSync())].map(({ id }) => id));
  for (const [jobId, truth] of image.jobs) {
    const isNamed = store.opening.incidents.some((incident) => incident.jobId === jobId);
    for (const problem of await checkJob(queue, checkpoints, jobId, truth)) {
      if (problem.startsWith('wrong')) found.push(`${jobId}: ${problem}`);
      else if (truth.record.endedAtMs !== null && problem.endsWith('(STORE_CORRUPT)')) continue;
      else if (fault.marksAreWhole && !isNamed) found.push(`${jobId}: ${problem}, and no incident names it`);
    }
    if (fault.marksAreWhole && !listed.has(jobId) && !isNamed) found.push(`${jobId}: missing in the lists`);
  }
  await checkOutbox(store, image, fault, found);
  await queue.cacheJob({ jobId: 'after', workflowJson: '{}' });
  const handle = checkpoints.startJob('after', 'after');
  await handle.commit([{ kind: 'result', node_id: 'n' }]);
  if ((await handle.load()).length !== 1) found.push('a new job is not kept');
}

/** `wrong ...` for a wrong value, other texts for one that is missing and said to be. */
async function checkJob(
  queue: OfflineQueue,
  checkpoints: CheckpointManager,
  jobId: string,
  truth: JobTruth,
): Promise<string[]> {
  const problems: string[] = [];
  const note = async (what: string, expected: unknown, read: () => unknown): Promise<void> => {
    try {
      const value = await read();
      if (!isDeepStrictEqual(value, expected)) problems.push(`wrong ${what}: ${JSON.stringify(value)?.slice(0, 300)}`);
    } catch (error) {
      problems.push(`no ${what} (${(error as { code?: string }).code ?? String(error)})`);
    }
  };
  const record = await queue.getJob(jobId).catch((error: { code?: string }) => error.code);
  if (typeof record === 'object' && record.inDoubtAsWhole !== null) {
    const { workflowJson, variables, leaseToken } = truth.record;
    if (!isDeepStrictEqual({ workflowJson, variables, leaseToken }, pick(record)))
      problems.push('wrong record in doubt');
    problems.push('in doubt');
  } else if (typeof record === 'object') {
    await note('record', truth.record, () => record);
  } else problems.push(`no record (${record})`);
  let handle: ReturnType<typeof checkpoints.startJob> | undefined;
  try {
    handle = checkpoints.startJob(jobId, jobId);
  } catch {
    return problems;
  }
  const job = handle;
  await note('entries', truth.entries, () => job.load());
  await note('checkpoint', truth.checkpoint, () => job.getCheckpoint());
  await note('executed nodes', truth.executed, async () => {
    await job.load();
    return job.getExecutedNodes();
  });
  return problems;
}

function pick({ workflowJson, variables, leaseToken }: JobTruth['record']): unknown {
  return { workflowJson, variables, leaseToken };
}

async function checkOutbox(store: Store, image: StoreImage, fault: Fault, found: string[]): Promise<void> {
  const seen = new Set<string>();
  for (const entry of await store.outbox.peek(10_000)) {
    const key = outboxKey(entry);
    const { id: _, ...expected } = image.outbox.get(key) ?? { id: 0 };
    const { id: __, ...actual } = entry;
    if (!isDeepStrictEqual(actual, expected))
      found.push(`wrong outbox entry ${key}: ${JSON.stringify(entry).slice(0, 300)}`);
    if (seen.has(key)) found.push(`outbox entry ${key} twice`);
    seen.add(key);
  }
  const lost = [...image.waiting].filter((key) => !seen.has(key));
  const dead = await store.outbox.deadLetters({ limit: 10_000 });
  const isSaid = store.opening.incidents.length > 0 || dead.length > 0;
  if (lost.length > 0 && fault.marksAreWhole && !isSaid)
    found.push(`${lost.length} outbox entries are missing, unsaid`);
  if (existsSync(`${store.path}.copy`)) found.push('the copy of the damaged file is left over');
}
