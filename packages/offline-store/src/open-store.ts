/** Opens a store: finds its files, becomes their owner, brings the schema up to date. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { holdAlone, isAtLeast } from './database/open-database.ts';
import { acquireOwnerLock } from './database/owner-lock.ts';
import { translateStorageError } from './database/storage-errors.ts';
import { locateStore } from './database/store-files.ts';
import { StoreError } from './errors.ts';
import { openStoreNames, outboxLimitNames } from './option-names.ts';
import type { Logger } from './ports.ts';
import { checkBoolean, checkGiven, checkOneOf } from './queue-arguments.ts';
import { openRescued } from './rescue/open-rescued.ts';
import { checkKeys } from './secrets/secret-keys.ts';
import { SqliteStore } from './sqlite-store.ts';
import type { Store, StoreOptions } from './store.ts';
import { storeLimits } from './store-limits.ts';
import { takeForRobot } from './store-robot.ts';
import { systemClock } from './system-clock.ts';
import { InlineWriter } from './writer/inline-writer.ts';
import { WriterClient } from './writer/writer-client.ts';

const maxWaiting = 10_000;
/** As `engines` in package.json says. */
const oldestNode = '22.13';

/**
 * Opens a store and becomes its owner.
 *
 * @example
 * const store = await openStore({ path: '/var/lib/robot/store.db', robotId: 'robot-123' });
 * await store.close();
 *
 * A damaged file is set aside and replaced by a new one with what could be salvaged; `store.opening` says so.
 *
 * @throws StoreOwnedError `STORE_OWNED`: another process holds it
 * @throws StoreOtherRobotError `STORE_OTHER_ROBOT`: it belongs to another robot, which has left something open in it; see `adopt`
 * @throws StoreError `STORE_TOO_NEW`, `STORE_FOREIGN`, `STORE_UNSUPPORTED`, `STORE_ACCESS`, `KEY_WRONG`
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = openStoreNow(options);
  try {
    await store.ready();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The same without a promise, for constructors: what the writer's thread finds out later, the first write tells. */
export function openStoreNow(options: StoreOptions): SqliteStore {
  requireNode(process.versions.node);
  checkOptions(checkGiven(options, 'openStore', openStoreNames));
  try {
    return openAsOwner(options);
  } catch (error) {
    throw translateStorageError(error, options.path);
  }
}

/** SQLite's binding brings an older Node down without a word. @throws StoreError `STORE_UNSUPPORTED` */
export function requireNode(version: string): void {
  if (isAtLeast(version, oldestNode)) return;
  throw new StoreError(
    'STORE_UNSUPPORTED',
    `The store needs Node ${oldestNode} or newer, and this is Node ${version}.`,
  );
}

function openAsOwner(options: StoreOptions): SqliteStore {
  const limits = storeLimits(options);
  const { synchronous = 'full', clock = systemClock, keys, logger } = options;
  const files = locateStore(options.path);
  warnAboutFolder(dirname(files.store), options.logger);
  const lock = acquireOwnerLock(files, options.robotId, clock.now());
  let db: Database.Database | undefined;
  try {
    const database = { synchronous, busyTimeoutMs: limits.busyTimeoutMs };
    const opened = openRescued(files, database, clock.now());
    db = opened.db;
    takeForRobot(db, { path: files.store, robotId: options.robotId, adopt: options.adopt === true, logger });
    const isInline = options.writer === 'inline';
    if (isInline) holdAlone(db, files.store);
    else db.pragma('query_only = 1');
    for (const { kind, detail, jobId } of opened.report.incidents) {
      logger?.log('critical', `${kind}: ${detail}`, jobId === null ? {} : { job_id: jobId });
    }
    const setup = {
      path: files.store,
      marksPath: files.marks,
      database,
      quota: { maxBytes: limits.maxBytes, reserveBytes: limits.reserveBytes },
      outbox: limits.outbox,
      keepEntries: limits.keepJournalEntries,
      keepBytes: limits.keepJournalBytes,
      keys: keys === undefined ? null : checkKeys(keys),
      commitDelayMs: options.commitDelayMs ?? null,
    };
    const { idleCheckpointMs } = limits;
    const writer = isInline
      ? new InlineWriter(db, setup, maxWaiting, () => systemClock.monotonic())
      : new WriterClient({ ...setup, idleCheckpointMs, maxWaiting });
    const { report } = opened;
    return new SqliteStore(
      { db, lock, writer, report },
      { ...options, ...limits, path: files.store, synchronous, clock },
    );
  } catch (error) {
    db?.close();
    lock.release();
    throw error;
  }
}

/** @throws StoreError `INVALID_ARGUMENT` */
function checkOptions({
  path,
  robotId,
  adopt,
  synchronous,
  writer,
  clock,
  logger,
  outbox,
  commitDelayMs,
}: StoreOptions): void {
  if (typeof path !== 'string') throw new StoreError('INVALID_ARGUMENT', "path is the path of the store's file.");
  if (typeof robotId !== 'string' || robotId === '')
    throw new StoreError('INVALID_ARGUMENT', 'robotId is a string that is not empty.');
  checkBoolean('adopt', adopt);
  checkOneOf('synchronous', synchronous, ['full', 'normal']);
  checkOneOf('writer', writer, ['thread', 'inline']);
  if (outbox !== undefined) checkGiven(outbox, 'outbox', outboxLimitNames);
  if (commitDelayMs !== undefined && !(commitDelayMs instanceof Int32Array))
    throw new StoreError('INVALID_ARGUMENT', 'commitDelayMs is an Int32Array of one element.');
  checkPort('clock', clock, ['now', 'monotonic']);
  checkPort('logger', logger, ['log']);
}

/** @throws StoreError `INVALID_ARGUMENT` */
function checkPort(name: string, port: object | undefined, methods: readonly string[]): void {
  if (port === undefined) return;
  const given = (port ?? {}) as Record<string, unknown>;
  if (methods.every((method) => typeof given[method] === 'function')) return;
  throw new StoreError(
    'INVALID_ARGUMENT',
    `${name} is an object with ${methods.map((method) => `${method}()`).join(', ')}.`,
  );
}

function warnAboutFolder(folder: string, logger: Logger | undefined): void {
  if (process.platform === 'win32' || (statSync(folder).mode & 0o077) === 0) return;
  logger?.log('warning', 'the folder of the store is open to other users', { folder });
}
