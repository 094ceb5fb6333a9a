/**
 * Reads what was recorded for a claim: from its newest whole state on, so that reading costs the same after
 * 100,000 steps as after 100 (I10). Every row is checked; its secret parts are opened.
 */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { wholeDoubtOf } from '../jobs/job-state.ts';
import type { JobTable } from '../jobs/job-table.ts';
import { overError } from '../jobs/refusals.ts';
import type { JsonObject } from '../json.ts';
import { putSecrets, type SecretPart } from '../secrets/secret-parts.ts';
import { CheckpointFold, type FoldableEntry, type FoldedCheckpoint, isCheckpointKind } from './checkpoint-fold.ts';
import type { ExecutedTable } from './executed-table.ts';
import type { Iteration } from './iteration.ts';
import { isExecution, iterationOf } from './journal-entry.ts';
import type { JournalRow } from './journal-row.ts';
import type { JournalTable } from './journal-table.ts';

export interface RunReaderParts {
  readonly jobs: JobTable;
  readonly journal: JournalTable;
  readonly executed: ExecutedTable;
}

/** The entry before a snapshot that says which node ended last is looked for among so many. */
const lookBack = 1_000;

export class RunReader {
  readonly #parts: RunReaderParts;

  constructor(parts: RunReaderParts) {
    this.#parts = parts;
  }

  /** What `commit` recorded, from the newest snapshot on, oldest first. */
  entries(run: RunRef): JsonObject[] {
    const { snapshotSeq, firstSeq, journalSeq } = this.#resumable(run);
    const rows = this.#parts.journal.read(run, Math.max(snapshotSeq, firstSeq), journalSeq);
    return rows.filter((row) => !isCheckpointKind(row.kind)).map((row) => this.#opened(run, row).entry);
  }

  /** The last `limit` rows, oldest first. */
  newest(run: RunRef, limit: number): JournalRow[] {
    const { journalSeq, firstSeq } = this.#parts.jobs.position(run);
    const rows = this.#parts.journal.read(run, Math.max(firstSeq, journalSeq - limit + 1), journalSeq);
    return rows.map((row) => this.#opened(run, row));
  }

  latestCheckpoint(run: RunRef): FoldedCheckpoint | null {
    const position = this.#resumable(run);
    const fold = new CheckpointFold();
    const first = Math.max(position.firstSeq, position.snapshotSeq, position.checkpointSeq);
    const rows = this.#parts.journal.read(run, first, position.journalSeq);
    if (rows[0]?.kind === 'snapshot') {
      fold.startAfter(this.#lastExecution(run, position, first - 1) ?? this.#lastKnown(run, rows[0]));
    }
    for (const row of rows) fold.add(this.#foldable(run, row), row);
    return fold.latest();
  }

  /** The executed nodes and the turn each ran in, and the turn of the node that ended last. */
  executed(run: RunRef): { readonly nodes: Map<string, Iteration>; readonly now: Iteration } {
    const position = this.#resumable(run);
    const last = this.#lastExecution(run, position, position.journalSeq);
    const now = last === null ? [] : iterationOf(last);
    const nodes = this.#parts.executed.of(run);
    const settledSeq = this.#parts.jobs.settledSeq(run);
    for (const row of this.#parts.journal.read(run, settledSeq + 1, position.journalSeq)) {
      if (row.nodeId !== null && isExecution(row.kind)) nodes.set(row.nodeId, iterationOf(row));
    }
    return { nodes, now };
  }

  /** What is in doubt as a whole is no place to resume from (design 4.5), whatever of it can still be read. */
  #resumable(run: RunRef): RunPosition {
    const position = this.#parts.jobs.position(run);
    if (wholeDoubtOf(position.state) !== null) throw overError(run, position.state);
    return position;
  }

  #lastExecution(run: RunRef, position: RunPosition, last: number): JournalRow | null {
    const { firstSeq } = position;
    for (let to = last, size = 8; to >= firstSeq && last - to < lookBack; to -= size, size *= 2) {
      const rows = this.#parts.journal.read(run, Math.max(firstSeq, to - size + 1), to);
      const found = rows.findLast((row) => isExecution(row.kind));
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Of an execution whose entry is gone: the node that was new last, as of the snapshot. */
  #lastKnown(run: RunRef, { seq, recordedAtMs }: JournalRow): Pick<JournalRow, 'seq' | 'recordedAtMs' | 'nodeId'> {
    const nodeId = [...this.#parts.executed.of(run).keys()].at(-1) ?? null;
    return { seq, recordedAtMs, nodeId };
  }

  /** The entry as it was committed. */
  #opened(run: RunRef, row: JournalRow): JournalRow {
    const secrets = this.#parts.journal.openSecrets(run, row);
    if (secrets === null || isCheckpointKind(row.kind)) return row;
    return { ...row, entry: putSecrets(row.entry, JSON.parse(secrets) as SecretPart[]) };
  }

  #foldable(run: RunRef, row: JournalRow): FoldableEntry {
    const { entry } = this.#opened(run, row);
    const secrets = isCheckpointKind(row.kind) ? this.#parts.journal.openSecrets(run, row) : null;
    const foldable = entry as unknown as FoldableEntry;
    return secrets === null ? foldable : { ...foldable, secrets: JSON.parse(secrets) as SecretPart[] };
  }
}
