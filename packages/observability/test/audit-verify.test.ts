import { createHash, createPrivateKey, sign } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ManualClock } from '@casare/testing';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  AuditEventType,
  AuditLogger,
  addAuditKey,
  type FolderAnchors,
  readAuditLog,
  readFolderAnchors,
  streamAuditLog,
  verifyAuditLog,
} from '../src/index.ts';

const dayMs = 86_400_000;
let parent: string;
let logDir: string;
let keyDir: string;
let clock: ManualClock;
/** What the auditor took away before anything was done to the log. */
let kept: FolderAnchors;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  logDir = join(parent, 'audit');
  keyDir = join(parent, 'keys');
  clock = new ManualClock();
});

afterEach(() => {
  rmSync(parent, { recursive: true, force: true });
});

function open(options: Partial<ConstructorParameters<typeof AuditLogger>[0]> = {}): AuditLogger {
  const audit = new AuditLogger({
    robotId: 'robot-1',
    logDir,
    keyDir,
    clock,
    checkpointEvery: 4,
    compress: false,
    ...options,
  });
  audit.open();
  return audit;
}

/** What was written by the first test that asked for it, with its keys; the others get copies. */
const written = mkdtempSync(join(tmpdir(), 'casare-audit-'));
afterAll(() => rmSync(written, { recursive: true, force: true }));

async function copyThreeDays(): Promise<void> {
  if (!existsSync(join(written, 'audit'))) {
    await writeThreeDays();
    cpSync(parent, written, { recursive: true });
  }
  cpSync(written, parent, { recursive: true });
  kept = await readFolderAnchors(logDir);
}

/** Ten entries a day, on three days. */
async function writeThreeDays(): Promise<void> {
  const audit = open();
  for (let entry = 1; entry <= 30; entry += 1) {
    audit.log(AuditEventType.NODE_COMPLETED, `entry ${entry}`, { jobId: 'job-1' });
    if (entry % 10 === 0 && entry < 30) await clock.advance(dayMs);
  }
  audit.close();
  kept = await readFolderAnchors(logDir);
}

const verify = () => verifyAuditLog(logDir, { anchors: kept.anchors, publicKeys: kept.publicKeys });
const segment = (number: number): string => join(logDir, `audit-2026-01-0${number}-00000${number}.jsonl`);
const linesOf = (number: number): string[] => readFileSync(segment(number), 'utf8').split('\n').slice(0, -1);
const write = (number: number, lines: readonly string[]): void =>
  writeFileSync(segment(number), lines.map((line) => `${line}\n`).join(''));
const isEntry = (line: string): boolean => line.startsWith('{"v":2,"seq":');

/** Writes all segments anew, each entry as `change` makes it, with the right hashes; and new checkpoints with a key. */
function restamp(change: (entry: Record<string, unknown>) => Record<string, unknown> | null, key: string | null): void {
  let prev = '0'.repeat(64);
  let seq = 0;
  for (const number of [1, 2, 3]) {
    const lines = linesOf(number).flatMap((line) => {
      const value = JSON.parse(line) as Record<string, unknown>;
      if (isEntry(line)) {
        const { v, seq: _seq, prev: _prev, hash: _hash, ...rest } = value;
        const changed = change({ seq: _seq, ...rest });
        if (changed === null) return [];
        const { seq: _, ...body } = changed;
        seq += 1;
        const covered = `{"v":${String(v)},"seq":${seq},"prev":"${prev}",${JSON.stringify(body).slice(1, -1)}`;
        prev = createHash('sha256').update(covered).digest('hex');
        return [`${covered},"hash":"${prev}"}`];
      }
      if (value.kind !== 'checkpoint') return [];
      const checkpoint = { ...value, seq, hash: prev } as Record<string, unknown>;
      if (key !== null) {
        const { robot_id, segment, at } = checkpoint;
        const text = JSON.stringify(['casare-audit-checkpoint-1', robot_id, segment, seq, prev, at]);
        checkpoint.signature = sign(null, Buffer.from(text), createPrivateKey(key)).toString('base64');
      }
      return [JSON.stringify(checkpoint)];
    });
    write(number, lines);
  }
}

