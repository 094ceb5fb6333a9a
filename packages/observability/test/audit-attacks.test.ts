/** One log, as a robot leaves it; each attack is done to a copy of it by somebody who has the folder and not the key. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ManualClock } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  AuditEventType,
  AuditLogger,
  type FolderAnchors,
  readAuditLog,
  readFolderAnchors,
  verifyAuditLog,
} from '../src/index.ts';

const dayMs = 86_400_000;
let parent: string;
let kept: FolderAnchors;
let nowMs: number;

function open(folder: string, options: Partial<ConstructorParameters<typeof AuditLogger>[0]> = {}): AuditLogger {
  const logDir = join(parent, folder);
  return new AuditLogger({ robotId: 'robot-1', logDir, keyDir: join(parent, 'keys'), checkpointEvery: 4, ...options });
}

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  const clock = new ManualClock();
  const audit = open('log', { clock });
  // Four segments, one a day, all but the last compressed; fewer than are worth threads.
  for (let day = 1; day <= 4; day += 1) {
    for (let entry = 1; entry <= 6; entry += 1) audit.log(AuditEventType.NODE_COMPLETED, `day ${day}`);
    await audit.maintain();
    if (day < 4) await clock.advance(dayMs);
  }
  audit.close();
  nowMs = clock.now();
  kept = await readFolderAnchors(join(parent, 'log'));
});

afterAll(() => rmSync(parent, { recursive: true, force: true }));

let copies = 0;
const copyOf = (log = 'log'): string => {
  copies += 1;
  const folder = `${log}-${copies}`;
  cpSync(join(parent, log), join(parent, folder), { recursive: true });
  return folder;
};
const name = (number: number, day = `2026-01-0${number}`): string =>
  `audit-${day}-${String(number).padStart(6, '0')}.jsonl${number < 4 ? '.gz' : ''}`;
const verify = (folder: string) =>
  verifyAuditLog(join(parent, folder), { anchors: kept.anchors, publicKeys: kept.publicKeys });
const rename = (folder: string, from: string, to: string): void =>
  renameSync(join(parent, folder, from), join(parent, folder, to));

interface Attack {
  readonly what: string;
  readonly act: (folder: string, path: (file: string) => string) => void;
  /** Name of the file that is named first, what is wrong with it, and at which entry. */
  readonly first: readonly [string, string, number?];
  /** Segments that retention may remove, by the day that they are of. Default: none. */
  readonly mayGo?: number;
  /** Nothing shows it but the anchor, so that the robot goes on from there. */
  readonly isUnseen?: boolean;
}

