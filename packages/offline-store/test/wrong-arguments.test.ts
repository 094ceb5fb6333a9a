/** What callers without a type checker hand over by mistake: each is told by name, and nothing of it is written. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  CheckpointManager,
  type JobHandle,
  keyIdOf,
  OfflineQueue,
  openKeyFolder,
  openStore,
  removeKey,
  rotateKeyFolder,
  SecretBox,
  StoreError,
  secretKey,
} from '../src/index.ts';

// biome-ignore lint/suspicious/noExplicitAny: the point is what the types would not let through
type Anything = any;
type Calls = Readonly<Record<string, (value: Anything) => unknown>>;

const wrong: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  number: 42,
  negative: -1,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  huge: 1e308,
  text: 'x',
  'empty text': '',
  'half a pair': '\ud800',
  object: {},
  list: [],
  'list of null': [null],
  'list of NaN': [Number.NaN],
  'list of text': ['x'],
  true: true,
  function: () => 1,
  symbol: Symbol('s'),
  bigint: 10n,
};

const folder = mkdtempSync(join(tmpdir(), 'wrong-arguments-'));
let queue: OfflineQueue;
let job: JobHandle;

beforeAll(async () => {
  queue = new OfflineQueue({ dbPath: join(folder, 'a.db'), robotId: 'r', keys: openKeyFolder(join(folder, 'keys')) });
  await queue.cacheJob({ jobId: 'job', workflowJson: '{}' });
  job = new CheckpointManager(queue).startJob('job', 'flow');
});
afterAll(() => queue.close());

const outbox: Calls = {
  peek: (value) => queue.store.outbox.peek(value),
  ack: (value) => queue.store.outbox.ack(value),
  'fail, id': (value) => queue.store.outbox.fail(value, 'why'),
  'fail, reason': (value) => queue.store.outbox.fail(1, value),
  'fail, options': (value) => queue.store.outbox.fail(1, 'why', value),
  'fail, permanent': (value) => queue.store.outbox.fail(1, 'why', { permanent: value }),
  'fail, retryAfterMs': (value) => queue.store.outbox.fail(1, 'why', { retryAfterMs: value }),
  'supersede, ids': (value) => queue.store.outbox.supersede(value, 'why'),
  'supersede, reason': (value) => queue.store.outbox.supersede([1], value),
  deadLetters: (value) => queue.store.outbox.deadLetters(value),
  'deadLetters, limit': (value) => queue.store.outbox.deadLetters({ limit: value }),
  'deadLetters, dispositions': (value) => queue.store.outbox.deadLetters({ dispositions: value }),
  requeue: (value) => queue.store.outbox.requeue(value),
  discard: (value) => queue.store.outbox.discard(value),
};

const note = { bootId: 'b', sentAtMs: 1, durationMs: 1 };
const queued: Calls = {
  cacheJob: (value) => queue.cacheJob(value),
  markInProgress: (value) => queue.markInProgress(value),
  'markCompleted, job': (value) => queue.markCompleted(value, { success: true }),
  'markCompleted, options': (value) => queue.markCompleted('none', value),
  'markReleased, job': (value) => queue.markReleased(value),
  'markReleased, options': (value) => queue.markReleased('none', value),
  'renewLease, job': (value) => queue.renewLease(value, '1', note),
  'renewLease, token': (value) => queue.renewLease('job', value, note),
  'renewLease, lease': (value) => queue.renewLease('job', '1', value),
  saveCheckpoint: (value) => queue.saveCheckpoint(value),
  getLatestCheckpoint: (value) => queue.getLatestCheckpoint(value),
  getJob: (value) => queue.getJob(value),
  getCachedJobs: (value) => queue.getCachedJobs(value),
  getInProgressJobs: (value) => queue.getInProgressJobs(value),
  getJobsToSync: (value) => queue.getJobsToSync(value),
  'markSynced, job': (value) => queue.markSynced(value),
  'markSynced, options': (value) => queue.markSynced('job', value),
  'getJobHistory, job': (value) => queue.getJobHistory(value),
  'getJobHistory, options': (value) => queue.getJobHistory('job', value),
  'getJobHistory, limit': (value) => queue.getJobHistory('job', { limit: value }),
  cleanup: (value) => queue.cleanup(value),
  incidents: (value) => queue.store.incidents(value),
  useKeys: (value) => queue.store.useKeys(value),
};

function fieldsOf(name: string, fields: readonly string[], call: (given: Anything) => unknown): Calls {
  const calls = fields.map((field) => [`${name}, ${field}`, (value: Anything) => call({ [field]: value })] as const);
  return Object.fromEntries(calls);
}

const fields: Calls = {
  ...fieldsOf('cacheJob', ['jobId', 'workflowJson', 'leaseToken', 'name', 'originalStatus'], (given) =>
    queue.cacheJob({ jobId: 'none', workflowJson: '', leaseToken: 'none', ...given }),
  ),
  ...fieldsOf('cacheJob', ['variables', 'lease', 'onLost', 'inDoubtPolicy', 'timeoutMs', 'unknown'], (given) =>
    queue.cacheJob({ jobId: 'cached', workflowJson: '{}', ...given }),
  ),
  ...fieldsOf('markCompleted', ['success', 'status', 'result', 'error', 'outbox'], (given) =>
    queue.markCompleted('none', { success: true, ...given }),
  ),
  ...fieldsOf('saveCheckpoint', ['checkpointId', 'nodeId', 'state', 'secret', 'iteration'], (given) =>
    queue.saveCheckpoint({ jobId: 'none', checkpointId: 'c', nodeId: 'n', state: {}, ...given }),
  ),
  ...fieldsOf('commit', ['outbox', 'status', 'secret'], (given) => job.commit([], given)),
  ...fieldsOf('saveCheckpoint of a handle', ['nodeId', 'context', 'checkpointId', 'secret', 'iteration'], (given) =>
    job.saveCheckpoint({ nodeId: 'n', context: {}, ...given }),
  ),
  ...fieldsOf('CheckpointManager', ['autoSave'], (given) => new CheckpointManager(queue, given)),
  ...fieldsOf(
    'openStore',
    ['path', 'robotId', 'synchronous', 'writer', 'clock', 'logger', 'keys', 'maxBytes', 'outbox', 'commitDelayMs'],
    // The robot's id is missing: an option that is right by itself opens no store, either.
    (given) => openStore({ path: join(folder, 'no.db'), robotId: '', ...given }),
  ),
};

const others: Calls = {
  'commit, entries': (value) => job.commit(value),
  'commit, options': (value) => job.commit([], value),
  'saveCheckpoint of a handle': (value) => job.saveCheckpoint(value),
  'restoreFromCheckpoint, checkpoint': (value) => job.restoreFromCheckpoint(value, {}),
  'restoreFromCheckpoint, target': (value) => job.restoreFromCheckpoint({ jobId: 'job', state: {} } as Anything, value),
  'CheckpointManager, queue': (value) => new CheckpointManager(value),
  'CheckpointManager, options': (value) => new CheckpointManager(queue, value),
  'startJob, job': (value) => new CheckpointManager(queue).startJob(value, 'flow'),
  'startJob, name': (value) => new CheckpointManager(queue).startJob('none', value),
  'startJob, options': (value) => new CheckpointManager(queue).startJob('none', 'flow', value),
  getCheckpoint: (value) => new CheckpointManager(queue).getCheckpoint(value),
  OfflineQueue: (value) => new OfflineQueue(value),
  'OfflineQueue, store': (value) => new OfflineQueue({ store: value }),
  openStore: (value) => openStore(value),
  openKeyFolder: (value) => (typeof value === 'string' && value.trim() !== '' ? null : openKeyFolder(value)),
  rotateKeyFolder: (value) => rotateKeyFolder(value),
  'removeKey, folder': (value) => removeKey(value, 'none'),
  'removeKey, key': (value) => removeKey(join(folder, 'keys'), value),
  keyIdOf: (value) => keyIdOf(value),
  secretKey: (value) => secretKey(value),
  SecretBox: (value) => new SecretBox(value),
};

const commits = async (): Promise<number> => (await queue.store.stats()).commits;

it.each(Object.entries({ ...outbox, ...queued, ...fields, ...others }))('%s', async (_call, call) => {
  const raw: string[] = [];
  for (const [name, value] of Object.entries(wrong)) {
    const before = await commits();
    const refusal = await (async () => call(value))().then(
      () => null,
      (error: unknown) => error,
    );
    if (refusal === null) continue;
    const isNamed =
      refusal instanceof StoreError && !/Cannot|is not a function|iterable|bind|cloned/.test(refusal.message);
    if (!isNamed) raw.push(`${name}: ${String(refusal)}`);
    if ((await commits()) !== before) raw.push(`${name} was written`);
  }
  expect(raw).toEqual([]);
});

it('a URL in the place of a path, and a lease token in another spelling, are refused', async () => {
  for (const path of ['file:/tmp/store.db', 'a\0b.db', ':memory:']) {
    const refused = expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('not a path'),
    });
    expect(() => new OfflineQueue({ dbPath: path, robotId: 'r' })).toThrow(refused);
  }
  const zeros = queue.cacheJob({ jobId: 'zeros', workflowJson: '{}', leaseToken: '017' });
  await expect(zeros).rejects.toMatchObject({ message: expect.stringContaining('without leading zeros') });
});

it('variables that leave the journal no room are refused with the job, not by its first step', async () => {
  const nested = (levels: number): object => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as object;
  const circular: { self?: object } = {};
  circular.self = circular;
  for (const variables of [nested(901), nested(6_000), circular]) {
    const refused = queue.cacheJob({ jobId: 'deep', workflowJson: '{}', variables });
    await expect(refused).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining('deeper than 900 levels'),
    });
  }
  await queue.cacheJob({ jobId: 'deep', workflowJson: '{}', variables: nested(900) });
  const began = { kind: 'began', variables: nested(900) };
  const snapshot = { kind: 'snapshot', state: { lanes: [{ variables: [['a', nested(900)]] }] } };
  const deep = new CheckpointManager(queue).startJob('deep', 'flow');
  await deep.commit([began, snapshot]);
  expect(await deep.load()).toEqual([snapshot]);
});

const misspelt: Calls = {
  maxBites: (given) => openStore({ path: join(folder, 'no.db'), robotId: '', ...given }),
  maxEntrys: (given) => openStore({ path: join(folder, 'no.db'), robotId: 'r', outbox: given }),
  path: (given) => new OfflineQueue({ robotId: 'r', ...given }),
  lease_token: (given) => queue.cacheJob({ jobId: 'misspelt', workflowJson: '{}', ...given }),
  endedForMS: (given) => queue.cleanup(given),
  results: (given) => queue.markCompleted('job', { success: true, ...given }),
  reasons: (given) => queue.markReleased('job', given),
  outboxSqe: (given) => queue.markStepsLost('job', { leaseToken: '1', reason: 'r', ...given }),
  isLots: (given) => queue.renewLease('job', '1', { ...note, ...given }),
  secrets: (given) => queue.saveCheckpoint({ jobId: 'job', checkpointId: 'c', nodeId: 'n', state: {}, ...given }),
  leaseTokn: (given) => queue.markSynced('job', given),
  limits: (given) => queue.getJobHistory('job', given),
  autosave: (given) => new CheckpointManager(queue, given),
  leasetoken: (given) => new CheckpointManager(queue).startJob('job', 'flow', given),
  reserved: (given) => job.commit([], given),
  iterations: (given) => job.saveCheckpoint({ nodeId: 'n', context: {}, ...given }),
  Keep: (given) => job.commit([], { outbox: [{ kind: 'k', payload: 1, ...given }] }),
  permanently: (given) => queue.store.outbox.fail(1, 'why', given),
  disposition: (given) => queue.store.outbox.deadLetters(given),
};

it.each(Object.entries(misspelt))(
  '%s is refused with the name that was meant, and nothing is written',
  async (name, call) => {
    const before = await commits();
    await expect((async () => call({ [name]: 1 }))()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(`unknown option "${name}"; did you mean \\w+\\?`),
    });
    expect(await commits()).toBe(before);
  },
);

it("an option of another name is nobody's slip, and left alone", async () => {
  await queue.cleanup({ colour: 1 } as Anything);
});
