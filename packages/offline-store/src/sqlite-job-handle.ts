/** A job's handle on the store; `job-handle.ts` says what each call promises. */
import { StoreError } from './errors.ts';
import type { CommitOptions, JobHandle, NodeCheckpoint } from './job-handle.ts';
import type { RunRef } from './jobs/job-rows.ts';
import { isOver } from './jobs/job-state.ts';
import { isCheckpointKind } from './journal/checkpoint-fold.ts';
import { checkChange, encodeDraft, encodeEntry, isExecution, type JournalEntryLike } from './journal/journal-entry.ts';
import { checkNodeId } from './queue-arguments.ts';
import type { Checkpoint } from './queue-types.ts';
import { restoreState } from './restore-target.ts';
import type { SqliteStore } from './sqlite-store.ts';

export interface SqliteJobHandleParts {
  readonly store: SqliteStore;
  readonly run: RunRef;
  readonly workflowName: string;
  readonly autoSave: boolean;
  /** True when nothing had been recorded yet. */
  readonly isNew: boolean;
  readonly onEnd: () => void;
}

export class SqliteJobHandle<Entry extends JournalEntryLike> implements JobHandle<Entry> {
  readonly jobId: string;
  readonly workflowName: string;
  /** Null for a job without a lease. */
  readonly leaseToken: string | null;
  readonly #parts: SqliteJobHandleParts;
  /** Null until what was recorded earlier has been read. */
  #executed: Set<string> | null;
  #ended = false;

  constructor(parts: SqliteJobHandleParts) {
    this.#parts = parts;
    this.jobId = parts.run.jobId;
    this.workflowName = parts.workflowName;
    this.leaseToken = parts.run.leaseToken === '' ? null : parts.run.leaseToken;
    this.#executed = parts.isNew ? new Set() : null;
  }

  async load(): Promise<Entry[]> {
    const rows = await this.#read();
    return rows.filter((row) => !isCheckpointKind(row.kind)).map((row) => JSON.parse(row.payload) as Entry);
  }

  async commit(entries: readonly Entry[], options: CommitOptions = {}): Promise<void> {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const change = options.status === undefined ? {} : { change: checkChange(options.status) };
    const encoded = entries.map(encodeEntry);
    const write = { ...change, entries: encoded, outbox: (options.outbox ?? []).map(encodeDraft) };
    const position = await store.write(() => store.runLog.write(run, write));
    for (const entry of encoded) if (isExecution(entry.kind)) this.#markExecuted(entry.nodeId);
    if (isOver(position.state)) store.checkpoints.forget(run.runId);
  }

  async saveCheckpoint(checkpoint: NodeCheckpoint): Promise<void> {
    this.#assertInUse();
    const { store, run, autoSave } = this.#parts;
    const { context, ...rest } = checkpoint;
    if (this.#executed === null) await this.#read();
    if (autoSave) await store.checkpoints.save(() => run, { ...rest, state: context });
    this.#markExecuted(checkNodeId(checkpoint.nodeId));
  }

  isNodeExecuted(nodeId: string): boolean {
    return this.#known().has(nodeId);
  }

  getExecutedNodes(): string[] {
    return [...this.#known()];
  }

  async getCheckpoint(): Promise<Checkpoint | null> {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const folded = await store.read(() => store.runLog.latestCheckpoint(run));
    return folded === null ? null : { jobId: this.jobId, ...folded };
  }

  async restoreFromCheckpoint(checkpoint: Checkpoint, target: object): Promise<void> {
    if (checkpoint.jobId !== this.jobId) {
      throw new StoreError(
        'INVALID_ARGUMENT',
        `That is a checkpoint of job ${checkpoint.jobId}, not of ${this.jobId}.`,
      );
    }
    await this.#read();
    restoreState(checkpoint.state, target);
  }

  endJob(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.onEnd();
  }

  async #read(): Promise<{ readonly kind: string; readonly nodeId: string | null; readonly payload: string }[]> {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const rows = await store.read(() => store.runLog.read(run));
    this.#executed ??= new Set();
    for (const row of rows) if (isExecution(row.kind)) this.#markExecuted(row.nodeId);
    return rows;
  }

  #markExecuted(nodeId: string | null): void {
    if (nodeId !== null) this.#executed?.add(nodeId);
  }

  #known(): Set<string> {
    this.#assertInUse();
    if (this.#executed !== null) return this.#executed;
    throw new StoreError(
      'NOT_LOADED',
      `Job ${this.jobId} was begun before: await load() or restoreFromCheckpoint() to learn what has been executed.`,
    );
  }

  #assertInUse(): void {
    if (this.#ended) throw new StoreError('HANDLE_ENDED', `The recording of job ${this.jobId} has ended.`);
  }
}
