/** Splits a command line into words as a POSIX shell does, without anything else that a shell does. Pure. */
import { NodeError } from '../errors.ts';

/**
 * @throws NodeError `COMMAND_INVALID` for a quote that is not closed
 * @example
 * splitWords(`-m "two words" it\\'s`); // ['-m', 'two words', "it's"]
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const next = text[at + 1];
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && (next === '"' || next === '\\')) {
        word = (word ?? '') + next;
        at += 1;
      } else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '\\' && next !== undefined && process.platform !== 'win32') {
      word = (word ?? '') + next;
      at += 1;
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') {
    throw new NodeError(`A quote (${quote}) is not closed in: ${text.slice(0, 100)}`, { code: 'COMMAND_INVALID' });
  }
  if (word !== null) words.push(word);
  return words;
}
