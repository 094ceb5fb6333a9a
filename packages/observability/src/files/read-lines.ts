/**
 * Reads a file, also a compressed one, line by line in bounded memory. Lines end at `\n` alone: JSON may hold other line separators,
 * which `node:readline` would cut at.
 */
import { readChunks } from './read-chunks.ts';

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Null when the line is longer than `maxBytes`. */
  readonly text: string | null;
  /** False for a last line without a line end. */
  readonly ended: boolean;
}

export async function* readLines(path: string, maxBytes: number): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (ended: boolean): Line => {
    const text = length > maxBytes ? null : Buffer.concat(parts).toString('utf8');
    parts = [];
    length = 0;
    return { number: number++, text, ended };
  };
  const add = (part: Buffer): void => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  for await (const chunk of readChunks(path)) {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      add(chunk.subarray(from, end));
      yield take(true);
      from = end + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take(false);
}