const past = '2020-01-01';
const attacks: readonly Attack[] = [
  {
    what: 'a recent segment renamed to a day long past',
    act: (folder) => rename(folder, name(3), name(3, past)),
    first: [name(3, past), 'misnamed', 13],
    mayGo: 2,
  },
  {
    what: 'the oldest segment renamed to a day long past',
    act: (folder) => rename(folder, name(1), name(1, past)),
    first: [name(1, past), 'misnamed', 1],
  },
  {
    what: 'a segment renamed to the future',
    act: (folder) => rename(folder, name(3), name(3, '2030-01-01')),
    first: [name(3, '2030-01-01'), 'misnamed', 13],
    mayGo: 2,
  },
  {
    what: 'the last segment renamed to the future',
    act: (folder) => rename(folder, name(4), name(4, '2030-01-01')),
    first: [name(4, '2030-01-01'), 'misnamed', 19],
    mayGo: 3,
  },
  {
    what: 'a segment renamed to another number',
    act: (folder) => rename(folder, name(3), name(3).replace('000003', '000000')),
    first: [name(3).replace('000003', '000000'), 'missing', 13],
    mayGo: 1,
  },
  {
    what: 'the names of two segments swapped',
    act: (folder) => {
      rename(folder, name(2), 'aside');
      rename(folder, name(3), name(2));
      rename(folder, 'aside', name(3));
    },
    first: [name(2), 'missing', 13],
  },
  {
    what: 'a segment copied under a later name',
    act: (_, path) => copyFileSync(path(name(2)), path('audit-2026-01-05-000005.jsonl.gz')),
    first: ['audit-2026-01-05-000005.jsonl.gz', 'out-of-order', 7],
    mayGo: 3,
  },
  {
    what: 'a segment taken out of the middle',
    act: (_, path) => rmSync(path(name(3))),
    first: [name(4), 'missing', 19],
    mayGo: 1,
  },
  {
    what: 'a compressed segment packed anew with an edit',
    act: (_, path) => {
      const text = gunzipSync(readFileSync(path(name(2)))).toString('utf8');
      writeFileSync(path(name(2)), gzipSync(text.replace('"day 2"', '"day 9"')));
    },
    first: [name(2), 'edited', 7],
    mayGo: 1,
  },
  {
    what: 'the last segment cut',
    act: (_, path) => {
      const lines = readFileSync(path(name(4)), 'utf8').split('\n');
      writeFileSync(path(name(4)), `${lines.slice(0, 3).join('\n')}\n`);
    },
    first: [name(4), 'truncated', 21],
    mayGo: 4,
    isUnseen: true,
  },
  {
    what: 'a link in the place of a segment',
    act: (folder, path) => {
      rename(folder, name(2), 'elsewhere');
      symlinkSync(path('elsewhere'), path(name(2)));
    },
    first: [name(2), 'no-file'],
    mayGo: 1,
  },
  {
    what: 'a link that leads nowhere',
    act: (_, path) => {
      rmSync(path(name(3)));
      symlinkSync(path('nowhere'), path(name(3)));
    },
    first: [name(3), 'no-file'],
    mayGo: 1,
  },
  {
    what: 'a segment made a file from before the chain',
    act: (folder) => rename(folder, name(1), 'audit-2020-01-01.jsonl.gz'),
    first: [name(2), 'missing', 7],
  },
  {
    what: 'a damaged list of keys',
    act: (_, path) => writeFileSync(path('audit-keys.json'), '{"v":1,"keys":'),
    first: ['audit-keys.json', 'keys'],
  },
  {
    what: 'a damaged tombstone',
    act: (_, path) => writeFileSync(path('audit-tombstone.json'), 'gone'),
    first: ['audit-tombstone.json', 'tombstone'],
  },
  {
    what: 'a tombstone that nobody signed, for segments that are still there',
    act: (_, path) =>
      writeFileSync(
        path('audit-tombstone.json'),
        JSON.stringify({
          ...{ robot_id: 'robot-1', first_seq: 1, first_hash: 'a'.repeat(64), last_seq: 12, last_hash: 'b'.repeat(64) },
          ...{ entries: 12, last_segment: 2, earlier_files: [], at: 'x', key_id: null, signature: null },
        }),
      ),
    first: ['audit-tombstone.json', 'tombstone', 12],
  },
];

describe('with an anchor that was kept, what is done to a log is named, and retention does not hide it', () => {
  it.each(
    attacks.map((attack, index) => ({ ...attack, due: index % 2 === 0 ? { maxAgeMs: 0 } : { maxTotalBytes: 1 } })),
  )('$what', async ({ act, first: [file, kind, seq], mayGo = 0, isUnseen = false, due }) => {
    const folder = copyOf();
    act(folder, (each) => join(parent, folder, each));
    expect((await verify(folder)).findings[0]).toMatchObject({ file, kind, ...(seq === undefined ? {} : { seq }) });

    // All but the open segment are due.
    const told: string[] = [];
    const clock = new ManualClock({ startAtMs: nowMs + 20 * dayMs });
    const audit = open(folder, { clock, ...due, compress: false, onError: ({ message }) => told.push(message) });
    audit.log(AuditEventType.ROBOT_STARTED, 'Robot started');
    const { removed, refused } = await audit.maintain();
    const { retentionProblem } = audit.getStatus();
    audit.close();
    expect(removed).toBe(mayGo);
    expect(await verify(folder)).toMatchObject({ ok: false });
    expect(retentionProblem).toBe(refused);
    if (!isUnseen) expect(told).toContainEqual(expect.stringContaining(refused ?? 'audit-keys.json'));
  });
});