describe('a log that nobody touched', () => {
  it('verifies with what its auditor kept, with its own keys, and as a copy beside its writer', async () => {
    await writeThreeDays();
    expect(await verify()).toMatchObject({
      ok: true,
      entries: 30,
      segments: 3,
      checkpoints: 9,
      head: { seq: 30 },
      signedUpTo: 30,
      unsigned: 0,
      trust: 'pinned',
      anchors: { given: 9, matched: 9, unchecked: 0, upToSeq: 30 },
    });
    expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true, trust: 'folder', anchors: { upToSeq: null } });

    const audit = open();
    audit.log(AuditEventType.NODE_COMPLETED, 'more');
    expect(await verify()).toMatchObject({ ok: true, entries: 31, signedUpTo: 30, unsigned: 1 });
    const copy = join(parent, 'copy');
    cpSync(logDir, copy, { recursive: true });
    audit.close();
    expect(await verifyAuditLog(copy, { publicKeys: kept.publicKeys })).toMatchObject({ ok: true, entries: 31 });
  });

  it('can be checked with a shell: a hash is that of the line before it', async () => {
    await writeThreeDays();
    const [line = ''] = linesOf(1);
    expect(createHash('sha256').update(line.slice(0, -75)).digest('hex')).toBe(JSON.parse(line).hash);
  });

  it('is told from a folder without a log', async () => {
    await expect(verifyAuditLog(join(parent, 'nowhere'))).rejects.toMatchObject({ code: 'AUDIT_UNREADABLE' });
  });
});

describe('what is done to a log is named at its first bad line, offline', () => {
  beforeEach(copyThreeDays);

  const flagged = async (finding: object): Promise<void> => {
    const { ok, findings } = await verify();
    expect([ok, findings[0]]).toMatchObject([false, finding]);
  };

  it('an edit', async () => {
    const lines = linesOf(2);
    write(
      2,
      lines.map((line) => line.replace('entry 13', 'entry 99')),
    );
    await flagged({
      kind: 'edited',
      file: 'audit-2026-01-02-000002.jsonl',
      line: lines.findIndex((line) => line.includes('"entry 13"')) + 1,
      seq: 13,
    });
  });

  it('an edit of one entry with its own hash made right again', async () => {
    const lines = linesOf(2);
    const forged = lines.map((line) => {
      if (!line.includes('"entry 13"')) return line;
      const covered = line.slice(0, -75).replace('entry 13', 'entry 99');
      return `${covered},"hash":"${createHash('sha256').update(covered).digest('hex')}"}`;
    });
    write(2, forged);
    await flagged({ kind: 'broken-link', seq: 14 });
  });

  it('an entry taken out', async () => {
    write(
      2,
      linesOf(2).filter((line) => !line.includes('"entry 13"')),
    );
    await flagged({ kind: 'missing', seq: 14, what: 'entry 13 is missing before entry 14' });
  });

  it('two entries that changed places', async () => {
    const lines = linesOf(1);
    const [first = '', second = '', ...others] = lines;
    write(1, [second, first, ...others]);
    await flagged({ kind: 'missing', line: 1, seq: 2 });
    write(1, [first, ...lines.slice(1, 3).reverse(), ...lines.slice(3)]);
    await flagged({ kind: 'missing', line: 2, seq: 3 });
  });

  it('an entry that stands there twice', async () => {
    const lines = linesOf(1);
    write(1, [...lines.slice(0, 2), lines[1] ?? '', ...lines.slice(2)]);
    await flagged({ kind: 'out-of-order', line: 3, seq: 2 });
  });

  it('a file cut at its end, in the middle and as the last one', async () => {
    write(2, linesOf(2).slice(0, -4));
    await flagged({ kind: 'unsigned', file: 'audit-2026-01-02-000002.jsonl' });
    const { findings } = await verify();
    expect(findings[1]).toMatchObject({ kind: 'missing', file: 'audit-2026-01-03-000003.jsonl', line: 1, seq: 21 });
  });

  it('a last file cut at its end, which only an anchor shows', async () => {
    write(3, linesOf(3).slice(0, 2));
    expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true, head: { seq: 22 } });
    await flagged({ kind: 'truncated', file: 'audit-2026-01-03-000003.jsonl', line: 2, seq: 22 });
  });

  it.each([1, 2, 3])('segment %i taken away', async (number) => {
    rmSync(segment(number));
    await flagged(number === 3 ? { kind: 'truncated', seq: 20 } : { kind: 'missing', line: 1, seq: 10 * number + 1 });
  });

  it('all segments taken away', async () => {
    for (const number of [1, 2, 3]) rmSync(segment(number));
    await flagged({ kind: 'truncated', seq: null });
  });

  it('checkpoints taken out', async () => {
    write(1, linesOf(1).filter(isEntry));
    await flagged({ kind: 'unsigned', file: 'audit-2026-01-01-000001.jsonl' });
  });

  it('a line that is none', async () => {
    const lines = linesOf(1);
    write(1, [...lines.slice(0, 3), 'never mind', ...lines.slice(3)]);
    await flagged({ kind: 'unreadable', line: 4 });
  });

  it('a whole log written anew without the key', async () => {
    restamp((entry) => ({ ...entry, message: String(entry.message).replace('13', '99') }), null);
    expect((await verifyAuditLog(logDir)).findings[0]).toMatchObject({ kind: 'bad-signature' });
    await flagged({ kind: 'anchor-mismatch', seq: 14 });
  });

  it("a whole log written anew and signed with the robot's own key, which only an anchor shows", async () => {
    const name = readdirSync(keyDir).find((file) => file.endsWith('.pem')) ?? '';
    const key = readFileSync(join(keyDir, name), 'utf8');
    restamp((entry) => (entry.seq === 13 ? { ...entry, message: 'nothing happened' } : entry), key);
    expect(await verifyAuditLog(logDir)).toMatchObject({ ok: true, trust: 'folder' });
    await flagged({ kind: 'anchor-mismatch', file: 'audit-2026-01-02-000002.jsonl', seq: 14 });
    // An entry less, and all behind it counted anew.
    restamp((entry) => (entry.seq === 5 ? null : entry), key);
    await flagged({ kind: 'anchor-mismatch', file: 'audit-2026-01-01-000001.jsonl', seq: 8 });
  });

  it('a log of another key in its place', async () => {
    rmSync(logDir, { recursive: true });
    keyDir = join(parent, 'other-keys');
    const { anchors, publicKeys } = kept;
    clock = new ManualClock();
    await writeThreeDays();
    kept = { anchors: [], publicKeys };
    await flagged({ kind: 'bad-signature', seq: 4, what: expect.stringContaining('nobody vouches for') });
    kept = { anchors, publicKeys };
    await flagged({ kind: 'bad-signature' });
  });

  it('an anchor that was changed itself', async () => {
    const anchors = kept.anchors.map((anchor) => (anchor.seq === 8 ? { ...anchor, hash: 'f'.repeat(64) } : anchor));
    kept = { ...kept, anchors };
    await flagged({ kind: 'bad-anchor', seq: 8 });
  });
});

