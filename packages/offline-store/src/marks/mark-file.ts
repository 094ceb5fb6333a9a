/**
 * The high-water marks of a store's claims, in a file of their own: what is written here, unsynced, after each
 * commit says how far the store had come. A mark ahead of the store means that the store lost something, which
 * SQLite itself cannot see: a damaged write-ahead log just ends earlier (design 4.5).
 *
 * The file never decides that a record is good, only that it is short: a missing, torn or damaged mark costs
 * this protection for its claim and nothing else. It has a slot per claim that is not over and keeps up to
 * `overSlots` of those that are, the newest, so its size is bounded (I7).
 */
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { decodeSlot, encodeSlot, type Mark, moveSlot, type Progress, slotBytes } from './mark-slot.ts';

export interface MarksFound {
  /** `missing`: no file. `damaged`: a file whose head cannot be read. */
  readonly condition: 'ok' | 'missing' | 'damaged';
  /** Which store they belong to; null unless the condition is `ok`. */
  readonly storeId: string | null;
  readonly marks: readonly Mark[];
}

const magic = 'CASRMARK1';
const overSlots = 1_024;
/** Changed slots that lie this close together are written by one call. */
const maxSpan = 32;

/** Reads a file of marks; whatever is wrong with it is a condition, not an error. */
export function readMarks(path: string): MarksFound {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return { condition: 'missing', storeId: null, marks: [] };
  }
  const head = bytes.subarray(0, slotBytes);
  const storeId = decodeHead(head);
  const slots = Array.from({ length: Math.ceil(Math.max(0, bytes.length - slotBytes) / slotBytes) }, (_, index) =>
    decodeSlot(bytes.subarray((index + 1) * slotBytes, (index + 2) * slotBytes)),
  );
  return {
    condition: storeId === null ? 'damaged' : 'ok',
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
  writeFileSync(draft, Buffer.concat([encodeHead(storeId), ...kept.map(encodeSlot)]), { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

interface Placed {
  readonly slot: number;
  readonly bytes: Buffer;
}

export class MarkFile {
  readonly #file: number;
  readonly #slotOf = new Map<number, number>();
  /** Slots of claims that are over, by claim, the one that ended first in front. */
  readonly #over = new Map<number, number>();
  readonly #free: number[] = [];
  /** The slots of claims that were written about, by claim: the next mark of one changes a few numbers in it. */
  readonly #encoded = new Map<number, Buffer>();
  #slots: number;

  /** Goes on with a file that `rewriteMarks` made. */
  constructor(path: string) {
    const { marks } = readMarks(path);
    this.#file = openSync(path, 'r+');
    for (const [slot, mark] of marks.entries()) {
      this.#slotOf.set(mark.runId, slot);
      if (mark.over) this.#over.set(mark.runId, slot);
    }
    this.#slots = marks.length;
  }

  /** Notes where claims have come to; a few bytes at once, unsynced. */
  write(marks: Iterable<Progress>): void {
    const placed: Placed[] = [];
    for (const mark of marks) placed.push({ slot: this.#place(mark), bytes: this.#encode(mark) });
    if (placed.length > 1) placed.sort((a, b) => a.slot - b.slot);
    for (let from = 0; from < placed.length; ) {
      const { slot, bytes } = placed[from] as Placed;
      let count = 1;
      while (placed[from + count]?.slot === slot + count && count < maxSpan) count += 1;
      this.#writeAt(
        slot,
        count === 1 ? bytes : Buffer.concat(placed.slice(from, from + count).map((each) => each.bytes)),
      );
      from += count;
    }
  }

  /** A claim was removed on purpose: no mark is to speak of it any more. */
  forget(runId: number): void {
    const slot = this.#slotOf.get(runId);
    if (slot === undefined) return;
    this.#writeAt(slot, Buffer.alloc(slotBytes));
    this.#slotOf.delete(runId);
    this.#over.delete(runId);
    this.#encoded.delete(runId);
    this.#free.push(slot);
  }

  close(): void {
    closeSync(this.#file);
  }

  #writeAt(slot: number, bytes: Buffer): void {
    writeSync(this.#file, bytes, 0, bytes.length, (slot + 1) * slotBytes);
  }

  #encode(mark: Progress): Buffer {
    const known = this.#encoded.get(mark.runId);
    if (known !== undefined) {
      moveSlot(known, mark);
      if (mark.over) this.#encoded.delete(mark.runId);
      return known;
    }
    const slot = encodeSlot(mark);
    if (!mark.over) this.#encoded.set(mark.runId, slot);
    return slot;
  }

  #place(mark: Progress): number {
    const slot = this.#slotOf.get(mark.runId) ?? this.#freeSlot();
    this.#slotOf.set(mark.runId, slot);
    this.#over.delete(mark.runId);
    if (mark.over) this.#over.set(mark.runId, slot);
    return slot;
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
