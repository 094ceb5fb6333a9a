import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
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
