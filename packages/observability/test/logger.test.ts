import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CreateLoggerOptions, createLogger, type OperationalLogger, Redactor } from '../src/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casare-log-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function logged(options: CreateLoggerOptions, use: (logger: OperationalLogger) => void): string[] {
  const stream = new PassThrough();
  use(createLogger({ clock: new ManualClock(), stream, ...options }));
  return String(stream.read() ?? '')
    .split('\n')
    .slice(0, -1);
}

describe('the log', () => {
  it('has five levels and leaves out what is below its own', () => {
    const lines = logged({ level: 'warning' }, (logger) => {
      for (const level of ['debug', 'info', 'warning', 'error', 'critical'] as const) logger.log(level, `one ${level}`);
    });
    expect(lines).toEqual([
      '2026-01-01T00:00:00.000Z WARNING  one warning',
      '2026-01-01T00:00:00.000Z ERROR    one error',
      '2026-01-01T00:00:00.000Z CRITICAL one critical',
    ]);
  });

  it('writes JSON with the fields of the logger, of the child and of the line', () => {
    const [line] = logged({ format: 'json', fields: { robot: 'r1', level: 'mine' } }, (logger) => {
      logger.child({ job_id: 'j1', message: 'kept' }).log('info', 'hello %s', { node_id: 'n1' });
    });
    expect(JSON.parse(line ?? '')).toEqual({
      at: '2026-01-01T00:00:00.000Z',
      level: 'info',
      message: 'hello %s',
      fields: { robot: 'r1', level: 'mine', job_id: 'j1', message: 'kept', node_id: 'n1' },
    });
  });

  it('loses no line for a level or a message that is none', () => {
    const logAnything = (logger: OperationalLogger): void => {
      for (const args of [['loud', 'hear me', { a: 1 }], ['toString', 'x'], [null], ['info'], ['info', { b: 2 }]]) {
        Reflect.apply(logger.log, logger, args);
      }
    };
    expect(logged({}, logAnything).map((line) => line.slice(25))).toEqual([
      'INFO     hear me a=1 given_level=loud',
      'INFO     x given_level=toString',
      'INFO     (no message) given_level=null',
      'INFO     (no message)',
      'INFO     {"b":2}',
    ]);
    logged({ level: 'error' }, (logger) => {
      logAnything(logger);
      expect(logger.getStatus()).toMatchObject({
        failed: 3,
        lastError: expect.stringContaining('a level that is none'),
      });
    });
  });

  it('bounds the message, and leaves no half of a secret where it is cut', () => {
    const message = `${'m'.repeat(16 * 1024 - 3)}s3cret-value${'n'.repeat(1_000_000)}`;
    const [line = ''] = logged({ redact: { values: ['s3cret-value'] } }, (logger) => logger.log('info', message));
    expect(line.length).toBeLessThan(17 * 1024);
    expect(line).not.toContain('s3c');
    expect(line).toMatch(/\[\d+ more/);
  });

  it('shows no secret, also one that became known later', () => {
    const redact = new Redactor({ values: ['planted-1'] });
    const text = logged({ redact }, (logger) => {
      redact.addValue('planted-2');
      logger.log('error', 'key planted-1 refused', { url: 'https://x/?k=planted-2', apiKey: 'planted-3' });
    }).join();
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('planted');
  });
});

describe('a log file', () => {
  it('loses no line when the process exits at once, over all rotations', { timeout: 60_000 }, () => {
    const path = join(folder, 'logs', 'robot.log');
    execFileSync(process.execPath, [fileURLToPath(new URL('fixtures/log-and-exit.ts', import.meta.url)), path]);
    const files = readdirSync(join(folder, 'logs'));
    expect(files.length).toBeGreaterThan(5);
    const numbers = files
      .flatMap((file) =>
        readFileSync(join(folder, 'logs', file), 'utf8')
          .trim()
          .split('\n'),
      )
      .map((line) => Number((JSON.parse(line) as { message: string }).message.slice(5)));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('keeps no more files than it may', async () => {
    const path = join(folder, 'robot.log');
    const logger = createLogger({ stream: null, file: { path, maxBytes: 200, maxFiles: 3 } });
    for (let line = 0; line < 100; line += 1) logger.log('info', `line ${line}`);
    await logger.close();
    expect(readdirSync(folder).sort()).toEqual(['robot.log', 'robot.log.1', 'robot.log.2']);
    expect(readFileSync(path, 'utf8')).toContain('line 99');
  });

  it.skipIf(process.platform !== 'linux')('is used again as soon as the full disk has room', async () => {
    const path = join(folder, 'robot.log');
    symlinkSync('/dev/full', path);
    const logger = createLogger({ stream: null, file: { path } });
    logger.log('info', 'lost');
    expect(logger.getStatus()).toMatchObject({ failed: 1, lastError: expect.stringContaining('ENOSPC') });
    rmSync(path);
    logger.log('info', 'kept');
    await logger.close();
    expect(readFileSync(path, 'utf8')).toContain('kept');
  });
});

describe('a stream that fails', () => {
  it('harms neither the process nor the file', async () => {
    const path = join(folder, 'robot.log');
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const logger = createLogger({ stream: broken, file: { path } });
    logger.log('info', 'one');
    logger.log('info', 'two');
    await logger.close();
    expect(logger.getStatus().failed).toBeGreaterThanOrEqual(2);
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    logger.log('info', 'after close');
  });

  it('does not make lines pile up when nobody reads it', () => {
    const stuck = new Writable({ write: () => undefined });
    const logger = createLogger({ stream: stuck });
    for (let line = 0; line < 3_000; line += 1) logger.log('info', 'x'.repeat(1_000));
    expect(stuck.writableLength).toBeLessThan(1_100_000);
    expect(logger.getStatus()).toMatchObject({ lastError: expect.stringContaining('too slow') });
  });
});
