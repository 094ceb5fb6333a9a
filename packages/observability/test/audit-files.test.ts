import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditEventType, AuditLogger, csvRow, readAuditLog, readFolderAnchors, verifyAuditLog } from '../src/index.ts';

const dayMs = 86_400_000;
let parent: string;
let logDir: string;
let clock: ManualClock;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  logDir = join(parent, 'audit');
  clock = new ManualClock();
});

afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

function open(options: Partial<ConstructorParameters<typeof AuditLogger>[0]> = {}): AuditLogger {
  return new AuditLogger({ robotId: 'robot-1', logDir, keyDir: join(parent, 'keys'), clock, ...options });
}

const names = (): string[] => readdirSync(logDir).filter((name) => name.includes('.jsonl'));

describe('segments under load', () => {
  const count = Number(process.env.AUDIT_ENTRIES ?? 100_000);

  it(`lose none of ${count} entries while they are closed and compressed`, { timeout: 0 }, async () => {
    const audit = open({ segmentMaxBytes: Math.max(1_000_000, count * 10) });
    for (let entry = 1; entry <= count; entry += 1) {
      audit.log(AuditEventType.NODE_COMPLETED, `${entry}`);
      if (entry % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await audit.maintain();
    audit.close();
    const files = names();
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((name) => name.endsWith('.gz')).length).toBe(files.length - 1);
    const { ok, entries, head } = await verifyAuditLog(logDir);
    expect({ ok, entries, seq: head?.seq }).toEqual({ ok: true, entries: count, seq: count });
    const { entries: last } = await readAuditLog(logDir, { limit: 10_000 });
    expect(last.map(({ message }) => Number(message))).toEqual(last.map((_, index) => count - 9_999 + index));
    if (count > 100_000) console.log(`${entries} entries in ${files.length} segments, none lost`);
  });
});

describe('retention', () => {
  const days = async (audit: AuditLogger, number: number): Promise<void> => {
    for (let day = 0; day < number; day += 1) {
      for (let entry = 0; entry < 5; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, 'x');
      await audit.maintain();
      await clock.advance(dayMs);
    }
  };

  it('by age removes whole days, stands for them with a signed tombstone, and the chain still connects', async () => {
    const audit = open({ maxAgeMs: 3 * dayMs, compress: false });
    await days(audit, 10);
    const { anchors, publicKeys } = await readFolderAnchors(logDir);
    await days(audit, 2);
    audit.close();
    expect(names().length).toBe(4);
    const tombstone = JSON.parse(readFileSync(join(logDir, 'audit-tombstone.json'), 'utf8'));
    expect(tombstone).toMatchObject({ first_seq: 1, last_segment: 8, signature: expect.any(String) });
    expect(tombstone.entries).toBe(tombstone.last_seq);
    const verified = await verifyAuditLog(logDir, { anchors, publicKeys });
    expect(verified).toMatchObject({ ok: true, removed: { entries: tombstone.entries, lastSeq: tombstone.last_seq } });
    expect(verified.anchors.matched).toBeGreaterThan(0);
    const removals = await readAuditLog(logDir, { eventTypes: [AuditEventType.AUDIT_SEGMENTS_REMOVED] });
    expect(removals.entries.at(-1)?.details).toMatchObject({ segments: ['audit-2026-01-08-000008.jsonl'] });

    // Taking one more away than the tombstone stands for shows, and so does a tombstone that says otherwise.
    const path = join(logDir, 'audit-tombstone.json');
    writeFileSync(path, JSON.stringify({ ...tombstone, entries: tombstone.entries - 1 }));
    expect((await verifyAuditLog(logDir)).findings[0]).toMatchObject({ kind: 'tombstone' });
    rmSync(path);
    expect((await verifyAuditLog(logDir)).findings[0]).toMatchObject({ kind: 'missing', line: 1 });
    writeFileSync(path, JSON.stringify(tombstone));
    rmSync(join(logDir, names()[0] ?? ''));
    expect((await verifyAuditLog(logDir)).findings[0]).toMatchObject({ kind: 'missing', line: 1 });
  });

  it('by size keeps the folder within its limit, across restarts', async () => {
    for (let round = 0; round < 3; round += 1) {
      const audit = open({ maxTotalBytes: 30_000, segmentMaxBytes: 10_000, compress: round === 1 });
      for (let entry = 0; entry < 100; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, 'x'.repeat(200));
      await audit.maintain();
      await audit.maintain();
      audit.close();
      const bytes = names().reduce((sum, name) => sum + statSync(join(logDir, name)).size, 0);
      expect(bytes).toBeLessThan(42_000);
      expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true });
    }
  });
});

