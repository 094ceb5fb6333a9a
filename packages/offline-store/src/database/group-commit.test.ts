import { ManualClock } from '@casare/testing';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';

function openGroup(options: Partial<GroupCommitOptions> = {}): {
  readonly commits: GroupCommit;
  readonly insert: (value: number) => () => number;
  readonly values: () => unknown;
  readonly db: Database.Database;
} {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  db.exec('CREATE TABLE t (value INTEGER PRIMARY KEY) STRICT');
  const statement = db.prepare('INSERT INTO t VALUES (?)');
  return {
    commits: new GroupCommit(db, { clock: new ManualClock(), ...options }),
    insert: (value) => () => {
      statement.run(value);
      return value;
    },
    db,
    values: () => db.prepare('SELECT value FROM t ORDER BY rowid').pluck().all(),
  };
}

it('runs the writes of one turn in one transaction, in order, and hands each its value', async () => {
  const { commits, insert, values } = openGroup();
  expect(await Promise.all([3, 1, 2].map((value) => commits.add(insert(value))))).toEqual([3, 1, 2]);
  expect(commits.counts).toEqual({ commits: 3, transactions: 1 });
  expect(values()).toEqual([1, 2, 3]);
});

it('runs each write alone when the group fails, so that only the bad one is lost', async () => {
  const { commits, insert, values } = openGroup();
  const bad = (): never => {
    insert(9)();
    throw new Error('bad write');
  };
  const outcomes = await Promise.allSettled([
    commits.add(insert(1)),
    commits.add(bad),
    commits.add(insert(2)),
    commits.add(insert(1)),
  ]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  expect(values()).toEqual([1, 2]);
  expect(commits.counts).toEqual({ commits: 2, transactions: 2 });
});

it('does not resolve before COMMIT has succeeded', async () => {
  const { commits, insert, values, db } = openGroup();
  db.exec('CREATE TABLE child (t INTEGER REFERENCES t (value) DEFERRABLE INITIALLY DEFERRED) STRICT');
  const orphan = (): unknown => db.exec('INSERT INTO child VALUES (77)');
  const outcomes = await Promise.allSettled([commits.add(insert(1)), commits.add(orphan), commits.add(insert(2))]);
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(values()).toEqual([1, 2]);
});

it('keeps groups and the number of waiting writes within their limits', async () => {
  const { commits, insert } = openGroup({ maxGroup: 2, maxWaiting: 5 });
  const writes = [1, 2, 3, 4, 5].map((value) => commits.add(insert(value)));
  await expect(commits.add(insert(6))).rejects.toMatchObject({ code: 'STORE_BUSY', category: 'transient' });
  await Promise.all(writes);
  expect(commits.counts).toEqual({ commits: 5, transactions: 3 });
});

it('is idle once everything has been settled', async () => {
  const { commits, insert } = openGroup();
  await commits.idle();
  let settled = false;
  void commits.add(insert(1)).then(() => {
    settled = true;
    return commits.add(insert(2));
  });
  await commits.idle();
  expect(settled).toBe(true);
});
