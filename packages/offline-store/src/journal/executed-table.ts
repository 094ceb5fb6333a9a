/** Which nodes of a claim have been executed, and in which turn of their loops at last. One row per node. */
import type Database from 'better-sqlite3';
import { rowChecksum } from '../database/checksum.ts';
import { CorruptRecordError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { Iteration } from './iteration.ts';

interface StoredRow {
  readonly node_id: string;
  readonly first_seq: number;
  readonly iteration: string;
  readonly crc: number;
}

const maxKnown = 10_000;

export class ExecutedTable {
  /** What is known to be in the file, so that a step in a loop costs no look: forgotten when in doubt. */
  readonly #known = new Map<string, string>();
  readonly #selectOne: Database.Statement<[number, string], StoredRow>;
  readonly #selectAll: Database.Statement<[number], StoredRow>;
  readonly #upsert: Database.Statement<[number, string, number, string, number]>;

  constructor(db: Database.Database) {
    const columns = 'node_id, first_seq, iteration, crc FROM executed WHERE run_id = ?';
    this.#selectOne = db.prepare(`SELECT ${columns} AND node_id = ?`);
    this.#selectAll = db.prepare(`SELECT ${columns} ORDER BY first_seq, node_id`);
    this.#upsert = db.prepare('INSERT OR REPLACE INTO executed VALUES (?, ?, ?, ?, ?)');
  }

  /** Part of the caller's transaction. Writes nothing when the node is known to have run in that turn. */
  add(run: RunRef, nodeId: string, seq: number, iteration: string): void {
    const key = `${run.runId} ${nodeId}`;
    if (this.#known.get(key) === iteration) return;
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, iteration);
    const known = this.#selectOne.get(run.runId, nodeId);
    if (known?.iteration === iteration) return;
    const firstSeq = known?.first_seq ?? seq;
    this.#upsert.run(run.runId, nodeId, firstSeq, iteration, rowChecksum([run.runId, nodeId, firstSeq, iteration]));
  }

  /** Called after a ROLLBACK, and when a claim was removed. */
  forget(): void {
    this.#known.clear();
  }

  /**
   * In the order of their first end.
   *
   * @throws CorruptRecordError
   */
  of(run: RunRef): Map<string, Iteration> {
    const nodes = new Map<string, Iteration>();
    for (const row of this.#selectAll.all(run.runId)) {
      if (rowChecksum([run.runId, row.node_id, row.first_seq, row.iteration]) !== row.crc) {
        throw new CorruptRecordError(run.jobId, row.first_seq, 'the record of an executed node fails its checksum');
      }
      nodes.set(row.node_id, JSON.parse(row.iteration) as Iteration);
    }
    return nodes;
  }
}