describe('files from before the chain', () => {
  const earlier = [1, 2].map((seq) => ({
    ...{
      v: 1,
      seq,
      at: `2025-12-0${seq}T00:00:00.000Z`,
      mono_ms: 1,
      boot_id: 'b',
      robot_id: 'robot-1',
      actor: 'robot',
    },
    ...{ type: 'job.completed', severity: 'info', message: `old ${seq}`, job_id: null, node_id: null, outcome: null },
    details: {},
  }));

  beforeEach(() => {
    mkdirSync(logDir);
    for (const entry of earlier) {
      writeFileSync(join(logDir, `audit-2025-12-0${entry.seq}.jsonl`), `${JSON.stringify(entry)}\n`);
    }
  });

  it('are kept, read and counted on from, and the chain knows what they were', async () => {
    expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true, entries: 0, earlier: { files: 2, entries: 2 } });
    const audit = open();
    expect(audit.robotStarted()).toEqual({ ok: true, seq: 4 });
    expect((await audit.getRecent()).map(({ seq, message }) => `${seq} ${message}`)).toEqual([
      '1 old 1',
      '2 old 2',
      '3 The chain begins; 2 file(s) from before it are kept as they are',
      '4 Robot started',
    ]);
    audit.close();
    expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true, entries: 2, earlier: { files: 2, entries: 2 } });

    const path = join(logDir, 'audit-2025-12-02.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('old 2', 'new 2'));
    expect((await verifyAuditLog(logDir)).findings).toMatchObject([
      { kind: 'earlier-file', file: 'audit-2025-12-02.jsonl', what: expect.stringContaining('was changed') },
    ]);
    rmSync(path);
    expect((await verifyAuditLog(logDir)).findings).toMatchObject([{ what: expect.stringContaining('is gone') }]);
  });
});

describe('a folder', () => {
  it('has one writer; a second one is told so, and the folder is free when the first is done', () => {
    const first = open();
    first.robotStarted();
    const second = open();
    expect(() => second.open()).toThrow(expect.objectContaining({ code: 'AUDIT_FOLDER_OWNED' }));
    expect(second.robotStarted()).toMatchObject({ ok: false, error: { code: 'AUDIT_FOLDER_OWNED' } });
    first.close();
    second.open();
    expect(second.robotStarted()).toMatchObject({ ok: true });
    second.close();
  });

  it.skipIf(process.platform === 'win32')('shows its files and keys to their owner alone', async () => {
    const audit = open();
    audit.robotStarted();
    await clock.advance(dayMs);
    audit.robotStarted();
    await audit.maintain();
    audit.close();
    for (const folder of [logDir, join(parent, 'keys')]) {
      expect(statSync(folder).mode & 0o077).toBe(0);
      for (const name of readdirSync(folder))
        expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    }
    expect(existsSync(join(logDir, 'audit-2026-01-01-000001.jsonl.gz'))).toBe(true);
  });
});

describe('entries', () => {
  it('belong to the trace of their job, or to the one that is given', async () => {
    const audit = open();
    const jobId = '0f8fad5b-d9cb-469f-a165-70867728950e';
    audit.jobContext(jobId, () => audit.jobStarted({ totalNodes: 1 }));
    audit.jobContext(jobId, () => audit.jobStarted({ totalNodes: 1 }), { traceId: 'a'.repeat(32) });
    audit.robotStopped();
    expect((await audit.getRecent()).map(({ trace_id }) => trace_id)).toEqual([
      '0f8fad5bd9cb469fa16570867728950e',
      'a'.repeat(32),
      null,
    ]);
    audit.close();
  });

  it('are mirrored into the operational log, whose faults do no harm', async () => {
    const lines: string[] = [];
    const audit = open({
      mirror: {
        log: (level, message, fields) => {
          lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
          throw new Error('the mirror is broken');
        },
      },
    });
    expect(audit.jobFailed({ jobId: 'j', error: { code: 'E', message: 'no' } })).toEqual({ ok: true, seq: 1 });
    expect(lines).toEqual(['error Job failed: no {"audit":"job.failed","seq":1,"job_id":"j","node_id":null}']);
    expect(audit.getStatus()).toMatchObject({ healthy: true, callbackFailures: 1 });
    audit.close();
  });

  it('make cells of a table that no spreadsheet runs', async () => {
    const audit = open();
    audit.log(AuditEventType.ERROR_PERMANENT, '=HYPERLINK("http://x","a, b")', {
      actor: '@sum',
      nodeId: '-1\n+2',
      jobId: 'a;=b',
    });
    const [entry] = await audit.getRecent();
    audit.close();
    if (entry === undefined) throw new Error('no entry');
    const row = csvRow(entry);
    expect(row).toContain(`,"'=HYPERLINK(""http://x"",""a, b"")",`);
    expect(row).toContain(`,"a;=b","'-1\n+2","'@sum"`);
    for (const actor of ['|calc', '%calc', ' =1', '\u200b=1', '\ufeff\u00a0+1'])
      expect(csvRow({ ...entry, actor })).toContain(`"'${actor}"`);
  });
});
