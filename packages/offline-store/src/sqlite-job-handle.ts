/** A job's handle on the store; `job-handle.ts` says what each call promises. */
import { StoreError } from './errors.ts';
import type { CommitOptions, JobHandle, NodeCheckpoint, SecretPart } from './job-handle.ts';
import type { RunRef } from './jobs/job-rows.ts';
import { encodeCheckpoint } from './journal/encode-checkpoint.ts';
import { type Iteration, isSameTurn, iterationOfText } from './journal/iteration.ts';
import { checkChange, encodeEntries, type JournalEntryLike } from './journal/journal-entry.ts';
import type { RunWrite } from './journal/run-log.ts';
import { commitNames, nodeCheckpointNames, refuseSlips, secretPartNames } from './option-names.ts';
import { encodeDrafts } from './outbox/draft-text.ts';
import { checkDrafts, checkGiven, checkObject, checkSecretPaths } from './queue-arguments.ts';
import type { Checkpoint } from './queue-types.ts';
import { restoreState } from './restore-target.ts';
import type { SecretPath } from './secrets/secret-parts.ts';
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

/** The turn each node ran in at last, and that of the node that ended last. */
interface Executed {
  readonly nodes: Map<string, Iteration>;
  now: Iteration;
}

export class SqliteJobHandle<Entry extends JournalEntryLike> implements JobHandle<Entry> {
  readonly jobId: string;
  readonly workflowName: string;
  /** Null for a job without a lease. */
  readonly leaseToken: string | null;
  readonly #parts: SqliteJobHandleParts;
  /** Null until what was recorded earlier has been read. */
  #executed: Executed | null;
  #ended = false;

  constructor(parts: SqliteJobHandleParts) {
    this.#parts = parts;
    this.jobId = parts.run.jobId;
    this.workflowName = parts.workflowName;
    this.leaseToken = parts.run.leaseToken === '' ? null : parts.run.leaseToken;
    this.#executed = parts.isNew ? { nodes: new Map(), now: [] } : null;
  }

  async load(): Promise<Entry[]> {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const entries = await store.read(() => store.reader.entries(run) as unknown as Entry[]);
    this.#learn();
    return entries;
  }

  async commit(entries: readonly Entry[], options: CommitOptions = {}): Promise<void> {
    this.#assertInUse();
    if (!Array.isArray(entries)) throw new StoreError('INVALID_ARGUMENT', 'commit takes a list of journal entries.');
    const { store, run } = this.#parts;
    const { secret, reserve, outbox, status } = checkGiven(options, 'commit', commitNames);
    const encoded = encodeEntries(entries, secret === undefined ? null : pathsByEntry(entries.length, secret));
    const write = {
      entries: encoded,
      outbox: encodeDrafts(checkDrafts(outbox)),
      change: status === undefined ? null : checkChange(status),
      reserve: reserve === true,
    };
    store.requireFit('A commit', textsOf(write));
    await store.write({ op: 'record', run, write, nowMs: store.clock.now() }).catch((error: unknown) => {
      throw write.reserve ? error : store.explainRefusal(error, run, textsOf(write));
    });
    for (const { nodeId, iteration } of encoded.ends) this.#markExecuted(nodeId, iterationOfText(iteration));
  }

  async saveCheckpoint(checkpoint: NodeCheckpoint): Promise<void> {
    this.#assertInUse();
    const { store, run, autoSave } = this.#parts;
    const { context, ...rest } = checkGiven(checkpoint, 'saveCheckpoint', nodeCheckpointNames);
    const encoded = encodeCheckpoint({ ...rest, state: context });
    if (this.#executed === null) this.#learn();
    if (autoSave) await store.write({ op: 'checkpoint', run, checkpoint: encoded, nowMs: store.clock.now() });
    this.#markExecuted(encoded.nodeId, iterationOfText(encoded.iteration));
  }

  isNodeExecuted(nodeId: string, iteration?: Iteration): boolean {
    const { nodes, now } = this.#known();
    const ranAt = nodes.get(nodeId);
    return ranAt !== undefined && isSameTurn(ranAt, iteration ?? now);
  }

  getExecutedNodes(iteration?: Iteration): string[] {
    return [...this.#known().nodes.keys()].filter((nodeId) => this.isNodeExecuted(nodeId, iteration));
  }

  async getCheckpoint(): Promise<Checkpoint | null> {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const folded = await store.read(() => store.reader.latestCheckpoint(run));
    return folded === null ? null : { jobId: this.jobId, ...folded };
  }

  async restoreFromCheckpoint(checkpoint: Checkpoint, target: object): Promise<void> {
    checkGiven(target, 'restoreFromCheckpoint');
    if (checkGiven(checkpoint, 'restoreFromCheckpoint').jobId !== this.jobId) {
      throw new StoreError(
        'INVALID_ARGUMENT',
        `That is a checkpoint of job ${checkpoint.jobId}, not of ${this.jobId}.`,
      );
    }
    const state = checkObject(checkpoint.state, 'state of the checkpoint');
    this.#learn();
    restoreState(state, target);
  }

  endJob(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.onEnd();
  }

  /** At once, so that what is asked for together is written in the order of the calls. */
  #learn(): void {
    this.#assertInUse();
    const { store, run } = this.#parts;
    const { nodes, now } = store.readNow(() => store.reader.executed(run));
    if (this.#executed === null) {
      this.#executed = { nodes, now };
      return;
    }
    for (const [nodeId, iteration] of nodes) {
      if (!this.#executed.nodes.has(nodeId)) this.#executed.nodes.set(nodeId, iteration);
    }
  }

  #markExecuted(nodeId: string, iteration: Iteration): void {
    if (this.#executed === null) return;
    this.#executed.nodes.set(nodeId, iteration);
    this.#executed.now = iteration;
  }

  #known(): Executed {
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

function textsOf({ entries, outbox, change }: RunWrite): readonly string[] {
  const secrets = entries.secrets?.map(([, text]) => text) ?? [];
  const result = change !== null && 'result' in change ? [JSON.stringify(change)] : [];
  return [entries.text, outbox.text, ...secrets, ...result];
}

/** @throws StoreError `INVALID_ARGUMENT` */
function pathsByEntry(count: number, parts: readonly SecretPart[]): SecretPath[][] {
  const paths = Array.from({ length: count }, (): SecretPath[] => []);
  if (!Array.isArray(parts) || parts.some((part) => typeof part !== 'object' || part === null)) {
    throw new StoreError('INVALID_ARGUMENT', "secret is a list of { entry: 0, path: ['variables', 'token'] }.");
  }
  checkSecretPaths(parts.map(({ path }) => path));
  for (const part of parts) {
    refuseSlips(part, 'secret', secretPartNames);
    const { entry, path } = part;
    const list = paths[entry];
    if (list === undefined) throw new StoreError('INVALID_ARGUMENT', `There is no entry ${entry} to hold a secret.`);
    list.push(path);
  }
  return paths;
}
