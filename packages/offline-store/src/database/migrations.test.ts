import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { fillVersion2 } from '../../test/support/version-2-store.ts';
import { SecretBox } from '../secrets/secret-box.ts';
import { secretKey } from '../secrets/secret-keys.ts';
import { storeTables } from '../writer/store-tables.ts';
import { rowChecksum } from './checksum.ts';
import { applicationId, migrate, migrations } from './migrations.ts';
import { isAtLeast } from './open-database.ts';

function openEmpty(): Database.Database {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  return db;
}

const versionOf = (db: Database.Database): unknown => db.pragma('user_version', { simple: true });

it('brings an empty file to the newest version, once', () => {
  const db = openEmpty();
  migrate(db);
  migrate(db);
  expect(versionOf(db)).toBe(migrations.length);
  expect(db.pragma('application_id', { simple: true })).toBe(applicationId);
});

it('runs only what is missing, and all of it or nothing', () => {
  const db = openEmpty();
  migrate(db, ['CREATE TABLE one (a INTEGER) STRICT']);
  const broken = [
    'not run again',
    'CREATE TABLE two (a INTEGER) STRICT',
    'CREATE TABLE three (a INTEGER) STRICT; BROKEN',
  ];
  expect(() => migrate(db, broken)).toThrow(/syntax error/);
  expect(versionOf(db)).toBe(1);
  expect(db.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['one']);
  migrate(db, broken.slice(0, 2));
  expect(versionOf(db)).toBe(2);
});

it('compares SQLite versions by number, not by text', () => {
  expect(isAtLeast('3.51.3', '3.51.3')).toBe(true);
  expect(isAtLeast('3.100.0', '3.51.3')).toBe(true);
  expect(isAtLeast('4.0', '3.51.3')).toBe(true);
  expect(isAtLeast('3.51.2', '3.51.3')).toBe(false);
  expect(isAtLeast('3.9.99', '3.51.3')).toBe(false);
});

