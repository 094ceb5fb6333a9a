/** A log read beside the one who writes it. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger, followLog, readLog } from '../src/index.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-files-'));
  path = join(folder, 'robot.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const numbers = (lines: readonly { readonly message: string }[]): number[] =>
  lines.map(({ message }) => Number(message));

describe('reading', () => {
  it('goes over all files, oldest first, and filters by job, level, time and number', async () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now, sleep: async () => undefined };
    const logger = createLogger({ stream: null, clock, file: { path, maxBytes: 400, maxFiles: 1_000 } });
    for (let line = 0; line < 100; line += 1) {
      now = line * 1_000;
      logger.log(line % 10 === 0 ? 'error' : 'info', String(line), { job_id: `job-${line % 2}` });
    }
    await logger.close();
    expect(numbers(await readLog(path))).toEqual(Array.from({ length: 100 }, (_, line) => line));
    expect(numbers(await readLog(path, { jobId: 'job-1', since: 95_000 }))).toEqual([95, 97, 99]);
    expect(numbers(await readLog(path, { level: 'error', last: 2 }))).toEqual([80, 90]);
    expect(await readLog(join(folder, 'none.log'))).toEqual([]);
  });

  it('tells of a line that is too long to be read', async () => {
    const line = (level: string, message: string): string =>
      `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', level, message, fields: {} })}\n`;
    writeFileSync(path, line('info', 'before') + line('error', 'x'.repeat(5 * 1024 * 1024)) + line('info', 'after'));
    expect((await readLog(path)).map(({ level, message }) => [level, message])).toEqual([
      ['info', 'before'],
      ['error', '[a line of 5242954 bytes, too long to be read]'],
      ['info', 'after'],
    ]);
  });
});

describe('following', () => {
  it('misses no line and tells none twice while the log rotates under it', async () => {
    const logger = createLogger({ stream: null, file: { path, maxBytes: 300, maxFiles: 12 } });
    const end = new AbortController();
    let written = 0;
    const write = (count: number): void => {
      for (let line = 0; line < count; line += 1) logger.log('info', String(written++));
    };
    write(20);
    const seen: number[] = [];
    for await (const line of followLog(path, { last: 5, signal: end.signal, pollIntervalMs: 1 })) {
      seen.push(Number(line.message));
      if (written < 120) write(2);
      else if (seen.at(-1) === written - 1) end.abort();
    }
    await logger.close();
    expect(seen).toEqual(Array.from({ length: written - 15 }, (_, index) => index + 15));
  });

  it('goes on with a file that somebody has emptied', async () => {
    const end = new AbortController();
    const line = (message: string): string =>
      `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', level: 'info', message, fields: {} })}\n`;
    writeFileSync(path, line('1').repeat(10));
    const seen: number[] = [];
    for await (const { message } of followLog(path, { signal: end.signal, pollIntervalMs: 1 })) {
      seen.push(Number(message));
      if (seen.length === 10) writeFileSync(path, line('2'));
      if (seen.length === 11) appendFileSync(path, line('3'));
      if (seen.length === 12) end.abort();
    }
    expect(seen.slice(10)).toEqual([2, 3]);
  });

  it('says when files were removed before they could be read, and begins with a log that is made later', async () => {
    const end = new AbortController();
    let gaps = 0;
    const logger = createLogger({ stream: null, file: { path, maxBytes: 1, maxFiles: 2 } });
    const seen: number[] = [];
    const following = followLog(path, { signal: end.signal, pollIntervalMs: 1, onGap: () => (gaps += 1) });
    const first = following.next();
    logger.log('info', '0');
    seen.push(Number((await first).value?.message));
    for (let line = 1; line <= 5; line += 1) logger.log('info', String(line));
    for await (const line of following) {
      seen.push(Number(line.message));
      if (line.message === '5') end.abort();
    }
    await logger.close();
    expect({ seen, gaps }).toEqual({ seen: [0, 4, 5], gaps: 1 });
  });
});

describe('a file that has to wait', () => {
  it('gets the lines that came before it may be touched', async () => {
    const owned = Promise.withResolvers<void>();
    const lines: string[] = [];
    const logger = createLogger({
      stream: null,
      file: { path, after: owned.promise },
      redact: { values: ['hush'] },
      onLine: ({ message }) => lines.push(message),
    });
    logger.log('info', 'early hush');
    expect(await readLog(path)).toEqual([]);
    owned.resolve();
    await owned.promise;
    logger.log('info', 'late');
    await logger.close();
    expect((await readLog(path)).map(({ message }) => message)).toEqual(['early [redacted]', 'late']);
    expect(lines).toEqual(['early [redacted]', 'late']);
  });
});