describe('a name', () => {
  it('hides no entry from a query', async () => {
    const since = Date.UTC(2026, 0, 2);
    const read = async (folder: string, filter: object): Promise<readonly number[]> =>
      (await readAuditLog(join(parent, folder), filter)).entries.map(({ seq }) => seq);
    const folder = copyOf();
    rename(folder, name(3), name(3, past));
    expect(await read(folder, { since })).toEqual(await read('log', { since }));
    // The last ones are the last by their numbers.
    rename(folder, name(4), name(4).replace('000004', '000000'));
    expect(await read(folder, { limit: 3 })).toEqual([22, 23, 24]);
  });

  it('is no false alarm when the wall clock was set back or forward', async () => {
    const clock = new ManualClock({ startAtMs: Date.UTC(2026, 5, 1) });
    const audit = open('stepped', { clock, compress: false });
    const log = (): unknown => audit.log(AuditEventType.NODE_COMPLETED, 'x');
    audit.open();
    // Set back between the file's beginning and its first entry; then a month ahead and back again; then to 1970.
    for (const days of [-3, 1, 30, -30, 1, 40, -20_700]) {
      clock.stepWall(days * dayMs);
      log();
    }
    audit.close();
    expect(readdirSync(join(parent, 'stepped')).filter((file) => file.endsWith('.jsonl')).length).toBeGreaterThan(2);
    expect((await verifyAuditLog(join(parent, 'stepped'))).findings).toEqual([]);
    rename('stepped', 'audit-2026-06-01-000001.jsonl', 'audit-2026-05-30-000001.jsonl');
    expect((await verifyAuditLog(join(parent, 'stepped'))).findings).toMatchObject([{ kind: 'misnamed', line: 1 }]);
    // With the mark of its day taken out, its first entry agrees with the name, and a later one does not.
    rename('stepped', 'audit-2026-05-30-000001.jsonl', 'audit-2026-05-29-000001.jsonl');
    const path = join(parent, 'stepped', 'audit-2026-05-29-000001.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/.*"kind":"opened".*\n/, ''));
    expect((await verifyAuditLog(join(parent, 'stepped'))).findings).toMatchObject([
      { kind: 'misnamed', line: 2, what: expect.stringContaining('has an entry of 2026-05-30') },
    ]);
  });
});

describe('entries that nobody signed', () => {
  /** A line as the robot would write it, which needs no key. */
  function forge(folder: string, file: string): void {
    const path = join(parent, folder, file);
    const text = readFileSync(path, 'utf8');
    const last = JSON.parse(text.split('\n').findLast((line) => line.startsWith('{"v":2,"seq":')) ?? '');
    const { v, seq, prev: _prev, hash, ...body } = { ...last, message: 'never happened' };
    const covered = `{"v":${v},"seq":${seq + 1},"prev":"${hash}",${JSON.stringify(body).slice(1, -1)}`;
    appendFileSync(path, `${covered},"hash":"${createHash('sha256').update(covered).digest('hex')}"}\n`);
  }
  const restart = (folder: string): AuditLogger => {
    const audit = open(folder, { clock: new ManualClock({ startAtMs: nowMs }), compress: false });
    audit.log(AuditEventType.ROBOT_STARTED, 'Robot started');
    return audit;
  };

  it("behind the mark of a clean close are not the robot's, and stay so for ever", async () => {
    const folder = copyOf();
    forge(folder, name(4));
    const bad = { kind: 'after-close', file: name(4), seq: 25 };
    expect((await verify(folder)).findings).toMatchObject([bad]);
    const audit = restart(folder);
    expect((await audit.getRecent(3)).map(({ type, severity }) => `${type} ${severity}`)).toEqual([
      'node.completed info',
      'audit.entries_adopted critical',
      'robot.started info',
    ]);
    audit.close();
    const adopted = [{ fromSeq: 25, toSeq: 25, seq: 26, isAfterClose: true }];
    expect(await verify(folder)).toMatchObject({ ok: false, findings: [bad], findingCount: 1, adopted, unsigned: 0 });
    // An earlier mark that the log was opened again belongs to another close.
    const path = join(parent, folder, name(4));
    restart(folder).close();
    const lines = readFileSync(path, 'utf8').split('\n');
    const opened = lines.findLast((line) => line.includes('"kind":"opened"')) ?? '';
    appendFileSync(path, `${opened}\n`);
    forge(folder, name(4));
    expect((await verify(folder)).findings.map(({ kind }) => kind)).toEqual([
      'after-close',
      'checkpoint-mismatch',
      'after-close',
    ]);
  });

  it('are none in another guise: within a checkpoint, or as a line of another form that a crash might have torn', async () => {
    const forged = { type: 'job.completed', severity: 'info', message: 'never happened', job_id: 'j', details: {} };
    const asked = async (folder: string) => (await readAuditLog(join(parent, folder), { jobId: 'j' })).entries;
    const within = copyOf();
    const edit = (folder: string, change: (text: string) => string): void => {
      const path = join(parent, folder, name(4));
      writeFileSync(path, change(readFileSync(path, 'utf8')));
    };
    edit(within, (text) => text.replace(/("kind":"checkpoint".*)\}/, `$1,${JSON.stringify(forged).slice(1)}`));
    expect((await verify(within)).findings).toMatchObject([{ kind: 'unreadable', file: name(4) }]);
    expect(await asked(within)).toEqual([]);
    const torn = copyOf();
    const line = { ...forged, v: 1, seq: 25, at: '2026-01-04T00:00:00.000Z', robot_id: 'robot-1' };
    edit(torn, (text) => `${text.replace(/.*"kind":"closed".*\n/, '')}${JSON.stringify(line)}\n`);
    restart(torn).close();
    expect(await verify(torn)).toMatchObject({ ok: true, torn: 1 });
    expect(await asked(torn)).toEqual([]);
  });

  it('behind a crash, or with the mark taken out, are adopted by name', async () => {
    const folder = copyOf();
    const path = join(parent, folder, name(4));
    writeFileSync(path, readFileSync(path, 'utf8').replace(/.*"kind":"closed".*\n/, ''));
    forge(folder, name(4));
    forge(folder, name(4));
    restart(folder).close();
    restart(folder).close();
    const verified = await verify(folder);
    const adopted = [{ fromSeq: 25, toSeq: 26, seq: 27, isAfterClose: false }];
    expect(verified).toMatchObject({ ok: true, findings: [], adopted });
    const [entry] = (await readAuditLog(join(parent, folder), { eventTypes: ['audit.entries_adopted'] })).entries;
    expect(entry?.message).toMatch(/^2 entries behind the last signed checkpoint adopted, from 25 to 26/);
    // Taken out afterwards, the mark of the second start is missed.
    writeFileSync(path, readFileSync(path, 'utf8').replace(/.*"kind":"closed".*\n/, ''));
    expect((await verify(folder)).findings).toMatchObject([
      { kind: 'after-close', what: expect.stringContaining('taken out') },
    ]);
  });
});

describe('what else stands in the folder', () => {
  it('is noted and does not count', async () => {
    const folder = copyOf();
    writeFileSync(join(parent, folder, 'notes.txt'), '');
    mkdirSync(join(parent, folder, 'audit-2026-01-01-000001.jsonl.old'));
    writeFileSync(join(parent, folder, name(4, '2026-01-04').concat('.gz')), '');
    expect(await verify(folder)).toMatchObject({
      ok: true,
      notes: [
        { file: 'audit-2026-01-01-000001.jsonl.old', what: expect.stringContaining('no file of the log') },
        { file: 'audit-2026-01-04-000004.jsonl.gz', what: expect.stringContaining('uncompressed, too') },
        { file: 'notes.txt' },
      ],
    });
  });
});
