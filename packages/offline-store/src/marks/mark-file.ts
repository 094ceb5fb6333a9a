/**
 * The high-water marks of a store's claims, in a file of their own: what is written here, unsynced, after each
 * commit says how far the store had come. A mark ahead of the store means that the store lost something, which
 * SQLite itself cannot see: a damaged write-ahead log just ends earlier (design 4.5).
 *
 * The file never decides that a record is good, only that it is short: a missing, torn or damaged mark costs
 * this protection for its claim and nothing else; who opens the store is told. It has a slot per claim that is not over and keeps up to
 * `overSlots` of those that are, the newest, so its size is bounded (I7).
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { decodeSlot, encodeSlot, type Mark, type Progress, SlotView, slotBytes } from './mark-slot.ts';

export interface MarksFound {
  /** `missing`: no file. `damaged`: its head or some of the marks cannot be read. */
  readonly condition: 'ok' | 'missing' | 'damaged';
  /** Which store they belong to; null when that cannot be read. */
  readonly storeId: string | null;
  readonly marks: readonly Mark[];
}

const magic = 'CASRMARK1';
const overSlots = 1_024;
/** Slots that lie this close together are written by one call. */
const maxSpan = 32;
/** The file grows by as much as a file system gives out at once, so that few marks need room that a full disk lacks. */
const pageBytes = 4_096;

/** Reads a file of marks; whatever is wrong with it is a condition, not an error. */
export function readMarks(path: string): MarksFound {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return { condition: 'missing', storeId: null, marks: [] };
  }
  return decodeMarks(bytes);
}

function decodeMarks(bytes: Buffer): MarksFound {
  const storeId = decodeHead(bytes.subarray(0, slotBytes));
  const slots = Array.from({ length: Math.ceil(Math.max(0, bytes.length - slotBytes) / slotBytes) }, (_, index) =>
    decodeSlot(bytes.subarray((index + 1) * slotBytes, (index + 2) * slotBytes)),
  );
  return {
    condition: storeId === null || slots.includes('damaged') ? 'damaged' : 'ok',
    storeId,
    marks: slots.filter((slot) => typeof slot === 'object'),
  };
}

