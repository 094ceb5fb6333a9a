/**
 * A commit as a row of the journal, and its entries as they are read: checksums are made and verified here. The
 * checksum covers every column and the claim, so a row is believed in its own place only.
 */
import { textChecksum } from '../database/checksum.ts';
import { CorruptRecordError } from '../errors.ts';
import type { RunRef } from '../jobs/job-rows.ts';
import type { JsonObject } from '../json.ts';

/** What a row says about its commit besides the entries, so that a step needs to write nothing else (I10). */
export interface CommitNote {
  /** Of the job's state. */
  readonly revision: number;
  /** Last number given out for the outbox. */
  readonly outboxSeq: number;
  /** JSON text of the outbox drafts of the commit; null for none, or when they are in the outbox. */
  readonly drafts: string | null;
}

/** The row of a commit as it lies in the file. */
export interface CommitRow {
  /** Rises from commit to commit, whichever job they are about. */
  readonly id: number;
  readonly run_id: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly recorded_at_ms: number;
  readonly revision: number;
  readonly outbox_seq: number;
  /** 1 when `saveCheckpoint` wrote it. */
  readonly saved: number;
  /** JSON text of the list of entries. */
  readonly entries: string;
  /** JSON text of the entries' sealed parts: `[[0, "key:..."]]` by their index; null for none. */
  readonly sealed: string | null;
  readonly drafts: string | null;
  readonly crc: number;
}

/** An entry of a row that passed its check, its secret parts still sealed. */
export interface JournalRow extends CommitNote {
  readonly seq: number;
  readonly kind: string;
  readonly nodeId: string | null;
  readonly recordedAtMs: number;
  readonly entry: JsonObject;
  readonly sealed: string | null;
}

export function commitChecksum(run: RunRef, row: Omit<CommitRow, 'id' | 'crc'>): number {
  const { first_seq: first, last_seq: last, recorded_at_ms: at, revision, outbox_seq: outbox, saved } = row;
  const head = `${run.jobId}\u001f${run.leaseToken}\u001f${first}\u001f${last}\u001f${at}\u001f${revision}\u001f${outbox}\u001f${saved}\u001f`;
  const rest = `\u001f${row.sealed ?? '\u0000'}\u001f${row.drafts ?? '\u0000'}\u001f`;
  return textChecksum(rest, textChecksum(row.entries, textChecksum(head)));
}

/** @throws CorruptRecordError */
export function checkCommit(run: RunRef, row: CommitRow): void {
  if (commitChecksum(run, row) === row.crc) return;
  throw new CorruptRecordError(run.jobId, row.first_seq, 'the journal entry fails its checksum');
}

/** The entries of a commit that passed its check; the drafts are noted on the last of them. */
export function entriesOf(row: CommitRow): JournalRow[] {
  const entries = JSON.parse(row.entries) as readonly (JsonObject & { readonly kind: string })[];
  const sealed = new Map(row.sealed === null ? [] : (JSON.parse(row.sealed) as readonly (readonly [number, string])[]));
  return entries.map((entry, index) => ({
    seq: row.first_seq + index,
    kind: entry.kind,
    nodeId: (entry.node_id as string | null | undefined) ?? null,
    recordedAtMs: row.recorded_at_ms,
    entry,
    sealed: sealed.get(index) ?? null,
    revision: row.revision,
    outboxSeq: row.outbox_seq,
    drafts: index === entries.length - 1 ? row.drafts : null,
  }));
}
