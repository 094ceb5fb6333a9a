/** The real servers as servers: how they start, for whom, and that they never stay behind. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { chmod, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { findBinaries } from '../src/postgres/binaries.ts';
import { prepareDatabaseServer } from '../src/postgres/database-server.ts';
import { startPostgresSupabase } from '../src/postgres/index.ts';
import { chooseRunAs, type RunAs } from '../src/postgres/run-as.ts';
import { startAs } from '../src/postgres/start-postgres-supabase.ts';
import { systemClock } from '../src/system-clock.ts';
import { hasRealPostgres } from './engines.ts';
import { Orchestra } from './orchestra.ts';
import { spawnServer } from './programs/index.ts';
import { scratchFolder } from './scratch-folder.ts';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

/** The command lines of all processes that mention `text`. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(text));
}

describe.runIf(hasRealPostgres)('the real servers', () => {
  test('bring port, keys and data back when they are started again on their folder', async () => {
    const dataDir = await scratchFolder();
    const first = await startPostgresSupabase({ dataDir });
    const jobId = await new Orchestra(first).enqueue();
    await first.stop();
    expect(await processesWith(dataDir)).toEqual([]);

    const second = await startPostgresSupabase({ dataDir });
    onTestFinished(() => second.stop());

    expect([second.url, second.serviceKey, second.anonKey]).toEqual([first.url, first.serviceKey, first.anonKey]);
    expect(await new Orchestra(second).job(jobId)).toMatchObject({ status: 'pending' });
  });

  test('answer 503 while the database is down and go on when it is back', async () => {
    const server = await startPostgresSupabase();
    onTestFinished(() => server.stop());
    const orchestra = new Orchestra(server);
    const jobId = await orchestra.enqueue();

    await server.stopDatabase();
    expect(await orchestra.refused('get_job', { p_job_id: jobId })).toMatchObject({ status: 503 });
    await server.startDatabase();

    await vi.waitFor(async () => expect(await orchestra.job(jobId)).toMatchObject({ status: 'pending' }), 10_000);
    expect(await server.sql('select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('go on with their data when their owner was killed, who leaves nothing else behind', async () => {
    const [dataDir, tmpDir] = [await scratchFolder(), await scratchFolder()];
    const killed = spawnServer('postgres', { dataDir, tmpDir });
    const orchestra = new Orchestra(await killed.ready());
    const claim = await orchestra.running(await orchestra.robot());

    await killed.kill();
    const again = await startPostgresSupabase({ dataDir }); // waits for the old one to end
    onTestFinished(() => again.stop());
    expect(await new Orchestra(again).complete(claim)).toBe('ok');

    await again.stop();
    await vi.waitFor(async () => {
      expect([...(await processesWith(dataDir)), ...(await processesWith(tmpDir))]).toEqual([]);
      expect(await readdir(tmpDir)).toEqual([]);
    }, 10_000);
  });

  test('are gone with their data when the owner of a throw-away database is killed', async () => {
    const tmpDir = await scratchFolder();
    const killed = spawnServer('postgres', { tmpDir });
    await killed.ready();
    expect(await processesWith(tmpDir)).not.toEqual([]);
    expect(await readdir(tmpDir)).toHaveLength(1);

    await killed.kill();

    await vi.waitFor(async () => {
      expect(await processesWith(tmpDir)).toEqual([]);
      expect(await readdir(tmpDir)).toEqual([]);
    }, 10_000);
  });

  test('say that the folder is in use', async () => {
    const dataDir = await scratchFolder();
    const first = await startPostgresSupabase({ dataDir });
    onTestFinished(() => first.stop());

    const clock = { ...systemClock, monotonic: () => performance.now() * 1_000 }; // the wait is over soon
    const server = await prepare(join(dataDir, 'postgres'), chooseRunAs(), clock);

    await expect(server.start()).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringMatching(/is in use: .*Is another postmaster \(PID \d+\) running/s),
    });
  });

  test.runIf(isRoot)('run for an ordinary user', async () => {
    const running = spawnServer('postgres', { uid: nobody });

    expect(await new Orchestra(await running.ready()).rpc('schema_version')).toBe(16);
  });

  test.runIf(isRoot && spawnSync('unshare', ['--user', 'true']).status === 0)(
    'run for root without its rights, on folders that nobody else can enter',
    async () => {
      const folder = await scratchFolder();
      await chmod(folder, 0o700);
      const server = await startPostgresSupabase({ dataDir: join(folder, 'data') });
      onTestFinished(() => server.stop());

      const lines = await server.sql<{ pid: number }>('select pg_backend_pid() as pid');
      const own = await readlink('/proc/self/ns/user');
      expect(await readlink(`/proc/${lines[0]?.pid}/ns/user`)).not.toBe(own);
    },
  );

  describe.runIf(isRoot)('for root, where user namespaces are forbidden', () => {
    const runAs: RunAs = { kind: 'nobody', ids: { uid: nobody, gid: nobody } };

    test('run as nobody, and again on the same folder', async () => {
      const parent = await scratchFolder();
      await chmod(parent, 0o755);
      const dataDir = join(parent, 'data');
      for (const options of [{}, { dataDir }, { dataDir }]) {
        const server = await startAs(runAs, options);
        onTestFinished(() => server.stop());
        const [row] = await server.sql<{ pid: number }>('select pg_backend_pid() as pid');
        expect(await readFile(`/proc/${row?.pid}/status`, 'utf8')).toContain(`Uid:\t${nobody}\t${nobody}`);
        await server.stop();
      }
      expect((await stat(join(dataDir, 'postgres.json'))).mode & 0o077).toBe(0);
    });

    test('copy their programs out of a folder that nobody cannot enter', async () => {
      const hidden = await scratchFolder();
      cpSync(findBinaries().postgresHome, join(hidden, 'programs'), { recursive: true, verbatimSymlinks: true });
      const reachable = await scratchFolder();
      await chmod(reachable, 0o755);

      const server = await prepare(join(reachable, 'cluster'), runAs, systemClock, join(hidden, 'programs'));
      await server.start();
      await server.stop();

      await expect(prepare(join(hidden, 'cluster'), runAs, systemClock)).rejects.toMatchObject({
        code: 'SERVER_FAILED',
        message: expect.stringContaining('nobody cannot enter'),
      });
    });
  });
});

async function prepare(
  clusterDir: string,
  runAs: RunAs,
  clock: typeof systemClock,
  postgresHome: string = findBinaries().postgresHome,
): ReturnType<typeof prepareDatabaseServer> {
  const scratchDir = join(await scratchFolder(), 'scratch');
  await chmod(join(scratchDir, '..'), 0o755);
  const log = (): void => undefined;
  return prepareDatabaseServer({ postgresHome, clusterDir, scratchDir, throwAway: true, runAs, clock, log });
}
