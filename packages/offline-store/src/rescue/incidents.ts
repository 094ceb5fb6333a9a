/** What the store lost or had to set aside, kept in the store itself for whoever looks after the robot. */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';

/**
 * `store-set-aside`: the file was damaged; a new one holds what could be salvaged. `store-missing`: the file was
 * gone, its marks were there. `job-in-doubt`: part of a job's record is lost, so it must not be resumed.
 * `job-lost`: nothing of a job is left but the mark that there was one. `marks-lost`: the marks are gone, damaged or
 * another store's, so nothing tells whether the newest steps of unfinished jobs are there.
 */
export type IncidentKind = 'store-set-aside' | 'store-missing' | 'job-in-doubt' | 'job-lost' | 'marks-lost';

export interface Incident {
  readonly kind: IncidentKind;
  readonly atMs: number;
  /** Null when it is not about one job. */
  readonly jobId: string | null;
  readonly leaseToken: string | null;
  /** For people. */
  readonly detail: string;
}

interface StoredRow {
  readonly at_ms: number;
  readonly kind: IncidentKind;
  readonly job_id: string | null;
  readonly lease_token: string | null;
  readonly detail: string;
  readonly crc: number;
}

/** Part of the caller's transaction. */
export function recordIncident(db: Database.Database, incident: Incident): void {
  const { atMs, kind, jobId, leaseToken, detail } = incident;
  const columns = [atMs, kind, jobId, leaseToken, detail];
  db.prepare('INSERT INTO incidents (at_ms, kind, job_id, lease_token, detail, crc) VALUES (?, ?, ?, ?, ?, ?)').run(
    ...columns,
    rowChecksum(columns),
  );
}

/** The newest first; damaged records are left out. */
export function listIncidents(db: Database.Database, limit: number): Incident[] {
  const rows = db.prepare<[number], StoredRow>('SELECT * FROM incidents ORDER BY id DESC LIMIT ?').all(limit);
  return rows.flatMap((row) => {
    const { at_ms: atMs, kind, job_id: jobId, lease_token: leaseToken, detail } = row;
    const intact = rowChecksum([atMs, kind, jobId, leaseToken, detail]) === row.crc;
    return intact ? [{ kind, atMs, jobId, leaseToken, detail }] : [];
  });
}
