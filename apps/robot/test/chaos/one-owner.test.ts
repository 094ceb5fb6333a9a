/** Two robots, one store, as real processes. Also: `pnpm chaos one-owner`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';
import { heldJob } from '../support/held-job.ts';
import { temporaryFolder } from '../support/robot-home.ts';

const rounds = Number(process.env.ONE_OWNER_ROUNDS ?? 1);
const each = Array.from({ length: rounds }, (_none, round) => round + 1);

const patience = { timeoutMs: 60_000, intervalMs: 50 };

interface Holder {
  readonly pid: number;
}

/** Who says that it holds the store of a folder. */
function holderOf(folder: string): Holder | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function begin(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): RunningCommand {
  const command = startCommand(args, { env, cwd });
  onTestFinished(() => command.kill());
  return command;
}

const held = (folder: string, command: RunningCommand): Promise<Holder> =>
  eventually(
    'it holds the store',
    () => {
      const holder = holderOf(folder);
      return holder?.pid === command.child.pid ? holder : null;
    },
    patience,
  );

function expectRefusal(stderr: string, what: string, { pid }: Holder): void {
  expect(stderr).toContain(what);
  expect(stderr).toMatch(new RegExp(`\\(process ${pid}\\b.*, since \\d`));
}

it.each(each)(
  'a second robot is refused with exit code 75 and who holds the home; one that is killed leaves it free, one that is told to stop while it starts ends well (%i)',
  {
    timeout: 180_000,
  },
  async () => {
    const home = temporaryFolder();
    // Nobody listens there: a robot starts without its database.
    const env = { SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_KEY: 'a-key-of-some-length', CASARE_HOME: home };
    const first = begin(['start'], env, home);
    const holder = await held(home, first);
    const second = await runCommand(['start'], { env, cwd: home });
    expect(second.exitCode).toBe(75);
    expectRefusal(second.stderr, `a robot is already running in ${home}`, holder);
    expect(first.child.exitCode).toBeNull();

    await first.kill();
    const third = begin(['start'], env, home);
    await held(home, third);
    third.signal('SIGTERM');
    expect(await third.ended).toBe(0);
  },
);

it.each(each)(
  'a run is resumed by one process at a time, and its effect happens once (%i)',
  { timeout: 180_000 },
  async () => {
    const folder = temporaryFolder();
    const home = join(folder, 'home');
    const env = { CASARE_HOME: home };
    const file = join(folder, 'f.json');
    writeFileSync(file, heldJob('held'));
    const begun = (): string => readFileSync(join(folder, 'begun'), 'utf8');
    const run = begin(['run', file], env, folder);
    await eventually('it has begun', () => begun() === 'x', patience);
    await run.kill();
    const [id = ''] = readdirSync(join(home, 'runs'));
    const first = begin(['run', '--resume', id], env, folder);
    const holder = await held(join(home, 'runs', id), first);
    const second = await runCommand(['run', '--resume', id], { env, cwd: folder });
    expect(second.exitCode).toBe(75);
    expectRefusal(second.stderr, `the run ${id} is still running`, holder);
    writeFileSync(join(folder, 'go'), '');
    expect(await first.ended).toBe(0);
    expect(begun()).toBe('x');
  },
);