it('brings a file of version 1 along with all it holds, and leaves damaged rows damaged', () => {
  const db = openEmpty();
  migrate(db, migrations.slice(0, 1));
  const job = ['job-456', '7', 'robot-123', null, '{}', '{}', 'pending', 'hold', null, null, 5];
  const state = [1, 'in_progress', '{"status":"in_progress","startedAtMs":6}', null, 2, 1, null];
  const entry = (seq: number) => ['job-456', '7', seq, 'result', 'n1', 7, `{"kind":"result","step":${seq}}`];
  const event = ['job-456', '7', 1, 'event', '{}', 8, 0];
  const sum = (columns: readonly unknown[]): number => rowChecksum(columns as (string | number | null)[]);
  db.prepare(`INSERT INTO jobs VALUES (1${', ?'.repeat(12)})`).run(...job, sum(job));
  db.prepare('INSERT INTO job_states VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(...state, sum(state));
  const insert = db.prepare('INSERT INTO journal VALUES (1, ?, ?, ?, ?, ?, ?)');
  insert.run(...entry(1).slice(2), sum(entry(1)));
  insert.run(...entry(2).slice(2), sum(entry(2)) + 1);
  db.prepare('INSERT INTO outbox VALUES (9, 1, 1, ?, ?, 8, 0, ?, 2, ?)').run('event', '{}', sum(event), 'refused');
  db.prepare("INSERT INTO dead_letters VALUES (4, 'job-456', '7', 3, 'event', '{}', 8, 0, ?, 5, 'why', 9)").run(
    sum(['job-456', '7', 3, 'event', '{}', 8, 0]),
  );
  db.prepare("INSERT INTO counters VALUES ('outbox_dead', 1)").run();

  migrate(db);
  const tables = storeTables(db, { box: new SecretBox(null), outbox: { maxEntries: 100, maxPermanentFailures: 5 } });
  const run = tables.jobs.find('job-456');
  expect(tables.jobs.position(run)).toMatchObject({ journalSeq: 2, firstSeq: 1, outboxSeq: 1 });
  expect(tables.journal.read(run, 1, 1)).toMatchObject([{ entry: { kind: 'result', step: 1 } }]);
  expect(() => tables.journal.read(run, 1, 2)).toThrow(/seq 2: the journal entry fails its checksum/);
  expect([...tables.executed.of(run)]).toEqual([['n1', []]]);
  expect(tables.outbox.oldest(10, [], 100)).toMatchObject({ intact: [{ id: 9, seq: 1, attempts: 2 }], damaged: [] });
  expect(tables.deadLetters.list(['dead', 'damaged'], 10)).toMatchObject([{ id: 4, disposition: 'dead' }]);
  expect(tables.counters.get('outbox_dead')).toBe(1);
});

it('brings the journal of a file of version 2 along: sealed parts, what was not sent, damaged rows as such', () => {
  const db = openEmpty();
  const box = new SecretBox({ current: secretKey(Buffer.alloc(32, 7)) });
  fillVersion2(db, box);

  migrate(db);
  const { jobs, journal, outbox, intake } = storeTables(db, {
    box,
    outbox: { maxEntries: 100, maxPermanentFailures: 5 },
  });
  const run = jobs.find('job-1');
  expect(jobs.position(run)).toMatchObject({ journalSeq: 3, revision: 3, outboxSeq: 1 });
  const rows = journal.read(run, 1, 3);
  expect(rows.map(({ entry }) => entry)).toEqual([1, 2, 3].map((seq) => ({ kind: 'result', node_id: 'n1', seq })));
  expect(rows.map((row) => journal.openSecrets(run, row))).toEqual([null, '[]', null]);
  const { isComplete, beforeId } = intake.fill();
  expect(isComplete).toBe(true);
  expect(outbox.oldest(10, [], beforeId)).toMatchObject({ intact: [{ id: 1, jobId: 'job-1', seq: 1, kind: 'event' }] });
  const other = jobs.find('job-2');
  expect(journal.read(other, 1, 1)).toMatchObject([{ kind: 'checkpoint_snapshot' }]);
  expect([journal.hasEngineRows(2, 1, 1), journal.hasEngineRows(2, 1, 2)]).toEqual([false, true]);
  expect(() => journal.read(other, 1, 2)).toThrow(/seq 2: the journal entry fails its checksum/);
});

it('puts into the outbox what the last steps of a file of version 3 left for it, and nothing twice', () => {
  const db = openEmpty();
  migrate(db, migrations.slice(0, 3));
  const job = ['job-456', '7', 'robot-123', null, '{}', '{}', 'pending', 'hold', null, null, 5];
  db.prepare(`INSERT INTO jobs VALUES (1${', ?'.repeat(12)})`).run(...job, rowChecksum(job));
  const state = [1, 'in_progress', '{"status":"in_progress","startedAtMs":6}', null, 2, 1, 1, 0, 0, 1, null];
  db.prepare(`INSERT INTO job_states VALUES (?${', ?'.repeat(11)})`).run(...state, rowChecksum(state));
  for (const seq of [1, 2, 3, 4]) {
    const columns = [seq, seq, 8, seq + 1, seq, 0, '[{"kind":"result"}]', null, `[["event","${seq}",${seq > 2}]]`];
    const crc = rowChecksum(['job-456', '7', ...columns]);
    db.prepare('INSERT INTO journal VALUES (NULL, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...columns,
      seq === 4 ? crc + 1 : crc,
    );
  }

  migrate(db);
  const { outbox, intake } = storeTables(db, {
    box: new SecretBox(null),
    outbox: { maxEntries: 9, maxPermanentFailures: 5 },
  });
  const { isComplete, beforeId } = intake.fill();
  expect(isComplete).toBe(true);
  expect(outbox.oldest(10, [], beforeId)).toMatchObject({
    intact: [
      { id: 1, seq: 2, kind: 'event', payload: 2 },
      { id: 2, seq: 3, payload: 3 },
    ],
    damaged: [],
  });
  expect(db.prepare('SELECT keep FROM outbox ORDER BY id').pluck().all()).toEqual([0, 1]);
});
