/**
 * Entries that a journal will never take, however much room there is: the node that gave what is in them fails, and its run
 * goes on (`VALUE_TOO_LARGE`). Whatever else was committed with them is recorded all the same.
 */
import type { RunJournal } from '../ports.ts';
import type { JournalEntry } from './journal.ts';
import type { Interruption } from './run-options.ts';

/** How large it is, and how large it may be, in bytes. */
export interface ExcessSize {
  readonly bytes: number;
  readonly limitBytes: number;
}

/** The journal took all entries but one, and those that depend on that. */
export class EntryTooLargeError extends Error implements ExcessSize {
  readonly code = 'VALUE_TOO_LARGE';
  readonly bytes: number;
  readonly limitBytes: number;
  /** The step whose entry it is; null when nothing was under way, so that the next node is meant. */
  readonly step: number | null;

  constructor({ bytes, limitBytes }: ExcessSize, entry: JournalEntry) {
    super(`a "${entry.kind}" entry of ${bytes} bytes is larger than the limit of ${limitBytes}`);
    this.name = 'EntryTooLargeError';
    this.bytes = bytes;
    this.limitBytes = limitBytes;
    this.step = isEnd(entry) ? entry.step : null;
  }
}

/**
 * @param onDurable told of what was recorded, in one call unless the entries had to be recorded one by one
 * @throws EntryTooLargeError; whatever else the journal rejects with
 */
export async function commitWhatFits(
  journal: Pick<RunJournal, 'commit'>,
  entries: readonly JournalEntry[],
  onDurable: (entries: readonly JournalEntry[]) => void,
): Promise<void> {
  try {
    await journal.commit(entries);
    onDurable(entries);
    return;
  } catch (error) {
    if (excessSizeIn(error) === null) throw error;
  }
  let refused: { readonly entry: JournalEntry; readonly error: EntryTooLargeError } | null = null;
  for (const entry of entries) {
    // The run can do without a snapshot.
    if (entry.kind === 'snapshot') continue;
    if (refused !== null && !isApart(entry, refused.entry)) continue;
    try {
      await journal.commit([entry]);
      onDurable([entry]);
    } catch (error) {
      const size = excessSizeIn(error);
      if (size === null) throw error;
      refused ??= { entry, error: new EntryTooLargeError(size, entry) };
    }
  }
  if (refused !== null) throw refused.error;
}

/** What a journal says by rejecting with `{ code: 'VALUE_TOO_LARGE', bytes, limitBytes }`; null when it says something else. */
export function excessSizeIn(error: unknown): ExcessSize | null {
  const { code, bytes, limitBytes } = (error ?? {}) as { code?: unknown; bytes?: unknown; limitBytes?: unknown };
  return code === 'VALUE_TOO_LARGE' && typeof bytes === 'number' && typeof limitBytes === 'number'
    ? { bytes, limitBytes }
    : null;
}

/** What a node fails with that gave such a value, or was to be given one. */
export function tooLargeError({ bytes, limitBytes }: ExcessSize): Interruption['error'] {
  return {
    code: 'RESULT_TOO_LARGE',
    category: 'permanent',
    message:
      `What it gave is too large to be kept: ${bytes} bytes of at most ${limitBytes}. ` +
      'A file takes it, whose path can be passed on.',
    errorType: 'ProcessError',
    details: { bytes, limitBytes },
  };
}

/** What has happened in another lane, which neither holds the refused one nor lies in it. */
function isApart(entry: JournalEntry, refused: JournalEntry): boolean {
  if (!isEnd(entry) || !isEnd(refused)) return false;
  const { lane: one = '' } = entry;
  const { lane: other = '' } = refused;
  return !one.startsWith(other) && !other.startsWith(one);
}

type EndOfAttempt = Extract<JournalEntry, { readonly kind: 'result' | 'failure' | 'retry' | 'interrupted' }>;

function isEnd(entry: JournalEntry): entry is EndOfAttempt {
  const { kind } = entry;
  return kind === 'result' || kind === 'failure' || kind === 'retry' || kind === 'interrupted';
}
