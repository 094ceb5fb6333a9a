import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CheckpointManager,
  OfflineQueue,
  openKeyFolder,
  openStore,
  removeKey,
  rotateKeyFolder,
  SecretBox,
  secretKey,
} from '../src/index.ts';
import { openTestJob, openTestStore, type TestEntry, withDatabase } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const newKeys = () => ({ current: secretKey(randomBytes(32)) });
const entry = (token: string) => ({ kind: 'result', node_id: 'n', variables: { token, open: 'plain-text' } });
const secret = [{ entry: 0, path: ['variables', 'token'] }];

function bytesOf(path: string): string {
  return ['', '-wal'].map((suffix) => readFileSync(path + suffix, 'latin1')).join('');
}

async function reload(path: string, keys: { readonly keys?: ReturnType<typeof newKeys> }): Promise<TestEntry[]> {
  const store = await openTestStore({ path, ...keys });
  return new CheckpointManager(new OfflineQueue({ store })).startJob<TestEntry>('job-456', 'w').load();
}

describe('a secret part of an entry', () => {
  it('comes back with its entry, and is nowhere in the files', async () => {
    const keys = newKeys();
    const { store, queue, handle } = await openTestJob({ keys });
    await handle.commit([entry('tok-3141592653')], { secret });
    expect(bytesOf(store.path)).toContain('plain-text');
    expect(bytesOf(store.path)).not.toContain('3141592653');
    expect(await handle.load()).toEqual([entry('tok-3141592653')]);
    expect((await queue.getJobHistory('job-456'))[0]?.entry).toEqual(entry('tok-3141592653'));
    await store.close();
    expect(await reload(store.path, { keys })).toEqual([entry('tok-3141592653')]);
  });

  it('is refused by a store without keys, and nothing of it is written', async () => {
    const { store, handle } = await openTestJob();
    await expect(handle.commit([entry('tok')], { secret })).rejects.toMatchObject({ code: 'KEY_MISSING' });
    expect(await handle.load()).toEqual([]);
    expect(store.isOpen).toBe(true);
  });

  it('that is not there is refused, so that a typo stores nothing in the clear', async () => {
    const { handle } = await openTestJob({ keys: newKeys() });
    const typo = [{ entry: 0, path: ['variables', 'tokn'] }];
    await expect(handle.commit([entry('tok')], { secret: typo })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('["variables","tokn"]'),
    });
    await expect(handle.commit([], { secret })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('is found whether a key is given as a number or as its text, and of a list only its items are parts', async () => {
    const { store, queue, handle } = await openTestJob({ keys: newKeys() });
    const lists = { kind: 'result', node_id: 'n', outputs: { list: ['tok-2718281828'], 5: 'tok-1618033988' } };
    const paths = [
      { entry: 0, path: ['outputs', 'list', '0'] },
      { entry: 0, path: ['outputs', 5] },
    ];
    await handle.commit([lists], { secret: paths });
    const context = { list: [{ 7: 'tok-1414213562' }] };
    await handle.saveCheckpoint({ nodeId: 'n', context, secret: [['list', '0', 7]] });
    for (const secretText of ['2718281828', '1618033988', '1414213562']) {
      expect(bytesOf(store.path)).not.toContain(secretText);
    }
    expect(await handle.load()).toEqual([lists]);
    expect((await queue.getLatestCheckpoint('job-456'))?.state).toEqual(context);
    for (const key of ['length', '00', 1.5, -1]) {
      const wrong = handle.commit([lists], { secret: [{ entry: 0, path: ['outputs', 'list', key] }] });
      await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('does not open with another key, or with none, and the error names the key', async () => {
    const keys = newKeys();
    const { store, handle } = await openTestJob({ keys });
    await handle.commit([entry('tok')], { secret });
    await store.close();
    const missing = { code: 'KEY_MISSING', message: expect.stringContaining(keys.current.id) };
    await expect(reload(store.path, { keys: newKeys() })).rejects.toMatchObject(missing);
  });

  it('does not open at another step', async () => {
    const keys = newKeys();
    const box = new SecretBox(keys);
    const sealed = box.seal('tok', { jobId: 'job-456', leaseToken: '7', seq: 1 });
    for (const place of [
      { jobId: 'job-456', leaseToken: '7', seq: 2 },
      { jobId: 'job-457', leaseToken: '7', seq: 1 },
      { jobId: 'job-456', leaseToken: '8', seq: 1 },
    ]) {
      expect(() => box.open(sealed, place)).toThrow(expect.objectContaining({ code: 'KEY_WRONG' }));
    }
    expect(box.open(sealed, { jobId: 'job-456', leaseToken: '7', seq: 1 })).toBe('tok');
  });

  it('that was tampered with is an error, not a value', async () => {
    const keys = newKeys();
    const { store, handle } = await openTestJob({ keys });
    await handle.commit([entry('tok')], { secret });
    await store.close();
    withDatabase(store.path, (db) => db.exec(`UPDATE journal SET sealed = replace(sealed, ':', ':A')`));
    await expect(reload(store.path, { keys })).rejects.toMatchObject({
      code: 'JOB_IN_DOUBT',
      message: expect.stringContaining('(seq 1)'),
    });
  });
});

it('browser state in a checkpoint is sealed, and written again only when it changed', async () => {
  const keys = newKeys();
  const { store, queue, handle } = await openTestJob({ keys });
  const save = (step: number, cookie: string) =>
    handle.saveCheckpoint({
      nodeId: `n${step}`,
      context: { variables: { step }, browser: { url: 'about:blank', cookies: [cookie] } },
      secret: [['browser', 'cookies']],
    });
  for (const step of [1, 2, 3]) await save(step, 'session=2718281828');
  await save(4, 'session=1618033988');
  expect(bytesOf(store.path)).not.toMatch(/2718281828|1618033988/);
  expect((await store.sealedWith())[0]).toEqual({ keyId: keys.current.id, entries: 2 });
  expect((await handle.getCheckpoint())?.state).toEqual({
    variables: { step: 4 },
    browser: { url: 'about:blank', cookies: ['session=1618033988'] },
  });
  expect((await queue.getLatestCheckpoint('job-456'))?.nodeId).toBe('n4');
});

describe('keys in a folder', () => {
  it('are made once, for their owner only, and outlive the store', async () => {
    const folder = join(temporaryFolder(), 'keys');
    const keys = openKeyFolder(folder);
    expect(openKeyFolder(folder)).toEqual(keys);
    if (process.platform === 'win32') return;
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it('rotate: new secrets are sealed with the new key, old ones open as long as their key is there', async () => {
    const folder = join(temporaryFolder(), 'keys');
    const first = openKeyFolder(folder);
    const { store, handle } = await openTestJob({ keys: first });
    await handle.commit([entry('old')], { secret });
    const second = rotateKeyFolder(folder);
    await store.useKeys(second);
    await handle.commit([entry('new')], { secret });
    expect(await handle.load()).toEqual([entry('old'), entry('new')]);
    expect((await store.sealedWith()).map(({ keyId }) => keyId).sort()).toEqual(
      [first.current.id, second.current.id].sort(),
    );
    expect(() => removeKey(folder, second.current.id)).toThrow(/current/);
    removeKey(folder, first.current.id);
    await store.close();
    await expect(reload(store.path, { keys: openKeyFolder(folder) as never })).rejects.toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringContaining(first.current.id),
    });
  });

  it('that are damaged are named', async () => {
    const folder = join(temporaryFolder(), 'keys');
    openKeyFolder(folder);
    const [file = ''] = readdirSync(folder);
    writeFileSync(join(folder, file), randomBytes(32).toString('base64'));
    expect(() => openKeyFolder(folder)).toThrow(expect.objectContaining({ code: 'KEY_WRONG' }));
    const wrong = { current: { id: '0123456789abcdef', key: randomBytes(32) } };
    const path = join(temporaryFolder(), 'store.db');
    await expect(openStore({ path, robotId: 'r', keys: wrong })).rejects.toMatchObject({ code: 'KEY_WRONG' });
    expect(() => secretKey('c2hvcnQ=')).toThrow(expect.objectContaining({ code: 'KEY_WRONG' }));
    writeFileSync(path, '');
    const message = expect.stringContaining(`the folder of keys ${path}`);
    expect(() => openKeyFolder(path)).toThrow(expect.objectContaining({ code: 'STORE_ACCESS', message }));
  });
});
