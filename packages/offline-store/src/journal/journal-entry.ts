/** What may be committed to a job's journal, and its form in the file. */
import { StoreError } from '../errors.ts';
import type { StatusChange } from '../jobs/job-state.ts';
import { assertSerializable, copyOf, encodeJson, isPlainObject, type JsonObject } from '../json.ts';
import { isKeepable, keepable } from '../queue-arguments.ts';
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

/** The entries of a commit in their form in the file. */
export interface EncodedEntries {
  /** JSON text of their list. */
  readonly text: string;
  readonly count: number;
  /** Where nodes ended, in the order of the entries. */
  readonly ends: readonly NodeEnd[];
  /** JSON texts of secret parts by the index of their entry, to be sealed under the number that it gets; null for none. */
  readonly secrets: readonly (readonly [index: number, text: string])[] | null;
  /** Index of the newest entry that holds a whole state; -1 for none. */
  readonly wholeAt: number;
  /** Whether `saveCheckpoint` wrote them. */
  readonly saved: boolean;
}

/** The entry of a commit with which a node counts as executed. */
export interface NodeEnd {
  readonly index: number;
  readonly nodeId: string;
  /** JSON text of its iteration. */
  readonly iteration: string;
}

export const noEntries: EncodedEntries = { text: '[]', count: 0, ends: [], secrets: null, wholeAt: -1, saved: false };

export const resultKind = 'result';

/** A node counts as executed once one of these entries is there for it. */
export function isExecution(kind: string): boolean {
  return kind === resultKind || isCheckpointKind(kind);
}

/** The iteration that an entry names. */
export function iterationOf({ entry }: { readonly entry: JsonObject }): Iteration {
  return (entry.iteration as Iteration | undefined) ?? [];
}

/**
 * @param secret by entry, the paths within it whose values are kept sealed only; null for none
 * @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT`
 */
export function encodeEntries(
  entries: readonly JournalEntryLike[],
  secret: readonly (readonly SecretPath[])[] | null,
): EncodedEntries {
  const ends: NodeEnd[] = [];
  let wholeAt = -1;
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as JournalEntryLike;
    checkEntry(entry);
    const { kind, node_id: nodeId, iteration } = entry;
    const turn = iteration === undefined ? '[]' : iterationText(iteration);
    if (kind === 'snapshot') wholeAt = index;
    else if (isExecution(kind) && typeof nodeId === 'string') ends.push({ index, nodeId, iteration: turn });
  }
  const secrets: (readonly [number, string])[] = [];
  const open = secret === null ? entries : entries.map((entry, index) => withoutSecrets(entry, index));
  for (const entry of open) assertSerializable(entry, nameOf(entry));
  const text = JSON.stringify(open);
  return { text, count: open.length, ends, secrets: secrets.length === 0 ? null : secrets, wholeAt, saved: false };

  function withoutSecrets(entry: JournalEntryLike, index: number): JournalEntryLike {
    const paths = secret?.[index] ?? [];
    if (paths.length === 0) return entry;
    const parts = takeSecrets(entry, paths);
    secrets.push([index, encodeJson(parts.secrets, `secret parts of the ${nameOf(entry)}`)]);
    return parts.open as JournalEntryLike;
  }
}

function nameOf({ kind }: JournalEntryLike): string {
  return `"${kind}" entry`;
}

/** @throws StoreError `INVALID_ARGUMENT` */
function checkEntry(entry: JournalEntryLike): void {
  if (!isPlainObject(entry) || typeof entry.kind !== 'string' || entry.kind === '') {
    throw new StoreError('INVALID_ARGUMENT', 'A journal entry is an object with a "kind".');
  }
  if (isCheckpointKind(entry.kind)) {
    throw new StoreError('INVALID_ARGUMENT', `Entries of kind "${entry.kind}" are written by saveCheckpoint only.`);
  }
  const nodeId = entry.node_id ?? null;
  if (nodeId !== null && (typeof nodeId !== 'string' || !isKeepable(nodeId))) {
    throw new StoreError('INVALID_ARGUMENT', `The node_id of a "${entry.kind}" entry is a string ${keepable}.`);
  }
}

const changes: ReadonlySet<unknown> = new Set([
  'in_progress',
  'in_doubt',
  'completed',
  'failed',
  'cancelled',
  'released',
]);

/** The change as it is now, whatever its caller makes of it later. @throws StoreError `NOT_SERIALIZABLE`, `INVALID_ARGUMENT` */
export function checkChange(change: StatusChange): StatusChange {
  if (!isPlainObject(change) || !changes.has(change.status)) {
    throw new StoreError('INVALID_ARGUMENT', `status is { status: one of ${[...changes].join(', ')} }.`);
  }
  const copy = copyOf(change, "change of the job's status");
  if (copy.status !== 'in_doubt' || (Array.isArray(copy.nodes) && copy.nodes.length > 0)) return copy;
  throw new StoreError('INVALID_ARGUMENT', 'A job in doubt names at least one node.');
}
