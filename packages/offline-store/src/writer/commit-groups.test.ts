import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { migrate } from '../database/migrations.ts';
import { CheckpointLog } from '../journal/checkpoint-log.ts';
import { encodeEntries, noEntries } from '../journal/journal-entry.ts';
import { RunLog } from '../journal/run-log.ts';
import { encodeDrafts } from '../outbox/draft-text.ts';
import { SecretBox } from '../secrets/secret-box.ts';
import type { StoreCommand } from './commands.ts';
import { CommitGroups, type CommitGroupsOptions } from './commit-groups.ts';
import { Quota } from './quota.ts';
import { storeTables } from './store-tables.ts';

function openGroups(options: Partial<CommitGroupsOptions> & { readonly maxBytes?: number } = {}): {
  readonly groups: CommitGroups;
  readonly db: Database.Database;
  readonly pauses: number[];
  /** What SQLite has run. */
  readonly statements: string[];
} {
  const statements: string[] = [];
  const db = new Database(':memory:', { verbose: (sql) => statements.push(String(sql)) });
  onTestFinished(() => void db.close());
  migrate(db);
  const tables = storeTables(db, {
    box: new SecretBox(null),
    outbox: { maxEntries: 1_000, maxPermanentFailures: 5 },
    jobs: { isOnlyWriter: true },
  });
  const runLog = new RunLog({ ...tables, keepBytes: 1e9, keepEntries: 1_000 });
  const pauses: number[] = [];
  const { maxBytes = null, ...rest } = options;
  const groups = new CommitGroups(
    { tables, runLog, checkpoints: new CheckpointLog(tables.jobs, runLog) },
    {
      quota: new Quota(db, { maxBytes, reserveBytes: (maxBytes ?? 0) / 4 }),
      pause: (ms) => pauses.push(ms),
      ...rest,
    },
  );
  return { groups, db, pauses, statements };
}

function cache(jobId: string): StoreCommand {
  return { op: 'cache', job: { jobId, workflowJson: '{}' }, robotId: 'robot-123', nowMs: 1 };
}

function step(jobId: string, text = '', events = 0): StoreCommand {
  const entries = encodeEntries([{ kind: 'result', node_id: 'n', ...{ text } }], null);
  const outbox = encodeDrafts(Array.from({ length: events }, () => ({ kind: 'event', payload: text })));
  return { op: 'record', run: { jobId }, write: { entries, outbox, change: null, reserve: false }, nowMs: 2 };
}

function end(jobId: string, text = ''): StoreCommand {
  const change = { status: 'completed', result: { text } } as const;
  const outbox = encodeDrafts([{ kind: 'complete', payload: {}, keep: true }]);
  return { op: 'record', run: { jobId }, write: { entries: noEntries, outbox, change, reserve: false }, nowMs: 3 };
}

it('runs a group in one transaction and answers each command with its value', () => {
  const { groups } = openGroups();
  expect(groups.run([cache('a'), cache('a'), cache('b')])).toEqual([
    { ok: true, value: 'new' },
    { ok: true, value: 'known' },
    { ok: true, value: 'new' },
  ]);
  expect(groups.counts).toEqual({ commits: 3, transactions: 1 });
});

it('a step is one statement, as are those that come together; what comes with others shares a transaction', () => {
  const { groups, statements } = openGroups();
  const alone = { runId: 1, jobId: 'a', leaseToken: '' };
  const next = { ...step('a', '', 1), run: alone } as StoreCommand;
  groups.run([cache('a')]);
  groups.run([next]);
  const ran = (group: readonly StoreCommand[]): string[] => {
    statements.length = 0;
    expect(groups.run(group)).toMatchObject(group.map(() => ({ ok: true })));
    return statements.map((sql) => sql.split(' ').slice(0, 3).join(' '));
  };
  groups.run([next]);
  expect(ran([next])).toEqual(['INSERT INTO journal']);
  expect(ran([next, next])).toEqual(['INSERT INTO journal']);
  for (let count = 6; count < 257; count += 1) groups.run([next]);
  const settling = ran([next]);
  expect(settling[0]).toBe('BEGIN IMMEDIATE');
  expect(settling.at(-1)).toBe('COMMIT');
  const mixed = ran([next, next, cache('b')]);
  expect(mixed.slice(0, 3)).toEqual(['BEGIN IMMEDIATE', 'INSERT INTO journal', 'INSERT INTO journal']);
  expect(mixed.at(-1)).toBe('COMMIT');
});

