import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditEventType, AuditLogger, readAuditLog } from '../src/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casare-audit-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Lets a process write entries and kills it; the numbers it was told are on disk. */
async function writeAndKill(acknowledgements: number): Promise<number[]> {
  const writer = spawn(
    process.execPath,
    [fileURLToPath(new URL('fixtures/audit-writer.ts', import.meta.url)), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let told = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (told.split('\n').length > acknowledgements) writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  return told
    .split('\n')
    .slice(0, -1)
    .map((line) => Number(line));
}

describe('a writer that is killed', () => {
  it('loses nothing that was acknowledged, and the next one goes on counting without a gap', async () => {
    const acknowledged: number[] = [];
    for (let round = 1; round <= 4; round += 1) acknowledged.push(...(await writeAndKill(50 * round)));
    const { entries } = await readAuditLog(folder, { limit: 1_000_000 });
    const onDisk = entries.map((entry) => entry.seq);
    expect(onDisk).toEqual(Array.from({ length: onDisk.length }, (_, index) => index + 1));
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(acknowledged.length).toBeGreaterThan(500);
    expect(Math.max(...acknowledged)).toBeLessThanOrEqual(onDisk.length);
  });
});

describe('a torn last line', () => {
  const file = (): string => join(folder, 'audit-2026-01-01.jsonl');
  const open = (): AuditLogger => new AuditLogger({ robotId: 'r', logDir: folder, clock: new ManualClock() });

  it('is reported, and neither glued to the next entry nor counted', async () => {
    const first = open();
    first.log(AuditEventType.NODE_STARTED, 'one');
    first.log(AuditEventType.NODE_STARTED, 'two');
    first.close();
    truncateSync(file(), readFileSync(file()).length - 20);
    expect(await readAuditLog(folder)).toMatchObject({
      entries: [{ seq: 1, message: 'one' }],
      damaged: [{ file: file(), line: 2, kind: 'torn' }],
    });

    const second = open();
    expect(second.log(AuditEventType.NODE_STARTED, 'three')).toEqual({ ok: true, seq: 2 });
    expect(await second.read()).toMatchObject({
      entries: [
        { seq: 1, message: 'one' },
        { seq: 2, message: 'three' },
      ],
      damaged: [{ line: 2, kind: 'unreadable' }],
    });
    second.close();
  });

  it('that lacks only its line end is an entry', async () => {
    const first = open();
    first.log(AuditEventType.NODE_STARTED, 'one');
    first.close();
    truncateSync(file(), readFileSync(file()).length - 1);
    const second = open();
    expect(second.log(AuditEventType.NODE_STARTED, 'two')).toEqual({ ok: true, seq: 2 });
    expect((await second.read()).damaged).toEqual([]);
    expect(await second.getRecent()).toHaveLength(2);
    second.close();
  });

  it('of foreign bytes, however many, is passed over', async () => {
    const first = open();
    first.log(AuditEventType.NODE_STARTED, 'one');
    first.close();
    appendFileSync(file(), Buffer.alloc(3_000_000, 0xff));
    const second = open();
    expect(second.log(AuditEventType.NODE_STARTED, 'two')).toEqual({ ok: true, seq: 2 });
    expect(await second.read()).toMatchObject({ entries: [{ seq: 1 }, { seq: 2 }], damaged: [{ line: 2 }] });
    second.close();
  });
});
