import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OfflineQueue, openStore } from '../src/index.ts';
import { requireNode } from '../src/open-store.ts';
import { SqliteStore } from '../src/sqlite-store.ts';
import { openTestJob, openTestStore, result, withDatabase } from './support/open-stores.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('the file of a store', () => {
  it.skipIf(process.platform === 'win32')('and its folder are for their owner only', async () => {
    const folder = join(temporaryFolder(), 'home', 'robot');
    const { handle } = await openTestJob({ path: join(folder, 'store.db') });
    await handle.commit([result(1)]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const files = readdirSync(folder);
    expect(files).toEqual(expect.arrayContaining(['owner.db', 'owner.json', 'store.db', 'store.db-wal']));
    for (const file of files) expect([file, statSync(join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  it.skipIf(process.platform === 'win32')(
    'that was open to others is closed to them; a folder that was is warned about',
    async () => {
      const folder = join(temporaryFolder(), 'shared');
      mkdirSync(folder, { mode: 0o755 });
      const path = join(folder, 'store.db');
      writeFileSync(path, '', { mode: 0o644 });
      const warnings: string[] = [];
      await openTestStore({ path, logger: { log: (level, message) => warnings.push(`${level}: ${message}`) } });
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(folder).mode & 0o777).toBe(0o755);
      expect(warnings).toEqual(['warning: the folder of the store is open to other users']);
    },
  );

  it.each([
    ['full', 2],
    ['normal', 1],
  ] as const)(
    'synchronous: %s is in force on the live connection, with the other settings',
    async (synchronous, expected) => {
      const store = SqliteStore.of(await openTestStore({ synchronous, busyTimeoutMs: 100 }));
      const stats = await store.stats();
      expect(stats.synchronous).toBe(synchronous);
      expect(stats.settings).toEqual({
        journal_mode: 'wal',
        synchronous: expected,
        busy_timeout: 100,
        wal_autocheckpoint: 1_000,
        journal_size_limit: 16 * 1024 * 1024,
        mmap_size: 0,
      });
      const tables = store.tables.db
        .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'")
        .all() as readonly object[];
      expect(tables).toHaveLength(10);
      expect(tables).toEqual(tables.map((table) => ({ ...table, strict: 1 })));
    },
  );

  it('full is the default', async () => {
    const store = await openTestStore();
    expect((await store.stats()).settings.synchronous).toBe(2);
  });

  it('written by a newer version is refused with both versions named, and left as it is', async () => {
    const store = await openTestStore();
    await store.close();
    withDatabase(store.path, (db) => db.pragma('user_version = 99'));
    const before = hashOf(store.path);
    await expect(openStore({ path: store.path, robotId: 'r' })).rejects.toMatchObject({
      code: 'STORE_TOO_NEW',
      message: expect.stringMatching(/has version 99, this package knows versions up to 4: use the newer version/),
    });
    expect(hashOf(store.path)).toBe(before);
  });

  it('is not opened by a Node on which SQLite would crash', () => {
    const old = {
      code: 'STORE_UNSUPPORTED',
      message: 'The store needs Node 22.13 or newer, and this is Node 20.20.2.',
    };
    expect(() => requireNode('20.20.2')).toThrow(expect.objectContaining(old));
    requireNode('22.13.0');
    requireNode('26.1.0');
  });

  it('of another program is refused and left as it is', async () => {
    const path = join(temporaryFolder(), 'notes.db');
    withDatabase(path, (db) => db.exec('CREATE TABLE notes (text TEXT)'));
    const before = hashOf(path);
    await expect(openStore({ path, robotId: 'r' })).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    expect(hashOf(path)).toBe(before);
  });

  it('that is no database is set aside as it is, and a new one takes its place', async () => {
    const path = join(temporaryFolder(), 'store.db');
    writeFileSync(path, 'not a database, '.repeat(100));
    const before = hashOf(path);
    const store = await openTestStore({ path });
    expect(store.opening.setAside).toMatch(/store\.db\.damaged-20/);
    expect(hashOf(store.opening.setAside ?? '')).toBe(before);
    expect(store.opening.incidents).toMatchObject([{ kind: 'store-set-aside', jobId: null }]);
    expect(await store.incidents()).toEqual(store.opening.incidents);
  });

  it('is refused by clear codes where it cannot be', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const codeOf = (path: string): Promise<unknown> =>
      openStore({ path, robotId: 'r' }).catch((error: { code: string }) => error.code);
    expect(await codeOf(join(folder, 'file', 'store.db'))).toBe('STORE_ACCESS');
    expect(await codeOf(folder)).toBe('INVALID_ARGUMENT');
    expect(await codeOf(':memory:')).toBe('INVALID_ARGUMENT');
    expect(await codeOf('')).toBe('INVALID_ARGUMENT');
  });

  it.skipIf(process.platform === 'win32')('is refused by the name of what is in the way, with a remedy', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'store.db');
    const refusal = (given = path): Promise<unknown> =>
      openStore({ path: given, robotId: 'r' }).catch((error: { code: string; message: string }) => error);
    for (const name of ['store.db-wal', 'store.db-marks', 'owner.db', 'owner.json']) {
      const inTheWay = join(folder, name);
      mkdirSync(inTheWay);
      const message = `${inTheWay} is a folder, and has to be a file: move it away, or put the file back.`;
      expect(await refusal()).toMatchObject({ code: 'STORE_ACCESS', message });
      rmdirSync(inTheWay);
    }
    writeFileSync(join(folder, 'owner.db'), 'x'.repeat(4_096));
    expect(await refusal()).toMatchObject({ code: 'STORE_ACCESS', message: expect.stringContaining('delete it when') });

    const link = join(folder, 'link.db');
    symlinkSync(join(folder, 'elsewhere.db'), link);
    expect(await refusal(link)).toMatchObject({ code: 'STORE_ACCESS', message: expect.stringContaining('no file is') });
    writeFileSync(join(folder, 'elsewhere.db'), '');
    writeFileSync(`${link}-wal`, 'the newest steps');
    const message = expect.stringContaining(`${link}-wal belongs to its file: move it beside ${folder}`);
    expect(await refusal(link)).toMatchObject({ code: 'STORE_ACCESS', message });
  });

  it('is not opened with options that make no sense, which are named', async () => {
    const path = join(temporaryFolder(), 'store.db');
    for (const [name, options] of [
      ['busyTimeoutMs', { busyTimeoutMs: 5_000 }],
      ['maxBytes', { maxBytes: 0 }],
      ['maxBytes', { maxBytes: Number.NaN }],
      ['maxBytes', { maxBytes: '1 GB' }],
      ['reserveBytes', { maxBytes: 1_000_000, reserveBytes: 900_000 }],
      ['keepJournalEntries', { keepJournalEntries: -1 }],
      ['outbox.maxEntries', { outbox: { maxEntries: 0 } }],
      ['synchronous', { synchronous: 'off' }],
      ['robotId', { robotId: '' }],
    ] as const) {
      const opening = openStore({ path, robotId: 'r', ...(options as object) });
      await expect(opening).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(new RegExp(`^${name} is `)),
      });
    }
    expect(existsSync(path)).toBe(false);
  });
});

