/**
 * Writes the checkpoints of `saveCheckpoint`: what changed since the one before it, or a full snapshot when
 * that one is not known to be the journal's last entry or when the changes since the last snapshot outweigh
 * it (I10). What it knows of each job's last checkpoint is a cache: losing it costs a snapshot.
 */
import type { RunRef } from '../jobs/job-rows.ts';
import type { JobTable } from '../jobs/job-table.ts';
import { checkNodeId, checkObject } from '../queue-arguments.ts';
import type { StoreAccess } from '../store-access.ts';
import { deltaKind, snapshotKind } from './checkpoint-fold.ts';
import type { EncodedEntry } from './journal-entry.ts';
import type { RunLog } from './run-log.ts';
import { deltaText, type StateTexts, stateText, textsOf } from './state-delta.ts';

export interface CheckpointToSave {
  /** Default: `cp-` and the entry's number in the journal. */
  readonly checkpointId?: string;
  readonly nodeId: string;
  readonly state: object;
}

/** The last checkpoint of a run, as written. */
interface Track {
  readonly seq: number;
  readonly texts: StateTexts;
  readonly snapshotBytes: number;
  readonly deltaBytes: number;
}

/** A snapshot is never due before so many bytes of changes. */
const minimumDeltaBytes = 64 * 1024;
/** Jobs whose last checkpoint is kept in mind. */
const maxTracks = 64;

export class CheckpointLog {
  readonly #access: StoreAccess;
  readonly #jobs: JobTable;
  readonly #runLog: RunLog;
  readonly #tracks = new Map<number, Track>();

  constructor(access: StoreAccess, jobs: JobTable, runLog: RunLog) {
    this.#access = access;
    this.#jobs = jobs;
    this.#runLog = runLog;
  }

  /** @throws StoreError `NOT_SERIALIZABLE`, `JOB_FINAL`, `STALE_LEASE` */
  async save(run: () => RunRef, checkpoint: CheckpointToSave): Promise<void> {
    const texts = textsOf(checkObject(checkpoint.state, 'checkpoint state'));
    const nodeId = checkNodeId(checkpoint.nodeId);
    const { checkpointId } = checkpoint;
    const written = await this.#access.write(() => {
      const ref = run();
      const { entry, track } = this.#next(ref, this.#jobs.position(ref).journalSeq, texts, nodeId, checkpointId);
      this.#runLog.write(ref, { entries: [entry] });
      return { runId: ref.runId, track };
    });
    this.#remember(written.runId, written.track);
  }

  /** Called when a job is over or set aside. */
  forget(runId: number): void {
    this.#tracks.delete(runId);
  }

  #next(
    run: RunRef,
    lastSeq: number,
    texts: StateTexts,
    nodeId: string,
    checkpointId: string | undefined,
  ): { readonly entry: EncodedEntry; readonly track: Track } {
    const seq = lastSeq + 1;
    const head = JSON.stringify({ node_id: nodeId, checkpoint_id: checkpointId }).slice(1, -1);
    const last = this.#tracks.get(run.runId);
    if (last !== undefined && last.seq === lastSeq) {
      const payload = `{"kind":"${deltaKind}",${head},"delta":${deltaText(last.texts, texts)}}`;
      const deltaBytes = last.deltaBytes + payload.length;
      if (deltaBytes <= Math.max(minimumDeltaBytes, last.snapshotBytes)) {
        return { entry: { kind: deltaKind, nodeId, payload }, track: { ...last, seq, texts, deltaBytes } };
      }
    }
    const payload = `{"kind":"${snapshotKind}",${head},"state":${stateText(texts)}}`;
    const entry = { kind: snapshotKind, nodeId, payload };
    return { entry, track: { seq, texts, snapshotBytes: payload.length, deltaBytes: 0 } };
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
