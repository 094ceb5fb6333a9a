/**
 * One high-water mark as the 128 bytes of its slot: how far a claim's record has come. A slot that was torn or
 * damaged fails its checksum and counts as absent. Pure.
 */
import { crc32 } from 'node:zlib';

/** How far a claim's record has come. */
export interface Progress {
  readonly runId: number;
  readonly jobId: string;
  readonly leaseToken: string;
  readonly revision: number;
  readonly journalSeq: number;
  readonly outboxSeq: number;
  /** Whether the claim was over: its slot may be used again when room is needed. */
  readonly over: boolean;
}

/** Progress as it is read back: of a job id of more than 56 bytes only the beginning, `identity` stands for all of it. */
export interface Mark extends Progress {
  readonly identity: number;
}

export const slotBytes = 128;

const used = 0x4d;
const jobIdAt = 48;
const jobIdBytes = 56;
const tokenAt = jobIdAt + jobIdBytes;
const tokenBytes = 24;

export function identityOf(jobId: string, leaseToken: string): number {
  return crc32(`${jobId}\u0000${leaseToken}`);
}

export function encodeSlot(mark: Progress): Buffer {
  const slot = Buffer.alloc(slotBytes);
  const jobId = Buffer.from(mark.jobId).subarray(0, jobIdBytes);
  const token = Buffer.from(mark.leaseToken).subarray(0, tokenBytes);
  slot.writeUInt8(used, 4);
  slot.writeUInt8(jobId.length, 6);
  slot.writeUInt8(token.length, 7);
  slot.writeUInt32LE(identityOf(mark.jobId, mark.leaseToken), 8);
  slot.writeDoubleLE(mark.runId, 16);
  jobId.copy(slot, jobIdAt);
  token.copy(slot, tokenAt);
  new SlotView(slot).move(mark);
  return slot;
}

/** Changes the slot of a claim in place, again and again. */
export class SlotView {
  readonly #view: DataView;
  /** What the checksum is about. */
  readonly #body: Buffer;

  constructor(slot: Buffer) {
    this.#view = new DataView(slot.buffer, slot.byteOffset, slotBytes);
    this.#body = slot.subarray(4, slotBytes);
  }

  move(mark: Progress): void {
    const view = this.#view;
    view.setUint8(5, mark.over ? 1 : 0);
    view.setFloat64(24, mark.revision, true);
    view.setFloat64(32, mark.journalSeq, true);
    view.setFloat64(40, mark.outboxSeq, true);
    view.setUint32(0, crc32(this.#body), true);
  }
}

/** `empty`: never used. `damaged`: something else than a mark. */
export function decodeSlot(slot: Buffer): Mark | 'empty' | 'damaged' {
  if (slot.length === slotBytes && slot.every((byte) => byte === 0)) return 'empty';
  if (slot.length !== slotBytes || slot.readUInt32LE(0) !== crc32(slot.subarray(4)) || slot[4] !== used) {
    return 'damaged';
  }
  return {
    over: slot[5] === 1,
    jobId: slot.toString('utf8', jobIdAt, jobIdAt + (slot[6] ?? 0)),
    leaseToken: slot.toString('utf8', tokenAt, tokenAt + (slot[7] ?? 0)),
    identity: slot.readUInt32LE(8),
    runId: slot.readDoubleLE(16),
    revision: slot.readDoubleLE(24),
    journalSeq: slot.readDoubleLE(32),
    outboxSeq: slot.readDoubleLE(40),
  };
}