describe('the size limit of a store', () => {
  it('refuses what does not fit with STORE_FULL, writes nothing of it, and lets go on once there is room', async () => {
    const { store, queue, handle } = await openTestJob({ maxBytes: 300 * 1024 });
    let step = 0;
    let failure: unknown;
    while (failure === undefined) {
      const entry = { ...result(step + 1), text: 'x'.repeat(20_000) };
      await handle
        .commit([entry, entry], { outbox: [{ kind: 'step', payload: { step: step + 1, text: 'y'.repeat(2_000) } }] })
        .then(
          () => {
            step += 1;
          },
          (error: unknown) => {
            failure = error;
          },
        );
    }
    expect(failure).toMatchObject({
      code: 'STORE_FULL',
      category: 'permanent',
      message: expect.stringContaining('maxBytes'),
    });
    expect(step).toBeGreaterThan(2);
    expect(await handle.load()).toHaveLength(step * 2);
    const waiting = await store.outbox.peek(1_000);
    expect(waiting.map((entry) => entry.seq)).toEqual(Array.from({ length: step }, (_, index) => index + 1));
    expect((await queue.getJob('job-456')).journalSeq).toBe(step * 2);

    await store.outbox.ack(waiting.map((entry) => entry.id));
    await handle.commit([result(step + 1)], { outbox: [{ kind: 'step', payload: {} }] });
    expect((await store.outbox.peek()).map((entry) => entry.seq)).toEqual([step + 1]);
  });

  it('refuses at once what it never takes, by its size and by its own, whatever the room; and ends the job all the same', async () => {
    const { queue, handle } = await openTestJob({ maxBytes: 320 * 1024, reserveBytes: 20 * 1024 });
    const limitBytes = 150 * 1024;
    const refusal = (bytes: number) => ({
      code: 'VALUE_TOO_LARGE',
      category: 'permanent',
      bytes: expect.closeTo(bytes, -3),
      limitBytes,
    });
    await handle.commit([{ ...result(1), text: 'x'.repeat(50_000) }]);
    const large = 'ä'.repeat(limitBytes / 2);
    await expect(handle.commit([{ ...result(2), text: large }])).rejects.toMatchObject(refusal(limitBytes));
    const secret = [{ entry: 0, path: ['text'] }];
    await expect(handle.commit([{ ...result(2), text: large }], { secret })).rejects.toMatchObject(refusal(limitBytes));
    const outbox = [{ kind: 'step', payload: { large } }];
    await expect(handle.commit([result(2)], { outbox })).rejects.toMatchObject(refusal(limitBytes));
    const job = { jobId: 'other', workflowJson: '{}', originalStatus: 'pending', variables: { large } };
    await expect(queue.cacheJob(job)).rejects.toMatchObject(refusal(limitBytes));
    await handle.commit([result(2)], {
      status: { status: 'failed', result: null, error: { code: 'RESULT_TOO_LARGE' } },
    });
    expect(await queue.getJob('job-456')).toMatchObject({ status: 'failed', journalSeq: 2 });
  });

  it('takes what has happened already from the reserve, without its events', async () => {
    const { store, handle } = await openTestJob({ maxBytes: 300 * 1024 });
    const happened = { ...result(1), text: 'x'.repeat(20_000) };
    const outbox = [{ kind: 'step', payload: {} }];
    let steps = 0;
    const isTaken = (reserve: boolean): Promise<boolean> =>
      handle.commit([happened], { outbox, ...(reserve ? { reserve } : {}) }).then(
        () => true,
        () => false,
      );
    while (await isTaken(false)) steps += 1;
    const { pending } = await store.outbox.stats();
    expect(await isTaken(true)).toBe(true);
    expect(await handle.load()).toHaveLength(steps + 1);
    expect((await store.outbox.stats()).pending).toBe(pending);
    expect(await store.stats()).toMatchObject({ pressure: 'steps', reserveUsed: 1 });
  });

  it('one commit that does not fit costs the others of its turn nothing', async () => {
    const { queue, handle } = await openTestJob({ maxBytes: 300 * 1024 });
    const outcomes = await Promise.allSettled([
      handle.commit([result(1)]),
      handle.commit([{ ...result(99), text: 'x'.repeat(400_000) }]),
      handle.commit([result(2)]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await queue.getJobHistory('job-456')).map((row) => row.nodeId)).toEqual(['node-1', 'node-2']);
  });
});

describe('a closed store', () => {
  it('finishes what was asked of it and refuses everything after', async () => {
    const { store, queue, checkpoints, handle } = await openTestJob();
    const last = handle.commit([result(1)]);
    const closing = store.close();
    await last;
    await closing;
    await store.close();
    expect(store.isOpen).toBe(false);
    const calls: (() => Promise<unknown>)[] = [
      () => handle.commit([result(2)]),
      () => handle.load(),
      () => handle.saveCheckpoint({ nodeId: 'n', context: {} }),
      () => queue.getInProgressJobs(),
      () => queue.cacheJob({ jobId: 'j', workflowJson: '{}' }),
      () => queue.markCompleted('job-456', { success: true }),
      () => queue.getStats(),
      () => queue.cleanup(),
      () => store.outbox.peek(),
      () => store.outbox.ack([1]),
      () => store.outbox.fail(1, 'why'),
      () => store.stats(),
    ];
    for (const call of calls) await expect(call(), String(call)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    handle.endJob();
    expect(() => checkpoints.startJob('job-456', 'again')).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }));

    const again = new OfflineQueue({ dbPath: store.path, robotId: 'robot-123' });
    expect((await again.getJob('job-456')).journalSeq).toBe(1);
    await again.close();
  });
});
