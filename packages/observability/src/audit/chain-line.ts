/**
 * The lines of an audit segment, and what exactly is hashed.
 *
 * An entry is one line, `{"v":2,"seq":N,"prev":"P",...,"hash":"H"}`. Its canonical form is the line as it is written,
 * without its last 75 bytes (`,"hash":"` with the 64 digits and `"}`): H is the SHA-256 of these bytes in lower-case
 * hex, and P the H of the entry before, or 64 zeros in the first. Nothing is parsed or written again to check it, so
 * `head -c -76 | sha256sum` gives the same. Any other line begins with `{"v":2,"kind":` and is signed, not chained.
 */
import { hash } from 'node:crypto';

/** What the first entry of a chain has as `prev`. */
export const genesisHash: string = '0'.repeat(64);

/** The end of the chain so far. */
export interface ChainHead {
  /** Sequence number of the last entry; 0 before the first. */
  readonly seq: number;
  readonly hash: string;
}

/** More entries than this without a checkpoint are left by no writer. */
export const mostUnsigned = 10_000;

export const emptyChain: ChainHead = { seq: 0, hash: genesisHash };

/** `,"hash":"` + 64 + `"}`. */
const hashPartBytes = 75;
const entryStart = Buffer.from('{"v":2,"seq":');
const recordStart = Buffer.from('{"v":2,"kind":"');
const prevStart = Buffer.from(',"prev":"');
const atStart = Buffer.from(',"at":"');
const hashStart = Buffer.from(',"hash":"');
const shortestEntryBytes = entryStart.length + 1 + prevStart.length + 64 + 1 + hashPartBytes;
const dayBytes = '2026-01-31'.length;
const digit0 = 0x30;
const hex64 = /^[0-9a-f]{64}$/;

/** @param body the JSON text of the entry's other fields, an object that is not empty */
export function chainLine(head: ChainHead, body: string): { readonly bytes: Buffer; readonly head: ChainHead } {
  const seq = head.seq + 1;
  const covered = `{"v":2,"seq":${seq},"prev":"${head.hash}",${body.slice(1, -1)}`;
  const digest = hash('sha256', covered, 'hex');
  return { bytes: Buffer.from(`${covered},"hash":"${digest}"}`, 'utf8'), head: { seq, hash: digest } };
}

/** The chain's part of an entry, read off its line without parsing it. */
export interface EntryLink {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  /** Where the ten bytes of its day stand; -1 when it has no time there. */
  readonly dayAt: number;
}

/** Null when the bytes from `start` to `end` are no entry. */
export function readLink(bytes: Buffer, start: number, end: number): EntryLink | null {
  if (end - start < shortestEntryBytes || !startsWith(bytes, start, entryStart)) return null;
  let seq = 0;
  let at = start + entryStart.length;
  for (; at < end; at += 1) {
    const digit = (bytes[at] as number) - digit0;
    if (digit < 0 || digit > 9) break;
    seq = seq * 10 + digit;
  }
  const prevAt = at + prevStart.length;
  const hashAt = end - hashPartBytes;
  if (!startsWith(bytes, at, prevStart) || prevAt + 64 > hashAt || !startsWith(bytes, hashAt, hashStart)) return null;
  if (bytes[end - 1] !== 0x7d || bytes[end - 2] !== 0x22 || !Number.isSafeInteger(seq)) return null;
  const hasTime = startsWith(bytes, prevAt + 65, atStart) && prevAt + 65 + atStart.length + dayBytes < hashAt;
  return {
    seq,
    prev: bytes.toString('latin1', prevAt, prevAt + 64),
    hash: bytes.toString('latin1', end - 66, end - 2),
    dayAt: hasTime ? prevAt + 65 + atStart.length : -1,
  };
}

/** Whether an entry's line is what its hash says. */
export function isIntact(bytes: Buffer, start: number, end: number, link: EntryLink): boolean {
  return hash('sha256', bytes.subarray(start, end - hashPartBytes), 'hex') === link.hash;
}

/** As text, `2026-01-31`. */
export function dayText(bytes: Buffer, dayAt: number): string {
  return bytes.toString('latin1', dayAt, dayAt + dayBytes);
}

export function isRecord(bytes: Buffer, start: number, end: number): boolean {
  return end - start > recordStart.length && startsWith(bytes, start, recordStart);
}

export function isHash(text: unknown): text is string {
  return typeof text === 'string' && hex64.test(text);
}

function startsWith(bytes: Buffer, at: number, part: Buffer): boolean {
  if (at + part.length > bytes.length) return false;
  for (let index = 0; index < part.length; index += 1) if (bytes[at + index] !== part[index]) return false;
  return true;
}
