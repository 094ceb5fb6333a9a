import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@casare/execution';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type LocalChild, startLocalChild } from '../src/cli/local-child.ts';
import { LocalRestarts } from '../src/cli/local-restarts.ts';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { mainScript, runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { areAlive } from './support/processes.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain, wait } from './support/workflows.ts';

/** A port that nobody listens on. */
const nowhere = 'http://127.0.0.1:9';

function robotIn(home: string): RobotAgent {
  return new RobotAgent(
    new RobotConfig({
      robot: { home },
      connection: { url: nowhere, key: 'service-key' },
      observability: { logLevel: 'critical', resourceMonitoringEnabled: false },
    }),
  );
}

describe('a robot without a database', () => {
  it('starts, says why it is not connected, and stops', async () => {
    const robot = robotIn(temporaryFolder());
    await robot.start();
    expect(robot.getStatus()).toMatchObject({ state: 'running', connection: { isConnected: false } });
    await robot.stop();
    expect(robot.state).toBe('stopped');
  });

  it('does not come up when it is stopped while it starts, and leaves its home free', async () => {
    const home = temporaryFolder();
    const robot = robotIn(home);
    const started = robot.start();
    await robot.stop();
    await started;
    expect(robot.state).toBe('stopped');
    const next = robotIn(home);
    await next.start();
    await next.stop();
  });

  it('stops while it is paused, and is still paused when it starts again', async () => {
    const home = temporaryFolder();
    const robot = robotIn(home);
    await robot.start();
    await robot.pause({ note: 'moving house' });
    expect(() => robot.stop({ mode: 'abort' as never })).toThrow('mode must be "drain", "cancel" or "suspend"');
    expect(robot.state).toBe('running');
    await robot.stop({ mode: 'cancel' });
    const next = robotIn(home);
    await next.start();
    expect(next.getStatus().paused).toMatchObject({ note: 'moving house', remainingMs: null });
    expect(() => next.setMaxConcurrent(0)).toThrow('maxConcurrentJobs must be a whole number of at least 1');
    next.setMaxConcurrent(7);
    expect(next.getStatus().executor).toMatchObject({ maxConcurrentJobs: 7 });
    await next.resume();
    await next.stop();
  });

  it('refuses a home that another robot uses, and says who holds it', async () => {
    const home = temporaryFolder();
    const first = robotIn(home);
    await first.start();
    await expect(robotIn(home).start()).rejects.toMatchObject({
      code: 'STORE_OWNED',
      message: expect.stringContaining(String(process.pid)),
    });
    const env = { CASARE_HOME: home, SUPABASE_URL: nowhere, SUPABASE_KEY: 'service-key' };
    const others = [['start'], ['start', '--local']].map((words) => runCommand(words, { env }));
    for (const { exitCode, stderr } of await Promise.all(others)) {
      expect(stderr).toContain(`a robot is already running in ${home} (process ${process.pid}, since 2`);
      expect(stderr).toMatch(/`casare-robot status`.*`casare-robot stop`/);
      expect(exitCode).toBe(75);
    }
    await first.stop();
  });
});

describe('an embedded Supabase whose folder is in use', () => {
  it('is refused with exit code 75, and start --local ends with it', async () => {
    const home = temporaryFolder();
    const env = { CASARE_HOME: home };
    const first = startCommand(['local'], { env });
    onTestFinished(() => first.kill());
    await eventually('it is up', () => first.lines.some((line) => line.startsWith('SUPABASE_KEY=')), {
      timeoutMs: 60_000,
    });
    const others = [['local'], ['start', '--local']].map((words) => runCommand(words, { env }));
    for (const { exitCode, stderr } of await Promise.all(others)) {
      expect(exitCode).toBe(75);
      expect(stderr).toContain(String(first.child.pid));
    }
  });
});

describe.runIf(process.platform === 'linux')('start --local', () => {
  it('goes on by itself when its database is killed, and takes it along when it is stopped or killed', async () => {
    const home = join(temporaryFolder(), 'home');
    const config = join(temporaryFolder(), 'robot.json');
    writeFileSync(config, JSON.stringify({ robot: { home } }));
    const env = { CASARE_CONFIG: '', HOME: temporaryFolder() };
    const patient = { timeoutMs: 60_000 };
    const start = async (): Promise<ReturnType<typeof startCommand>> => {
      const started = startCommand(['start', '--local', '--config', config], { env });
      onTestFinished(() => started.kill());
      await eventually('it is up', () => started.lines.some((line) => line.startsWith('robot ')), patient);
      return started;
    };
    const robot = await start();
    const said = (name: string): string =>
      robot.lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
    const operator = await operatorOf({ url: said('SUPABASE_URL'), serviceKey: said('SUPABASE_KEY') });
    onTestFinished(() => operator.close());
    const work = chain('work', [wait('wait', 0.01)]);
    const databasePid = (): number => JSON.parse(readFileSync(join(home, 'local-supabase', 'owner.json'), 'utf8')).pid;
    expect(await operator.ended(await operator.submit(work))).toMatchObject({ status: 'completed' });

    const killed = databasePid();
    process.kill(killed, 'SIGKILL');
    await eventually('the robot says so', () =>
      robot.errors.some((line) => /WARN\w* .*embedded Supabase has ended \(SIGKILL\)/.test(line)),
    );
    await eventually('another one is up', () => robot.errors.some((line) => line.includes('is up again')), patient);
    const file = join(home, 'work.json');
    writeFileSync(file, work);
    const place = ['--local', '--config', config];
    const submit = ['job', 'submit', file, ...place, '--on-lost', 'restart', '--max-attempts', '3'];
    const { stdout } = await runCommand(submit, { env });
    expect(await operator.ended(stdout.trim())).toMatchObject({
      status: 'completed',
      on_lost: 'restart',
      max_attempts: 3,
    });

    const second = databasePid();
    expect(areAlive([killed, second])).toEqual([second]);
    robot.signal('SIGTERM');
    expect([await robot.ended, areAlive([second])]).toEqual([0, []]);

    const next = await start();
    const third = databasePid();
    await next.kill();
    await eventually('the database is gone with its robot', () => areAlive([third]).length === 0, patient);
  });
});

describe.runIf(process.platform === 'linux')('the database of start --local', () => {
  it('is started again when it hangs, with all that it held', async () => {
    const dataDir = temporaryFolder();
    const start = (port?: number): Promise<LocalChild> =>
      startLocalChild({ mainScript, dataDir, onMessage: () => undefined, ...(port === undefined ? {} : { port }) });
    const holder = (): number => JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')).pid;
    const first = await start();
    onTestFinished(() => first.kill());
    const { url, key } = first;
    const told: string[] = [];
    const restarts = new LocalRestarts({
      database: first,
      start: () => start(Number(new URL(url).port)),
      clock: systemClock,
      logger: { log: (_level, message) => void told.push(message) },
      askEveryMs: 3_000,
    });
    onTestFinished(() => restarts.stop());
    const operator = await operatorOf({ url, serviceKey: key });
    onTestFinished(() => operator.close());
    const jobId = await operator.submit(chain('work', [wait('wait', 0.01)]));

    const hung = holder();
    process.kill(hung, 'SIGSTOP');
    await eventually('another one is up', () => told.some((line) => line.includes('is up again')), {
      timeoutMs: 60_000,
    });
    expect(told[0]).toMatch(/has not answered for 9 s; it is killed/);
    expect(areAlive([hung])).toEqual([]);
    await eventually('the job is still there', async () => (await operator.job(jobId)).status === 'pending', {
      timeoutMs: 20_000,
    });
  });
});

describe('a home folder that cannot be used', () => {
  const start = (home: string) =>
    runCommand(['start'], { env: { SUPABASE_URL: nowhere, SUPABASE_KEY: 'service-key', CASARE_HOME: home } });

  it('is named with exit code 78 when it holds a robot.json without an id', async () => {
    const home = temporaryFolder();
    writeFileSync(join(home, 'robot.json'), 'null');
    const { exitCode, stderr } = await start(home);
    expect(exitCode).toBe(78);
    expect(stderr).toContain(join(home, 'robot.json'));
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it.runIf(process.platform === 'linux')('is refused at once where nothing can be made', async () => {
    const { exitCode } = await start('/proc/casare');
    expect(exitCode).toBe(78);
  });
});
