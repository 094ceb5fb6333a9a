/**
 * Writes the checkpoints of `saveCheckpoint`: what changed since the one before it, or a full snapshot when
 * that one is not known to be the journal's last entry or when the changes since the last snapshot outweigh
 * it (I10). What it knows of each job's last checkpoint is a cache: losing it costs a snapshot.
 *
 * Synchronous, part of the caller's transaction.
 */
import type { RunRef } from '../jobs/job-rows.ts';
import type { JobTable } from '../jobs/job-table.ts';
import { noDrafts } from '../outbox/draft-text.ts';
import { deltaKind, snapshotKind } from './checkpoint-fold.ts';
import type { EncodedEntries } from './journal-entry.ts';
import type { RunLog } from './run-log.ts';
import { deltaText, type StateTexts, stateText } from './state-delta.ts';

export interface CheckpointToSave {
  /** Default: `cp-` and the entry's number in the journal. */
  readonly checkpointId?: string;
  readonly nodeId: string;
  /** The state without its secret parts. */
  readonly texts: StateTexts;
  /** JSON text of the secret parts. */
  readonly secrets: string;
  /** JSON text. */
  readonly iteration: string;
}

/** The last checkpoint of a run, as written. */
interface Track {
  readonly seq: number;
  readonly texts: StateTexts;
  readonly secrets: string;
  readonly snapshotBytes: number;
  readonly deltaBytes: number;
}

/** A snapshot is never due before so many bytes of changes. */
const minimumDeltaBytes = 64 * 1024;
/** Jobs whose last checkpoint is kept in mind. */
const maxTracks = 64;
const noSecrets = '[]';

export class CheckpointLog {
  readonly #jobs: JobTable;
  readonly #runLog: RunLog;
  readonly #tracks = new Map<number, Track>();

  constructor(jobs: JobTable, runLog: RunLog) {
    this.#jobs = jobs;
    this.#runLog = runLog;
  }

  /**
   * @returns what is to be called once the transaction has been committed
   * @throws StoreError `JOB_FINAL`, `STALE_LEASE`, `JOB_IN_DOUBT`
   */
  save(run: RunRef, checkpoint: CheckpointToSave, nowMs: number): () => void {
    const { entries, track } = this.#next(run, this.#jobs.position(run).journalSeq, checkpoint);
    this.#runLog.write(run, { entries, outbox: noDrafts, change: null, reserve: false }, nowMs);
    return () => this.#remember(run.runId, track);
  }

  /** Called when a job is over or set aside. */
  forget(runId: number): void {
    this.#tracks.delete(runId);
  }

  #next(run: RunRef, lastSeq: number, checkpoint: CheckpointToSave): { entries: EncodedEntries; track: Track } {
    const { nodeId, checkpointId, texts, secrets, iteration } = checkpoint;
    const seq = lastSeq + 1;
    const path = iteration === '[]' ? '' : `,"iteration":${iteration}`;
    const head = `${JSON.stringify({ node_id: nodeId, checkpoint_id: checkpointId }).slice(1, -1)}${path}`;
    const last = this.#tracks.get(run.runId);
    if (last !== undefined && last.seq === lastSeq) {
      const payload = `{"kind":"${deltaKind}",${head},"delta":${deltaText(last.texts, texts)}}`;
      const changed = secrets === last.secrets ? null : secrets;
      const deltaBytes = last.deltaBytes + payload.length + (changed?.length ?? 0);
      if (deltaBytes <= Math.max(minimumDeltaBytes, last.snapshotBytes)) {
        const entries = entryOf(checkpoint, payload, changed, false);
        return { entries, track: { ...last, seq, texts, secrets, deltaBytes } };
      }
    }
    const payload = `{"kind":"${snapshotKind}",${head},"state":${stateText(texts)}}`;
    const entries = entryOf(checkpoint, payload, secrets === noSecrets ? null : secrets, true);
    return { entries, track: { seq, texts, secrets, snapshotBytes: payload.length, deltaBytes: 0 } };
  }

  #remember(runId: number, track: Track): void {
    const known = this.#tracks.get(runId);
    if (known !== undefined && known.seq > track.seq) return;
    this.#tracks.delete(runId);
    this.#tracks.set(runId, track);
    const [oldest] = this.#tracks.keys();
    if (this.#tracks.size > maxTracks && oldest !== undefined) this.#tracks.delete(oldest);
  }
}

function entryOf(
  { nodeId, iteration }: CheckpointToSave,
  payload: string,
  secrets: string | null,
  isWhole: boolean,
): EncodedEntries {
  return {
    text: `[${payload}]`,
    count: 1,
    ends: [{ index: 0, nodeId, iteration }],
    secrets: secrets === null ? null : [[0, secrets]],
    wholeAt: isWhole ? 0 : -1,
    saved: true,
  };
}