describe('a log of many segments, which threads check side by side', () => {
  it('is followed as one chain all the same', { timeout: 60_000 }, async () => {
    const audit = open({ compress: true });
    for (let day = 1; day <= 9; day += 1) {
      for (let entry = 0; entry < 10; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, `day ${day}`);
      await audit.maintain();
      await clock.advance(dayMs);
    }
    audit.close();
    kept = await readFolderAnchors(logDir);
    const whole = { ok: true, entries: 90, segments: 9, checkpoints: 27, head: { seq: 90 }, signedUpTo: 90 };
    expect(await verify()).toMatchObject({ ...whole, anchors: { given: 27, matched: 27 } });

    const path = (day: number): string => join(logDir, `audit-2026-01-0${day}-00000${day}.jsonl.gz`);
    const [fourth, fifth] = [readFileSync(path(4)), readFileSync(path(5))];
    const refill = (text: string): void => writeFileSync(path(5), gzipSync(text));
    const text = gunzipSync(fifth).toString('utf8');

    refill(text.replace('day 5', 'day 6'));
    expect((await verify()).findings).toMatchObject([{ kind: 'edited', line: 1, seq: 41 }]);
    writeFileSync(path(5), fourth);
    expect((await verify()).findings[0]).toMatchObject({ kind: 'out-of-order', line: 1, seq: 31 });
    for (const damaged of [
      fifth.subarray(0, -20),
      Buffer.from('no gzip'),
      Buffer.concat([fifth, Buffer.from('junk')]),
    ]) {
      writeFileSync(path(5), damaged);
      const { ok, findings } = await verify();
      expect(ok).toBe(false);
      expect(findings[0]).toMatchObject({ kind: 'unreadable', file: 'audit-2026-01-05-000005.jsonl.gz' });
      expect(findings.filter(({ file }) => file > 'audit-2026-01-06-000007')).toEqual([]);
      const { entries, damaged: told } = await readAuditLog(logDir);
      expect(entries.at(-1)?.seq).toBe(90);
      expect(told).toMatchObject([{ file: path(5), kind: 'unreadable' }]);
      const readAll = async (): Promise<void> => {
        for await (const entry of streamAuditLog(logDir)) expect(entry.seq).toBeGreaterThan(0);
      };
      await expect(readAll()).rejects.toMatchObject({
        code: 'AUDIT_UNREADABLE',
        message: expect.stringContaining(path(5)),
      });
    }
    writeFileSync(path(5), fifth);
    const forged = kept.anchors.map((anchor) => (anchor.seq === 44 ? { ...anchor, hash: 'f'.repeat(64) } : anchor));
    expect(await verifyAuditLog(logDir, { anchors: forged })).toMatchObject({
      anchors: { matched: 26 },
      findings: [{ kind: 'bad-anchor' }, { kind: 'anchor-mismatch', seq: 44 }],
    });
  });
});

