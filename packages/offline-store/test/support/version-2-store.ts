/**
 * A store as version 2 of its file had it: `job-1` with a sealed part and a step that was not settled, `job-2` with a
 * checkpoint and a damaged entry.
 */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../../src/database/checksum.ts';
import { journalId } from '../../src/database/journal-id.ts';
import { migrate, migrations } from '../../src/database/migrations.ts';
import type { SecretBox } from '../../src/secrets/secret-box.ts';

type Value = string | number | null;

export function fillVersion2(db: Database.Database, box: SecretBox): void {
  migrate(db, migrations.slice(0, 2));
  for (const runId of [1, 2]) {
    const job = [`job-${runId}`, '7', 'robot-123', null, '{}', '{}', 'pending', 'hold', null, null, 5];
    insert(db, 'jobs', [runId, ...job, rowChecksum(job)]);
    const state = [runId, 'in_progress', '{"status":"in_progress","startedAtMs":6}', null, 3, 2, 1, 0, 0, 0, null];
    insert(db, 'job_states', [...state, rowChecksum(state)]);
  }
  const sealed = box.seal('[]', { jobId: 'job-1', leaseToken: '7', seq: 2 });
  const rows: readonly (readonly [runId: number, seq: number, kind: string, rest: readonly Value[]])[] = [
    [1, 1, 'result', [null, 1, 0, null]],
    [1, 2, 'result', [sealed, 2, 0, null]],
    [1, 3, 'result', [null, 3, 1, '[["event","{}",false]]']],
    [2, 1, 'checkpoint_snapshot', [null, 1, 0, null]],
    [2, 2, 'result', [null, 2, 0, null]],
  ];
  for (const [runId, seq, kind, rest] of rows) {
    const columns = [kind, 'n1', 8, `{"kind":"${kind}","node_id":"n1","seq":${seq}}`, ...rest];
    insert(db, 'journal', [journalId(runId, seq), ...columns, rowChecksum([`job-${runId}`, '7', seq, ...columns])]);
  }
  db.prepare('UPDATE journal SET crc = crc + 1 WHERE id = ?').run(journalId(2, 2));
}

function insert(db: Database.Database, table: string, values: readonly Value[]): void {
  db.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values);
}
