/**
 * Opens a store whatever state its file is in: a damaged one is set aside and what can be read of it is salvaged
 * into a fresh one, so that a robot starts. What was lost is recorded as incidents, per job.
 */
import { existsSync, statSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { assertWhole, type DatabaseOptions, openDatabase } from '../database/open-database.ts';
import { translateStorageError } from '../database/storage-errors.ts';
import type { StoreFiles } from '../database/store-files.ts';
import { storeIdOf } from '../database/store-id.ts';
import { StoreError } from '../errors.ts';
import { type MarksFound, readMarks, rewriteMarks } from '../marks/mark-file.ts';
import { SecretBox } from '../secrets/secret-box.ts';
import { storeTables } from '../writer/store-tables.ts';
import { readDamaged } from './damaged-file.ts';
import { type Incident, recordIncident } from './incidents.ts';
import { lostMarks } from './lost-marks.ts';
import { reconcile } from './reconcile.ts';
import { salvage } from './salvage.ts';
import { setAside } from './set-aside.ts';

export interface OpeningReport {
  /** Where the damaged file is now; null when it was whole. */
  readonly setAside: string | null;
  /** Of the file of high-water marks: `other-store` when it belonged to another file. */
  readonly marks: MarksFound['condition'] | 'other-store';
  readonly incidents: readonly Incident[];
}

/** @throws StoreError whatever is not damage: `STORE_TOO_NEW`, `STORE_FOREIGN`, `STORE_ACCESS`, ... */
export function openRescued(
  files: StoreFiles,
  options: DatabaseOptions,
  nowMs: number,
): { readonly db: Database.Database; readonly report: OpeningReport } {
  const found = readMarks(files.marks);
  const opened = openOrRescue(files, options, found, nowMs);
  const { db } = opened;
  try {
    const isOwn = opened.incident !== null || found.storeId === storeIdOf(db);
    const isOther = found.storeId !== null && !isOwn;
    const condition: OpeningReport['marks'] = isOther ? 'other-store' : found.condition;
    const marks = isOwn ? found.marks : [];
    const incidents: Incident[] = opened.incident === null ? [] : [opened.incident];
    const tables = storeTables(db, {
      box: new SecretBox(null),
      outbox: { maxEntries: Number.MAX_SAFE_INTEGER, maxPermanentFailures: 1 },
    });
    const reconciled = db
      .transaction(() => {
        const result = reconcile(tables, marks, opened.doubts, nowMs);
        const known = { found: found.marks, believed: marks, own: result.marks };
        incidents.push(...lostMarks(condition, known, nowMs), ...result.incidents);
        for (const incident of incidents) recordIncident(db, incident);
        return result;
      })
      .immediate();
    rewriteMarks(files.marks, storeIdOf(db), reconciled.marks);
    return { db, report: { setAside: opened.setAside, marks: condition, incidents } };
  } catch (error) {
    db.close();
    throw error;
  }
}

interface Opened {
  readonly db: Database.Database;
  /** Of what was salvaged; see `Salvaged`. */
  readonly doubts: ReadonlyMap<number, string>;
  readonly setAside: string | null;
  readonly incident: Incident | null;
}

function openOrRescue(files: StoreFiles, options: DatabaseOptions, found: MarksFound, nowMs: number): Opened {
  const isGone = !existsSync(files.store) || statSync(files.store).size === 0;
  const wal = `${files.store}-wal`;
  const hasLog = existsSync(wal) && statSync(wal).size > 0;
  if (isGone && (found.marks.length > 0 || hasLog)) {
    const detail = `${files.store} was gone or empty, its log or its high-water marks were there.`;
    return rescue(files, options, found, nowMs, 'store-missing', detail);
  }
  let db: Database.Database | undefined;
  try {
    db = openDatabase(files.store, options);
    assertWhole(db, files.store);
    storeIdOf(db);
    return { db, doubts: new Map(), setAside: null, incident: null };
  } catch (thrown) {
    db?.close();
    // What looks for damage may stumble over it.
    const error = translateStorageError(thrown, files.store);
    if (!(error instanceof StoreError) || error.code !== 'STORE_CORRUPT') throw error;
    return rescue(files, options, found, nowMs, 'store-set-aside', error.message);
  }
}

function rescue(
  files: StoreFiles,
  options: DatabaseOptions,
  found: MarksFound,
  nowMs: number,
  kind: 'store-set-aside' | 'store-missing',
  reason: string,
): Opened {
  const aside = setAside(files, nowMs);
  const db = openDatabase(files.store, options);
  let counts = 'nothing could be salvaged';
  let doubts: ReadonlyMap<number, string> = new Map();
  const knownRuns = found.marks.map((mark) => mark.runId);
  readDamaged(aside, db, (damaged) => {
    const salvaged = db.transaction(() => salvage(damaged, db, knownRuns)).immediate();
    const { jobs, journalEntries, outboxEntries } = salvaged;
    doubts = salvaged.doubts;
    counts = `salvaged: ${jobs} jobs, ${journalEntries} journal entries, ${outboxEntries} outbox entries`;
  });
  const detail = `${reason} What there was is kept under the name ${aside}; ${counts}.`;
  return { db, doubts, setAside: aside, incident: { kind, atMs: nowMs, jobId: null, leaseToken: null, detail } };
}
