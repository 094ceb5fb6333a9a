/** What may be committed to a job's journal, and its form in the file. */
import { StoreError } from '../errors.ts';
import type { StatusChange } from '../jobs/job-state.ts';
import { assertSerializable, encodeJson, isPlainObject, type JsonObject } from '../json.ts';
import type { OutboxDraft } from '../outbox/outbox.ts';
import { type SecretPath, takeSecrets } from '../secrets/secret-parts.ts';
import { isCheckpointKind } from './checkpoint-fold.ts';
import { type Iteration, iterationText } from './iteration.ts';

/**
 * The least that a journal entry is; everything else in it is the caller's and comes back as it was. An
 * entry of kind `snapshot` holds the whole state: `load()` begins at the newest one.
 */
export interface JournalEntryLike {
  readonly kind: string;
  readonly node_id?: string | null;
  /** The loops around the node and which turn of each: `['loop-1', 3]`. Default: none. */
  readonly iteration?: Iteration;
}

/** An entry whose payload is JSON text by now. */
export interface EncodedEntry {
  readonly kind: string;
  readonly nodeId: string | null;
  readonly payload: string;
  /** JSON text of its secret parts, to be sealed under the number that the entry gets; null for none. */
  readonly secrets: string | null;
  /** JSON text of its iteration. */
  readonly iteration: string;
}

/** A draft whose payload is JSON text by now. */
export interface EncodedDraft {
  readonly kind: string;
  readonly payload: string;
  readonly keep: boolean;
}

/** A node counts as executed once one of these entries is there for it. */
export function isExecution(kind: string): boolean {
  return kind === 'result' || isCheckpointKind(kind);
}

/** The iteration that an entry names. */
export function iterationOf({ entry }: { readonly entry: JsonObject }): Iteration {
  return (entry.iteration as Iteration | undefined) ?? [];
}

/**
 * @param secret paths within the entry whose values are kept sealed only
 * @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT`
 */
export function encodeEntry(entry: JournalEntryLike, secret: readonly SecretPath[] = []): EncodedEntry {
  if (!isPlainObject(entry) || typeof entry.kind !== 'string' || entry.kind === '') {
    throw new StoreError('INVALID_ARGUMENT', 'A journal entry is an object with a "kind".');
  }
  if (isCheckpointKind(entry.kind)) {
    throw new StoreError('INVALID_ARGUMENT', `Entries of kind "${entry.kind}" are written by saveCheckpoint only.`);
  }
  const nodeId = entry.node_id ?? null;
  if (nodeId !== null && typeof nodeId !== 'string') {
    throw new StoreError('INVALID_ARGUMENT', `The node_id of a "${entry.kind}" entry is a string.`);
  }
  const what = `"${entry.kind}" entry`;
  const iteration = entry.iteration === undefined ? '[]' : iterationText(entry.iteration);
  if (secret.length === 0) {
    return { kind: entry.kind, nodeId, payload: encodeJson(entry, what), secrets: null, iteration };
  }
  const parts = takeSecrets(entry, secret);
  const [payload, secrets] = [encodeJson(parts.open, what), encodeJson(parts.secrets, `secret parts of the ${what}`)];
  return { kind: entry.kind, nodeId, payload, secrets, iteration };
}

/** @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT` */
export function encodeDraft(draft: OutboxDraft): EncodedDraft {
  if (typeof draft.kind !== 'string' || draft.kind === '') {
    throw new StoreError('INVALID_ARGUMENT', 'An outbox entry has a "kind".');
  }
  return {
    kind: draft.kind,
    payload: encodeJson(draft.payload, `payload of outbox entry "${draft.kind}"`),
    keep: draft.keep === true,
  };
}

const changes: ReadonlySet<unknown> = new Set([
  'in_progress',
  'in_doubt',
  'completed',
  'failed',
  'cancelled',
  'released',
]);

/** @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT` */
export function checkChange(change: StatusChange): StatusChange {
  if (!isPlainObject(change) || !changes.has(change.status)) {
    throw new StoreError('INVALID_ARGUMENT', `status is { status: one of ${[...changes].join(', ')} }.`);
  }
  assertSerializable(change, "change of the job's status");
  if (change.status !== 'in_doubt' || (Array.isArray(change.nodes) && change.nodes.length > 0)) return change;
  throw new StoreError('INVALID_ARGUMENT', 'A job in doubt names at least one node.');
}
