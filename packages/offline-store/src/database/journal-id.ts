/**
 * The key of a journal row in version 2 of the file: the claim in the upper bits, the sequence number in the lower ones, so that one
 * B-tree holds the rows of a claim side by side and in order, and no further index is needed.
 */
import { StoreError } from '../errors.ts';

/** Entries that one claim may have: 2^28. */
const seqSpan = 2 ** 28;
/** Claims that one store may number in its life: 2^25, within the whole numbers that JavaScript keeps exact. */
const maxRunId = 2 ** 25 - 1;

/** @throws StoreError `STORE_FULL` when a claim, or the store, has used up its numbers */
export function journalId(runId: number, seq: number): number {
  if (runId <= maxRunId && seq < seqSpan) return runId * seqSpan + seq;
  throw new StoreError('STORE_FULL', `The journal has no number left for entry ${seq} of claim ${runId}.`);
}

export function seqOf(id: number): number {
  return id % seqSpan;
}

export function runOf(id: number): number {
  return Math.floor(id / seqSpan);
}
