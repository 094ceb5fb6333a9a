/**
 * Says how a failure is to be treated, from whatever was thrown: walks the `cause` chain and
 * `AggregateError.errors`, asks its rules about each link, outermost first, and takes the first answer.
 * Of several errors that happened side by side the least hopeful one decides.
 */
import { ArgumentError } from '../argument-error.ts';
import { readField } from '../safe-read.ts';
import { abortRule } from './abort-rule.ts';
import { type ClassifyRule, type ErrorLink, errorLink } from './error-link.ts';
import { httpRule } from './http-rule.ts';
import { nodeRule } from './node-rule.ts';
import { postgrestRule } from './postgrest-rule.ts';
import { sqlstateRule } from './sqlstate-rule.ts';
import { CLIENT_ENDED, supabaseNetworkTextRule, undiciRule } from './undici-rule.ts';
import { type ErrorClass, type ErrorVerdict, isVerdict, plainVerdict, verdict } from './verdict.ts';

export interface ClassifyContext {
  /**
   * The signal of the caller on whose behalf the failed work was done. With it, an abort is told apart:
   * the caller's own (class C) or our attempt deadline (class A). Without it every AbortError is the caller's.
   */
  readonly callerSignal?: AbortSignal | undefined;
}

export type ClassifyError = (error: unknown, context?: ClassifyContext) => ErrorVerdict;

const BUILT_IN: readonly ClassifyRule[] = [
  postgrestRule,
  sqlstateRule,
  undiciRule,
  nodeRule,
  abortRule,
  supabaseNetworkTextRule,
  httpRule,
];

const LEAST_HOPEFUL_FIRST: readonly ErrorClass[] = ['O', 'P', 'U', 'A', 'T', 'S', 'C'];

/** Errors that the language itself throws: a mistake in the code, not in the service. */
const MISTAKES: ReadonlySet<string> = new Set([
  'TypeError',
  'ReferenceError',
  'RangeError',
  'SyntaxError',
  'EvalError',
  'URIError',
]);

/** Aborts that do not say whose they are. */
const ABORTS: ReadonlySet<string> = new Set(['ABORTED', 'UND_ERR_ABORT', 'UND_ERR_ABORTED']);

/** A chain longer than this is a loop of fresh objects, not a cause. */
const MAX_LINKS = 64;

/**
 * Builds a classifier that asks `extraRules` before the built-in ones, for the errors of another field. A rule that
 * throws counts as one that does not know the error.
 *
 * @throws ArgumentError for what is no list of functions
 *
 * @example
 * const classify = createClassifier([
 *   ({ code }) => (code === 'SQLITE_BUSY' ? verdict('S', code) : undefined),
 * ]);
 * classify(Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' })).class; // 'S'
 */
export function createClassifier(extraRules: readonly ClassifyRule[] = []): ClassifyError {
  if (!Array.isArray(extraRules) || extraRules.some((rule) => typeof rule !== 'function'))
    throw new ArgumentError('extraRules', 'a list of functions', extraRules);
  const rules = [...extraRules, ...BUILT_IN];
  return (error, context = {}) => {
    const callerSignal = readField(context, 'callerSignal') as AbortSignal | undefined;
    const isAborted = callerSignal?.aborted;
    if (isVerdict(error)) return plainVerdict(error);
    if (isAborted === true && error === callerSignal?.reason) return verdict('C', 'ABORTED');
    const found = judge(error, rules, new Set()) ?? unknownVerdict(error);
    if (isAborted === true && CLIENT_ENDED.has(found.code)) return verdict('C', found.code);
    // Somebody's abort, but not the caller's: a deadline of ours.
    const isOurs = isAborted === false && found.class === 'C' && ABORTS.has(found.code);
    return isOurs ? verdict('A', 'TIMEOUT') : found;
  };
}

/**
 * The classifier with the built-in rules: HTTP, PostgREST, SQLSTATE, Node, undici, aborts.
 *
 * @returns class, category, code, whether the effect may have happened, and how long to wait if the server said so.
 *   What nothing is known about is `unknown`, treated as ambiguous.
 *
 * @example
 * classifyError(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }));
 * // { category: 'transient', class: 'S', code: 'ECONNREFUSED', ambiguous: false }
 */
export const classifyError: ClassifyError = createClassifier();

function judge(error: unknown, rules: readonly ClassifyRule[], seen: Set<unknown>): ErrorVerdict | undefined {
  if (seen.has(error) || seen.size >= MAX_LINKS) return undefined;
  seen.add(error);
  if (isVerdict(error)) return plainVerdict(error);
  const link = errorLink(error);
  for (const rule of rules) {
    const found = askSafely(rule, link);
    if (found !== undefined) return found;
  }
  const found = leastHopeful(
    sideBySide(error)
      .map((each) => judge(each, rules, seen))
      .filter((each) => each !== undefined),
  );
  if (found !== undefined) return found;
  const cause = readField(error, 'cause');
  return cause === undefined ? undefined : judge(cause, rules, seen);
}

/** A rule that throws does not know the error, and must not replace it. */
function askSafely(rule: ClassifyRule, link: ErrorLink): ErrorVerdict | undefined {
  try {
    return rule(link);
  } catch {
    return undefined;
  }
}

/** The members of an AggregateError; none where there are none, or they cannot be read. */
function sideBySide(error: unknown): readonly unknown[] {
  try {
    const errors = readField(error, 'errors');
    return Array.isArray(errors) ? errors.slice(0, MAX_LINKS) : [];
  } catch {
    return [];
  }
}

function leastHopeful(verdicts: readonly ErrorVerdict[]): ErrorVerdict | undefined {
  const [worst] = verdicts.toSorted(
    (a, b) => LEAST_HOPEFUL_FIRST.indexOf(a.class) - LEAST_HOPEFUL_FIRST.indexOf(b.class),
  );
  return worst === undefined ? undefined : { ...worst, ambiguous: verdicts.some((each) => each.ambiguous) };
}

function unknownVerdict(error: unknown): ErrorVerdict {
  const { name, code, message } = errorLink(error);
  // What fetch throws around a cause; here the cause is missing, or nothing is known about it.
  if (name === 'TypeError' && message === 'fetch failed') return verdict('A', 'FETCH_FAILED');
  if (name === 'TypeError' && message === 'terminated') return verdict('A', 'TERMINATED');
  if (MISTAKES.has(name)) return verdict('P', name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase());
  return verdict('A', code === '' ? 'UNKNOWN' : code, { category: 'unknown' });
}
