/** Takes secrets out of what leaves a run (I8). */
import { requireFunctions } from '../argument-error.ts';
import { HIDDEN } from './secrecy/secret-path.ts';

export type Redact = (text: string) => string;

/** A copy whose texts are redacted, keys included; the same value without a redactor. For values of a workflow. */
export function redacted<T>(value: T, redact: Redact | undefined): T {
  requireFunctions({ redact });
  return redact === undefined ? value : (clean(value, redact) as T);
}

/** A name that a node gives its error: a short secret in it is a coincidence ("o" of "TIMEOUT"), a longer one is not. */
export function redactedWord(word: string, redact: Redact | undefined): string {
  if (redact === undefined) return word;
  const shown = redact(word);
  return word.length - shown.replaceAll(HIDDEN, '').length < MIN_HIDDEN_CHARS ? word : shown;
}

const MIN_HIDDEN_CHARS = 6;

/**
 * A copy of a report or notice of the engine: its own keys, ids, codes and states stay as they are, because a short
 * secret may be a part of them ("o" of "completed"); all that can hold values of the workflow is redacted.
 */
export function redactedReport<T>(report: T, redact: Redact | undefined): T {
  requireFunctions({ redact });
  return redact === undefined ? report : (cleanReport(report, redact) as T);
}

/** Keys of reports whose values are words of the engine, or of the node library and the file's structure. */
const ownWords: ReadonlySet<string> = new Set([
  'category',
  'cause',
  'code',
  'error_type',
  'exit',
  'job_id',
  'level',
  'node_id',
  'node_type',
  'skipped',
  'status',
]);

/** Keys of reports below which the workflow chooses the keys. */
const workflowValues: ReadonlySet<string> = new Set(['details', 'fields', 'outputs', 'variables']);

function cleanReport(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => cleanReport(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (ownWords.has(key)) return [key, item];
      return [key, workflowValues.has(key) ? clean(item, redact) : cleanReport(item, redact)];
    }),
  );
}

function clean(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => clean(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), clean(item, redact)]));
}