it('numbers steps that are one statement by claim without gaps, and refuses the one that does not fit alone', () => {
  const { groups, db } = openGroups({ maxBytes: 400 * 1_024 });
  groups.run([cache('a'), cache('b')]);
  const known = (jobId: string, text = ''): StoreCommand => {
    return { ...step(jobId, text), run: { runId: jobId === 'a' ? 1 : 2, jobId, leaseToken: '' } } as StoreCommand;
  };
  groups.run([known('a'), known('b')]);
  groups.run([known('a'), known('b'), known('a'), known('a')]);
  const tooLong = known('a', 'x'.repeat(400_000));
  expect(groups.run([known('a'), tooLong, known('b')]).map(({ ok }) => ok)).toEqual([true, false, true]);
  groups.run([known('b'), known('a')]);
  const seqsOf = (runId: number): unknown[] =>
    db.prepare('SELECT last_seq FROM journal WHERE run_id = ? ORDER BY id').pluck().all(runId);
  expect(seqsOf(1)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(seqsOf(2)).toEqual([1, 2, 3, 4]);
});

it('runs each command alone when the group fails, so that only the bad one is lost', () => {
  const { groups, db } = openGroups();
  const outcomes = groups.run([cache('a'), step('unknown'), step('a')]);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
  expect(db.prepare('SELECT count(*) FROM journal').pluck().get()).toBe(1);
});

it('pauses while the file is locked, and gives up with what SQLite says in the end', () => {
  const busy = Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
  let lockedFor = 2;
  const { groups, pauses } = openGroups({
    beforeCommit: () => {
      lockedFor -= 1;
      if (lockedFor >= 0) throw busy;
    },
  });
  expect(groups.run([cache('a')])).toEqual([{ ok: true, value: 'new' }]);
  expect(pauses).toEqual([20, 50]);
  lockedFor = 1_000;
  expect(groups.run([cache('b'), cache('c')])).toEqual([
    { ok: false, error: busy },
    { ok: false, error: busy },
  ]);
  expect(pauses.length).toBe(11);
});

it('says when a transaction was committed or rolled back', () => {
  const calls: string[] = [];
  const { groups } = openGroups({
    onCommitted: () => calls.push('committed'),
    onRolledBack: () => calls.push('rolled back'),
  });
  groups.run([cache('a')]);
  groups.run([step('unknown')]);
  expect(calls).toEqual(['committed', 'rolled back']);
});

it('full: events go first, then steps; what ends a job is saved from the reserve', () => {
  const { groups, db } = openGroups({ maxBytes: 400 * 1_024 });
  groups.run([cache('a')]);
  const text = 'x'.repeat(4_000);
  let refused: unknown;
  let saved = 0;
  while (refused === undefined) {
    const [outcome] = groups.run([step('a', text, 1)]);
    if (outcome?.ok === false) refused = outcome.error;
    else saved += 1;
  }
  expect(refused).toMatchObject({ code: 'SQLITE_FULL' });
  const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  expect(count('journal')).toBe(saved);
  const withEvents = count('journal WHERE drafts IS NOT NULL');
  expect(withEvents).toBeGreaterThan(0);
  expect(withEvents).toBeLessThan(saved);

  const fill = { op: 'outbox-fill' } as const;
  expect(groups.run([fill])).toMatchObject([{ ok: true, value: { isComplete: true } }]);
  const taken = count('outbox');
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(withEvents);
  expect(groups.run([fill])).toMatchObject([{ ok: true, value: { isComplete: true } }]);
  expect(count('outbox')).toBe(taken);

  expect(groups.run([end('a', 'y'.repeat(20_000))])).toMatchObject([{ ok: true }]);
  const counter = (name: string): number =>
    (db.prepare('SELECT value FROM counters WHERE name = ?').pluck().get(name) as number | undefined) ?? 0;
  expect(counter('commits_refused')).toBe(1);
  expect(counter('outbox_refused')).toBeGreaterThanOrEqual(saved - withEvents + 1);
});

it('goes on by itself once there is room again', () => {
  const { groups, db } = openGroups({ maxBytes: 400 * 1_024 });
  groups.run([cache('a'), cache('b')]);
  const text = 'x'.repeat(4_000);
  while (groups.run([step('a', text)])[0]?.ok === true);
  expect(groups.run([step('b', text)])).toMatchObject([{ ok: false }]);
  const removal = db.prepare('SELECT min(id) AS first FROM journal').pluck().get() as number;
  expect(groups.run([{ op: 'remove-entries', runId: 1, limit: 20 }])).toEqual([{ ok: true, value: 20 }]);
  expect(removal).toBeGreaterThan(0);
  expect(groups.run([step('b', text, 1)])).toMatchObject([{ ok: true }]);
});

it('keeps the reserve for the next end although the file has grown into it before', () => {
  const { groups } = openGroups({ maxBytes: 400 * 1_024 });
  groups.run([cache('a'), cache('b')]);
  const text = 'x'.repeat(4_000);
  const result = 'y'.repeat(70_000);
  const fill = (job: string): void => {
    while (groups.run([step(job, text)])[0]?.ok === true);
  };
  fill('a');
  expect(groups.run([end('a', result)])).toMatchObject([{ ok: true }]);
  while ((groups.run([{ op: 'remove-entries', runId: 1, limit: 20 }])[0] as { value?: number }).value !== 0);
  fill('b');
  expect(groups.run([end('b', result)])).toMatchObject([{ ok: true }]);
});
