/** The embedded server as a server: what it keeps, what it lets in, and how it ends. */
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedSupabase } from '../src/index.ts';
import { defaultMigrationsDir, readMigrations } from '../src/migrations.ts';
import { Orchestra } from './orchestra.ts';
import { spawnServer } from './programs/index.ts';
import { scratchFolder } from './scratch-folder.ts';

let prepared: string;
const messages: string[] = [];
const log = (_level: string, message: string): void => void messages.push(message);
beforeAll(async () => {
  prepared = join(await mkdtemp(join(tmpdir(), 'embedded-server-')), 'new', 'data');
  await (await startEmbeddedSupabase({ dataDir: prepared, log })).stop();
});
afterAll(() => rm(join(prepared, '../..'), { recursive: true, force: true }));

/** A data folder on which a server has run before. */
async function usedDataDir(): Promise<string> {
  const dataDir = join(await scratchFolder(), 'data');
  cpSync(prepared, dataDir, { recursive: true });
  return dataDir;
}

test('brings port, keys and data back when it is started again on its folder', async () => {
  const dataDir = await usedDataDir();
  const first = await startEmbeddedSupabase({ dataDir, log });
  const jobId = await new Orchestra(first).enqueue();
  await first.stop();

  const second = await startEmbeddedSupabase({ dataDir, log });
  onTestFinished(() => second.stop());

  expect([second.url, second.serviceKey, second.anonKey]).toEqual([first.url, first.serviceKey, first.anonKey]);
  expect(await new Orchestra(second).job(jobId)).toMatchObject({ status: 'pending' });
  const migrations = await readMigrations(defaultMigrationsDir());
  expect(messages).toEqual([`new database with all migrations up to ${migrations.at(-1)?.name}`]);
  await expect(first.sql('select 1')).rejects.toMatchObject({ code: 'STOPPED' });
  for (const name of await readdir(dataDir)) {
    expect([name, (await stat(join(dataDir, name))).mode & 0o077]).toEqual([name, 0]);
  }
});

test('loses nothing that it acknowledged when it is killed, and lets go of its folder', async () => {
  const dataDir = await usedDataDir();
  const running = spawnServer('embedded', { dataDir });
  const orchestra = new Orchestra(await running.ready());
  const claim = await orchestra.running(await orchestra.robot());

  await expect(startEmbeddedSupabase({ dataDir })).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`process ${running.pid} on `),
  });
  await orchestra.refused('get_job_history', { p_job_id: claim.job_id, p_limit: 0 });
  await running.kill();
  const again = await startEmbeddedSupabase({ dataDir });
  onTestFinished(() => again.stop());

  expect(again.url).toBe(orchestra.server.url);
  expect(await new Orchestra(again).complete(claim)).toBe('ok');
  expect(running.stderr()).toBe('');
});

test('starts anew on a folder whose first start was interrupted', async () => {
  const dataDir = await scratchFolder();
  cpSync(join(prepared, 'database'), join(dataDir, 'database'), { recursive: true });
  await rm(join(dataDir, 'database', 'global'), { recursive: true }); // not yet written when the process was killed
  await writeFile(join(dataDir, 'first-start'), '');

  const server = await startEmbeddedSupabase({ dataDir });
  onTestFinished(() => server.stop());

  expect(await new Orchestra(server).rpc('schema_version')).toBe(16);
});

test('says which port is taken, and chooses another one when it was only used the last time', async () => {
  const dataDir = await usedDataDir();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;

  await expect(startEmbeddedSupabase({ dataDir, port })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `port ${port} on 127.0.0.1 is in use`,
  });
  const first = await startEmbeddedSupabase({ dataDir });
  await first.stop();
  const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(squatter, 'listening');
  onTestFinished(() => void squatter.close());
  const second = await startEmbeddedSupabase({ dataDir });
  onTestFinished(() => second.stop());

  expect(second.url).not.toBe(first.url);
  expect(second.serviceKey).toBe(first.serviceKey);
});

test('fails to start, with the reason, on a folder without migrations', async () => {
  await expect(startEmbeddedSupabase({ migrationsDir: await scratchFolder() })).rejects.toMatchObject({
    code: 'MIGRATION_FAILED',
    message: expect.stringContaining('no numbered .sql file in '),
  });
});

describe('while it runs', () => {
  let orchestra: Orchestra;
  beforeAll(async () => {
    orchestra = new Orchestra(await startEmbeddedSupabase({ dataDir: prepared }));
  });
  afterAll(() => orchestra.server.stop());

  test('shows nothing but REST and Auth', async () => {
    for (const path of [
      '/',
      '/_system/config',
      '/_system/introspect',
      '/storage/v1/bucket',
      '/rest',
      '/restless/v1/',
    ]) {
      expect([path, (await fetch(orchestra.server.url + path)).status]).toEqual([path, 404]);
    }
    const { serviceKey, anonKey, url } = orchestra.server;
    expect((await fetch(`${url}/auth/v1/health`, { headers: { apikey: anonKey } })).status).toBe(200);
    expect((await fetch(`${url}/rest/v1/`, { headers: { apikey: serviceKey } })).status).toBe(200);
  });

  test('listens on loopback only', async () => {
    const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const outside = others.filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of outside) {
      const socket = connect({ host: address, port: Number(new URL(orchestra.server.url).port) });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNREFUSED');
    }
  });

  test('reports what PostgreSQL refuses in sql(), with SQLSTATE', async () => {
    await expect(orchestra.server.sql('select $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    expect(await orchestra.server.sql('select 1 as a; select 2 as b')).toEqual([{ b: 2 }]);
    expect(
      await orchestra.server.sql('select 9007199254740993::bigint as big, now()::text = now()::text as same'),
    ).toEqual([{ big: 9007199254740993n, same: true }]);
  });
});

test('stops at once although clients keep their connections, and starts again on the same port', async () => {
  const dataDir = await usedDataDir();
  const first = await startEmbeddedSupabase({ dataDir });
  const orchestra = new Orchestra(first);
  await orchestra.enqueue();
  const idle = connect({ host: '127.0.0.1', port: Number(new URL(first.url).port) });
  await once(idle, 'connect');
  idle.on('error', () => undefined); // cut off is what it is to be
  const closed = new Promise((resolve) => idle.once('close', resolve));
  const underWay = Promise.allSettled(Array.from({ length: 20 }, () => orchestra.enqueue()));

  const startedAt = performance.now();
  await Promise.all([first.stop(), first.stop()]);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  await Promise.all([closed, underWay, first.ended]);

  const second = await startEmbeddedSupabase({ dataDir, port: Number(new URL(first.url).port) });
  onTestFinished(() => second.stop());
  const acknowledged = (await underWay).filter(({ status }) => status === 'fulfilled').length;
  const [row] = await second.sql<{ jobs: number }>('select count(*)::int as jobs from jobs');
  expect(row?.jobs).toBeGreaterThanOrEqual(1 + acknowledged);
});
