import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@casare/observability';
import { expect, it, onTestFinished } from 'vitest';
import { logsCommand } from './log-commands.ts';
import type { Terminal } from './terminal.ts';

/** A robot's log with small files, and a person who reads it. */
function robotLog() {
  const home = mkdtempSync(join(tmpdir(), 'casare-log-'));
  const config = join(home, 'robot.json');
  writeFileSync(config, JSON.stringify({ robot: { home } }));
  const logger = createLogger({
    stream: null,
    file: { path: join(home, 'logs', 'robot.log'), maxBytes: 2_000, maxFiles: 12 },
  });
  onTestFinished(async () => {
    await logger.close();
    rmSync(home, { recursive: true, force: true });
  });
  const lines: string[] = [];
  const printed: string[] = [];
  let onLine: () => void = () => undefined;
  const terminal: Terminal = {
    print: (line) => {
      printed.push(line);
      lines.push(JSON.parse(line).message);
      onLine();
    },
    note: (line) => lines.push(line),
    status: () => undefined,
    isInteractive: false,
  };
  return {
    log: (jobId: string, message: string) => logger.log('info', message, { job_id: jobId }),
    logs: (options: { readonly job: string; readonly follow?: boolean; readonly lines?: number }) =>
      logsCommand({ json: true, config, ...options }, terminal),
    lines,
    printed,
    whenPrinted: (action: () => void) => {
      onLine = action;
    },
  };
}

it('a beginning that two ids share is refused with both, however few lines are asked for; a whole id means its job alone', async () => {
  const { log, logs, lines } = robotLog();
  log('aa1', 'one');
  log('aa2', 'two');
  log('aa', 'three');
  log('ab', 'four');
  expect(await logs({ job: 'aa' })).toBe(0);
  expect(await logs({ job: 'ab' })).toBe(0);
  expect(lines).toEqual(['three', 'four']);
  await expect(logs({ job: 'a', lines: 1 })).rejects.toThrow(/several jobs begin with a;.*aa1.*aa2/s);
  await expect(logs({ job: 'a', follow: true })).rejects.toMatchObject({ exitCode: 2 });
});

it('a line drives no terminal, also as JSON, which says the same', async () => {
  const { log, logs, lines, printed } = robotLog();
  const sly = 'paid \u009b2J\u202e';
  log('aa', sly);
  expect(await logs({ job: 'aa' })).toBe(0);
  expect(lines).toEqual([sly]);
  expect(printed.join()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it('a job that is followed through rotations under load is told whole, and alone', async () => {
  const { log, logs, lines, whenPrinted } = robotLog();
  let written = 0;
  const write = (): void => {
    for (let n = 0; n < 20; n += 1) {
      log('aa1', String(written++));
      log('bb', 'of another job');
    }
  };
  whenPrinted(() => {
    if (lines.length < written) return;
    if (written < 200) write();
    else log('aa2', 'a job that came later');
  });
  write();
  await expect(logs({ job: 'aa', follow: true, lines: 1_000 })).rejects.toThrow(/several jobs.*aa1.*aa2/s);
  expect(lines).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
});
