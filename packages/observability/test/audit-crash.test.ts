import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditEventType, AuditLogger, readAuditLog, verifyAuditLog } from '../src/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casare-audit-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Acknowledged {
  readonly seq: number;
  readonly text: string;
}

/** Lets a process write entries, and kills it unless it ends itself; gives what it was told is on disk. */
async function writeAndEnd(how: 'kill' | 'exit', after: number): Promise<Acknowledged[]> {
  const fixture = fileURLToPath(new URL('fixtures/audit-writer.ts', import.meta.url));
  const args = [fixture, folder, ...(how === 'exit' ? [String(after)] : [])];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (how === 'kill' && told.split('\n').length > after) writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  return told
    .split('\n')
    .slice(0, -1)
    .map((line) => ({ seq: Number(line.split(' ')[0]), text: line.split(' ')[1] ?? '' }));
}

const kills = Number(process.env.AUDIT_KILLS ?? 20);
const exits = Math.ceil(kills / 10) + (kills < 100 ? 3 : 0);

describe('a writer that dies at any moment', () => {
  it(`loses nothing that was acknowledged, and the chain verifies after each of ${kills} kills and ${exits} exits`, {
    timeout: 0,
  }, async () => {
    const logDir = join(folder, 'audit');
    let last = 0;
    let total = 0;
    for (let round = 0; round < kills + exits; round += 1) {
      const how = round % Math.floor((kills + exits) / exits) === 0 && round > 0 ? 'exit' : 'kill';
      const acknowledged = await writeAndEnd(how, 1 + Math.floor(Math.random() * 360));
      total += acknowledged.length;
      const { ok, findings, head, isLastLineOpen } = await verifyAuditLog(logDir);
      expect({ ok, findings, round }).toEqual({ ok: true, findings: [], round });
      if (how === 'exit') expect(isLastLineOpen).toBe(false);
      const { entries } = await readAuditLog(logDir, { limit: 1_000 });
      const bySeq = new Map(entries.map(({ seq, message }) => [seq, message.split(' ')[0]]));
      for (const { seq, text } of acknowledged) expect([seq, bySeq.get(seq)]).toEqual([seq, text]);
      expect(acknowledged[0]?.seq ?? 0).toBeGreaterThan(last);
      last = head?.seq ?? 0;
    }
    const { entries } = await readAuditLog(logDir, { limit: 10_000_000 });
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    expect(total).toBeGreaterThan(20 * (kills + exits));
    if (kills > 100) console.log(`${total} entries acknowledged, none lost`);
  });
});

describe('a torn last line', () => {
  const file = (): string => join(folder, 'audit-2026-01-01-000001.jsonl');
  const open = (): AuditLogger => new AuditLogger({ robotId: 'r', logDir: folder, clock: new ManualClock() });

  /** Writes, and leaves the file as a crash would, without the checkpoint and the last bytes before it. */
  function crash(messages: readonly string[], cutBytes: number): void {
    const audit = open();
    for (const message of messages) audit.log(AuditEventType.NODE_STARTED, message);
    audit.close();
    truncateSync(file(), readFileSync(file(), 'utf8').lastIndexOf('{"v":2,"kind"') - cutBytes);
  }

  it('is reported, neither glued to the next entry nor counted, and admitted by the next writer', async () => {
    crash(['one', 'two'], 20);
    expect(await readAuditLog(folder)).toMatchObject({
      entries: [{ seq: 1, message: 'one' }],
      damaged: [{ file: file(), line: 2, kind: 'torn' }],
    });
    expect(await verifyAuditLog(folder)).toMatchObject({ ok: true, isLastLineOpen: true, entries: 1, torn: 0 });

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
    expect(await verifyAuditLog(folder)).toMatchObject({ ok: true, isLastLineOpen: false, entries: 2, torn: 1 });

    const text = readFileSync(file(), 'utf8');
    writeFileSync(file(), text.replace('{"v":2,"seq":2', '{"v":2,"seq":9'));
    expect(await verifyAuditLog(folder)).toMatchObject({ findings: [{ kind: 'unreadable', line: 3 }] });
  });

  it('that lacks only its line end is an entry', async () => {
    crash(['one'], 1);
    const second = open();
    expect(second.log(AuditEventType.NODE_STARTED, 'two')).toEqual({ ok: true, seq: 2 });
    expect((await second.read()).damaged).toEqual([]);
    expect(await second.getRecent()).toHaveLength(2);
    second.close();
    expect(await verifyAuditLog(folder)).toMatchObject({ ok: true, entries: 2, torn: 0 });
  });

  it('of foreign bytes, however many, is passed over', async () => {
    crash(['one'], 0);
    appendFileSync(file(), Buffer.alloc(3_000_000, 0xff));
    const second = open();
    expect(second.log(AuditEventType.NODE_STARTED, 'two')).toEqual({ ok: true, seq: 2 });
    expect(await second.read()).toMatchObject({ entries: [{ seq: 1 }, { seq: 2 }], damaged: [{ line: 2 }] });
    second.close();
    expect(await verifyAuditLog(folder)).toMatchObject({ ok: true, torn: 1 });
  });
});
