/** How a segment begins: enough to know, without reading all of it, where it belongs and of which day it is. */
import { closeSync, openSync, readSync } from 'node:fs';
import { readChunks } from '../files/read-chunks.ts';
import { dayText, isRecord, readLink } from './chain-line.ts';
import { parseRecord } from './signed-records.ts';

export interface SegmentHead {
  /** The first entry. */
  readonly seq: number;
  readonly prev: string;
  /** Its day; null when it tells none. */
  readonly day: string | null;
  /** The day that an opened mark before it gives; null without one. */
  readonly openedDay: string | null;
}

const newline = 0x0a;
/** Longer than the marks and the first entry of any segment. */
const headBytes = 262_144;

/** Null when there is no entry at its beginning. Throws what the file system and gzip say. */
export async function readSegmentHead(path: string): Promise<SegmentHead | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of readChunks(path)) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= headBytes) break;
  }
  return headOf(Buffer.concat(parts));
}

/** As `readSegmentHead`, for a segment that is not compressed. */
export function readPlainHead(path: string): SegmentHead | null {
  const bytes = Buffer.alloc(headBytes);
  const descriptor = openSync(path, 'r');
  try {
    return headOf(bytes.subarray(0, readSync(descriptor, bytes, 0, headBytes, 0)));
  } finally {
    closeSync(descriptor);
  }
}

function headOf(bytes: Buffer): SegmentHead | null {
  let openedDay: string | null = null;
  for (let start = 0, end = bytes.indexOf(newline); end !== -1; start = end + 1, end = bytes.indexOf(newline, start)) {
    const link = readLink(bytes, start, end);
    if (link !== null) {
      const day = link.dayAt < 0 ? null : dayText(bytes, link.dayAt);
      return { seq: link.seq, prev: link.prev, day, openedDay };
    }
    const record = isRecord(bytes, start, end) ? parseRecord(bytes.toString('utf8', start, end)) : null;
    if (record?.kind === 'opened') openedDay = record.facts.day;
  }
  return null;
}
