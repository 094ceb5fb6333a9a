/** Turns whatever went wrong in an attempt into a ConnectionError, with nothing secret in it. */
import { classifyError } from '../classification/classify-error.ts';
import { errorLink } from '../classification/error-link.ts';
import { type ErrorVerdict, verdict } from '../classification/verdict.ts';
import { ConnectionError } from '../errors.ts';
import type { Redactor } from '../redactor.ts';
import { readField } from '../safe-read.ts';
import type { Flaw, RequestScope } from './request-scope.ts';

/** A network failure or another thrown thing, judged and wrapped; a ConnectionError stays as it is. */
export function wrapError(error: unknown, redactor: Redactor): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const judged = classifyError(error);
  const text = messagesOf(error);
  return new ConnectionError(redactor.text(text || judged.code), judged, { cause: redactor.cause(error) });
}

/** What the server answered instead of a result. */
export function answerError(
  problem: unknown,
  status: number | undefined,
  scope: RequestScope,
  redactor: Redactor,
): ConnectionError {
  const { last } = scope;
  const [code, message, details, hint] = ['code', 'message', 'details', 'hint'].map((f) => readField(problem, f));
  const answered = last?.kind === 'answered' ? last : undefined;
  const realStatus = status === undefined || status === 0 ? answered?.status : status;
  const judged = classifyError({
    code,
    message,
    details,
    status: realStatus,
    retryAfterMs: answered?.retryAfterMs,
  });
  // Cleaned before it is cut: half a secret is not recognized.
  const said = typeof message === 'string' ? redactor.text(message.trim()) : '';
  const clean = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? redactor.text(value) : undefined;
  return new ConnectionError(redactor.text(messageOf(judged, realStatus, said)), judged, {
    status: realStatus,
    details: clean(details),
    hint: clean(hint),
  });
}

/** The failure that the operation saw and kept to itself, if its last request was one. */
export function swallowedError(scope: RequestScope, redactor: Redactor): ConnectionError | undefined {
  const { last } = scope;
  if (last === undefined) return undefined;
  if (last.kind === 'failed') return wrapError(last.error, redactor);
  if (last.problem === undefined) return undefined;
  const error = answerError(parsed(last.problem), last.status, scope, redactor);
  // "No row" is an answer.
  return error.code === 'PGRST116' ? undefined : error;
}

/** An answer that looked like a success. */
export function flawError(flaw: Flaw, status: number | undefined): ConnectionError {
  switch (flaw) {
    case 'unconfirmed':
      return new ConnectionError(
        'the server confirmed nothing: ask for the written rows with .select(), or let the function return a value',
        verdict('P', 'UNCONFIRMED_WRITE', { ambiguous: true }),
        { status },
      );
    case 'no-row':
      return new ConnectionError(
        'no row was written: none matched, or row level security hides it',
        verdict('P', 'NO_ROW_WRITTEN'),
        { status },
      );
    case 'empty':
      return new ConnectionError(`the server answered ${status} with nothing at all`, verdict('A', 'NOT_JSON'), {
        status,
      });
  }
}

/** What became of an attempt whose signal aborted: by our own deadline or shutdown (a verdict), or by the caller. */
export function abortError(reason: unknown, ambiguous: boolean): ConnectionError {
  if (!(reason instanceof ConnectionError)) {
    return new ConnectionError('aborted by the caller', verdict('C', 'ABORTED', { ambiguous }), { cause: reason });
  }
  const judged: ErrorVerdict = { ...verdict(reason.class, reason.code), category: reason.category, ambiguous };
  return new ConnectionError(reason.message, judged.class === 'A' && !ambiguous ? { ...judged, class: 'S' } : judged);
}

function messageOf(judged: ErrorVerdict, status: number | undefined, said: string): string {
  if (judged.code === 'NOT_JSON')
    return `the server answered ${status} with something that is not JSON: ${said.slice(0, 80)}`;
  const plain = said !== '' && !said.startsWith('<') ? said : `the server answered ${status ?? judged.code}`;
  return judged.remedy === undefined ? plain : `${plain} (${judged.remedy})`;
}

function parsed(problem: string): unknown {
  try {
    return JSON.parse(problem);
  } catch {
    return { message: problem };
  }
}

/** "fetch failed" says nothing; its cause does. */
function messagesOf(error: unknown): string {
  let link = errorLink(error);
  const messages = [link.message];
  for (let depth = 0; depth < 8; depth += 1) {
    const next = readField(link.error, 'cause') ?? readField(readField(link.error, 'errors'), '0');
    if (next === undefined) break;
    link = errorLink(next);
    if (link.message !== '') messages.push(link.message);
  }
  return messages.filter((message) => message !== '').join(': ');
}