/** Replaces the whole file. */
export function rewriteMarks(path: string, storeId: string, marks: readonly Progress[]): void {
  const over = marks.filter((mark) => mark.over).sort((a, b) => b.runId - a.runId);
  const kept = [...marks.filter((mark) => !mark.over), ...over.slice(0, overSlots)];
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const image = Buffer.alloc(wholePages(offsetOf(kept.length)) + pageBytes);
  for (const [index, part] of [encodeHead(storeId), ...kept.map(encodeSlot)].entries())
    part.copy(image, index * slotBytes);
  writeFileSync(draft, image, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

/** A claim that is being written about. */
interface Open {
  readonly slot: number;
  readonly view: SlotView;
}

export class MarkFile {
  readonly #file: number;
  readonly #slotOf = new Map<number, number>();
  /** Slots of claims that are over, by claim, the one that ended first in front. */
  readonly #over = new Map<number, number>();
  readonly #free: number[] = [];
  /** By claim, of those that were written about and are not over: the next mark of one changes a few numbers. */
  readonly #open = new Map<number, Open>();
  #slots: number;
  /** What the file is to hold, with room behind it: slots that lie together are written by one call. */
  #image: Buffer;
  #fileBytes: number;
  /** Slots that could not be written, and all between them: tried again with each write. */
  #unwritten: { readonly first: number; readonly last: number } | null = null;
  #problem: string | null = null;

  /** Goes on with a file that `rewriteMarks` made. */
  constructor(path: string) {
    this.#image = readFileSync(path);
    const { marks } = decodeMarks(this.#image);
    this.#fileBytes = this.#image.length;
    this.#file = openSync(path, 'r+');
    for (const [slot, mark] of marks.entries()) {
      this.#slotOf.set(mark.runId, slot);
      if (mark.over) this.#over.set(mark.runId, slot);
    }
    this.#slots = marks.length;
  }

  /** Why the file is behind; null while it is not. */
  get problem(): string | null {
    return this.#problem;
  }

  /**
   * Notes where claims have come to; a few bytes at once, unsynced. Does not throw: what they are about is committed, and
   * a mark that cannot be written costs its protection only. It is tried again with the next ones.
   */
  write(marks: Iterable<Progress>): void {
    this.#retry();
    let first = Number.POSITIVE_INFINITY;
    let last = -1;
    for (const mark of marks) {
      const slot = this.#move(mark);
      if (last >= 0 && Math.max(last, slot) - Math.min(first, slot) >= maxSpan) {
        this.#flush(first, last);
        first = slot;
        last = slot;
        continue;
      }
      if (slot < first) first = slot;
      if (slot > last) last = slot;
    }
    if (last >= 0) this.#flush(first, last);
  }

  /** A claim was removed on purpose: no mark is to speak of it any more. Does not throw, as `write`. */
  forget(runId: number): void {
    const slot = this.#slotOf.get(runId);
    if (slot === undefined) return;
    this.#image.fill(0, offsetOf(slot), offsetOf(slot + 1));
    this.#flush(slot, slot);
    this.#slotOf.delete(runId);
    this.#over.delete(runId);
    this.#open.delete(runId);
    this.#free.push(slot);
  }

  close(): void {
    this.#retry();
    closeSync(this.#file);
  }

  #flush(first: number, last: number): void {
    const end = offsetOf(last + 1);
    const to = end > this.#fileBytes ? Math.min(wholePages(end), this.#image.length) : end;
    let at = offsetOf(first);
    try {
      // A disk that is almost full takes a part.
      while (at < to) {
        const written = writeSync(this.#file, this.#image, at, to - at, at);
        if (written === 0) throw new Error('nothing of it was written');
        at += written;
        this.#fileBytes = Math.max(this.#fileBytes, at);
      }
    } catch (error) {
      if (at >= end) return;
      const { first: before, last: behind } = this.#unwritten ?? { first, last };
      this.#unwritten = { first: Math.min(before, slotAt(at)), last: Math.max(behind, last) };
      this.#problem = error instanceof Error ? error.message : String(error);
    }
  }

  #retry(): void {
    if (this.#unwritten === null) return;
    const { first, last } = this.#unwritten;
    this.#unwritten = null;
    this.#problem = null;
    this.#flush(first, last);
  }

  /** Changes the claim's slot in the image; which one that is. */
  #move(mark: Progress): number {
    const { slot, view } = this.#open.get(mark.runId) ?? this.#begin(mark);
    view.move(mark);
    if (mark.over) {
      this.#open.delete(mark.runId);
      this.#over.set(mark.runId, slot);
    }
    return slot;
  }

  #begin(mark: Progress): Open {
    const slot = this.#slotOf.get(mark.runId) ?? this.#freeSlot();
    this.#slotOf.set(mark.runId, slot);
    this.#over.delete(mark.runId);
    this.#makeRoom(slot);
    encodeSlot(mark).copy(this.#image, offsetOf(slot));
    const open = { slot, view: new SlotView(this.#image.subarray(offsetOf(slot), offsetOf(slot + 1))) };
    this.#open.set(mark.runId, open);
    return open;
  }

  #makeRoom(slot: number): void {
    if (offsetOf(slot + 1) <= this.#image.length) return;
    const larger = Buffer.alloc(wholePages(offsetOf(slot + 1) * 2));
    this.#image.copy(larger);
    this.#image = larger;
    this.#open.clear();
  }

  #freeSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const [oldest] = this.#over;
    if (oldest !== undefined && this.#over.size > overSlots) {
      this.#over.delete(oldest[0]);
      this.#slotOf.delete(oldest[0]);
      return oldest[1];
    }
    this.#slots += 1;
    return this.#slots - 1;
  }
}

/** Where a slot begins: the head of the file is as long as one. */
function offsetOf(slot: number): number {
  return (slot + 1) * slotBytes;
}

/** The slot that a byte of the file belongs to. */
function slotAt(offset: number): number {
  return Math.floor(offset / slotBytes) - 1;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

function encodeHead(storeId: string): Buffer {
  const head = Buffer.alloc(slotBytes);
  head.write(magic, 4);
  head.write(storeId, 16);
  head.writeUInt32LE(crc32(head.subarray(4)), 0);
  return head;
}

function decodeHead(head: Buffer): string | null {
  if (head.length !== slotBytes || head.readUInt32LE(0) !== crc32(head.subarray(4))) return null;
  if (head.toString('latin1', 4, 4 + magic.length) !== magic) return null;
  return head.toString('latin1', 16, head.indexOf(0, 16));
}