describe('a look beside other work', () => {
  it('rests behind every segment as its share of the time asks, finds the same, and can be stopped while it rests', async () => {
    const audit = open({ segmentMaxBytes: 2_000 });
    for (let entry = 0; entry < 60; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, `entry ${entry}`);
    audit.close();
    const slept: number[] = [];
    let now = 0;
    const pacer = {
      monotonic: () => (now += 10),
      sleep: async (ms: number) => void slept.push(ms),
    };
    const fast = await verifyAuditLog(logDir);
    expect(await verifyAuditLog(logDir, { pace: { share: 0.1, clock: pacer } })).toEqual(fast);
    expect(fast).toMatchObject({ ok: true, entries: 60 });
    expect(fast.segments).toBeGreaterThan(6);
    // The last thread's rest may not have begun when all is known.
    expect(slept.length).toBeGreaterThanOrEqual(fast.segments - 1);
    expect(Math.min(...slept)).toBeGreaterThanOrEqual(90);

    const stop = new AbortController();
    const resting = {
      monotonic: pacer.monotonic,
      sleep: (_ms: number, signal?: AbortSignal) => {
        stop.abort(new Error('enough'));
        signal?.throwIfAborted();
        return new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    };
    const stopped = verifyAuditLog(logDir, { pace: { share: 0.1, clock: resting }, signal: stop.signal });
    await expect(stopped).rejects.toThrow('enough');
  });
});

describe('a key that is rotated', () => {
  it('is vouched for by the old one, and neither signs what is not its own', async () => {
    await writeThreeDays();
    const next = addAuditKey(keyDir, 'the\noperator');
    const audit = open();
    for (let entry = 0; entry < 8; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, 'under the new key');
    expect(await audit.query({ eventTypes: [AuditEventType.AUDIT_KEY_ROTATED] })).toMatchObject([
      { seq: 31, actor: 'the operator', details: { new_key_id: next.keyId, seq: 30 } },
    ]);
    audit.close();
    // Pinned is the old key alone, or the new one alone: either leads to the other.
    expect(await verify()).toMatchObject({ ok: true, entries: 39, trust: 'pinned' });
    expect(await verifyAuditLog(logDir, { publicKeys: [next.publicKey] })).toMatchObject({ ok: true });

    const history = readFileSync(join(logDir, 'audit-keys.json'), 'utf8');
    writeFileSync(join(logDir, 'audit-keys.json'), history.replace('"seq": 30', '"seq": 34'));
    expect((await verify()).findings[0]).toMatchObject({ kind: 'bad-signature', seq: 30 });
  });

  it('whose predecessor is lost says so, and counts only for who knows it', async () => {
    await writeThreeDays();
    rmSync(keyDir, { recursive: true });
    const audit = open();
    expect(await audit.query({ severity: 'critical' })).toMatchObject([{ type: 'audit.key_replaced' }]);
    audit.close();
    expect((await verify()).findings[0]).toMatchObject({ kind: 'bad-signature', seq: 30 });
    const { publicKeys } = await readFolderAnchors(logDir);
    expect(await verifyAuditLog(logDir, { publicKeys })).toMatchObject({ ok: true });
  });
});
