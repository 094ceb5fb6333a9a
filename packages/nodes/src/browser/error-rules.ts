/**
 * The one place where Playwright's errors become ours. Nothing of Playwright's own text but its first line is ever
 * kept, because its call log quotes the page and what was typed into it (I8).
 */
import { NodeError } from '../errors.ts';
import {
  type BrowserOperation,
  type Meaning,
  meaningOfFailure,
  meaningOfLaunchFailure,
  meaningOfTimeout,
  place,
  target,
  type Understanding,
} from './error-meanings.ts';
import { showUrl } from './page-url.ts';
import type { ErrorVerdict } from './ports.ts';

const ANSI = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const PLAYWRIGHT_CALL = /^(?:[a-z]\w*\.)+\w+: /i;

/**
 * How an error thrown by Playwright is to be treated, found by walking the `cause` chain; undefined when there is
 * none in it.
 *
 * @example
 * const verdict = classifyBrowserError(error) ?? { category: 'unknown', code: 'UNKNOWN' };
 */
export function classifyBrowserError(error: unknown): ErrorVerdict | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const found = understand(current);
    if (found !== undefined) {
      const { code, category, certainty } = found.meaning;
      return { category, code, ambiguous: certainty === 'maybe-done' };
    }
  }
  return undefined;
}

/**
 * The error a node throws for one of Playwright's: plain words, the selector and the URL, no colour codes. Any
 * other error, a fault in a node for instance, comes back as it is.
 */
export function translateBrowserError(error: unknown, operation: BrowserOperation): unknown {
  const found = error instanceof NodeError ? undefined : understand(error);
  if (found === undefined) return error;
  const { code, category, certainty, explain } = found.meaning;
  const isMissing = code.startsWith('ELEMENT_NOT_');
  return new NodeError(explain(operation, found.match), {
    code,
    category: isMissing && (operation.attempt ?? 1) > 1 ? 'permanent' : category,
    ambiguous: operation.effect !== 'pure' && certainty === 'maybe-done',
    errorType: isMissing || code.endsWith('_TIMEOUT') ? 'TimeoutError' : 'Error',
    details: {
      ...(operation.selector === undefined ? {} : { selector: operation.selector }),
      ...(operation.url === undefined ? {} : { url: showUrl(operation.url) }),
    },
  });
}

const UNRECOGNIZED: Meaning = {
  code: 'BROWSER_ERROR',
  category: 'unknown',
  certainty: 'maybe-done',
  explain: (operation, match) =>
    `Could not ${operation.action} ${target(operation)} on ${place(operation)}: ${match[0]}`,
};

function understand(error: unknown): Understanding | undefined {
  const text = (error instanceof Error ? error.message : String(error)).replace(ANSI, '');
  if (!PLAYWRIGHT_CALL.test(text)) return undefined;
  if (text.startsWith('browserType.')) return meaningOfLaunchFailure(text);
  if (error instanceof Error && error.name === 'TimeoutError') return meaningOfTimeout(text);
  return meaningOfFailure(text.split('\nCall log:')[0] ?? text) ?? { meaning: UNRECOGNIZED, match: firstLine(text) };
}

function firstLine(text: string): RegExpMatchArray {
  return text.replace(PLAYWRIGHT_CALL, '').match(/^[^\n]{0,300}/) as RegExpMatchArray;
}
