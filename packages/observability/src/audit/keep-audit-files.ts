/**
 * Looks after the closed files of an audit folder: compresses them, and removes the oldest past age or size (I7), where they
 * are as they were written (`prove-old.ts`). What is removed is first stood for by the signed tombstone and recorded in the
 * chain, so that a crash in between leaves a file too many, never one too few.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AuditError, messageOf } from '../errors.ts';
import { syncFolder } from '../files/durable-file.ts';
import { type AuditSegment, isSegment, listAuditFiles } from './audit-files.ts';
import { type ChainHead, genesisHash } from './chain-line.ts';
import { type ProvenOld, proveOld } from './prove-old.ts';
import { type Signature, type Tombstone, type TombstoneFacts, tombstoneText } from './signed-records.ts';
import { readTombstone, writeTombstone } from './tombstone-file.ts';

export interface RemovedFiles {
  /** Names of the segments. */
  readonly segments: readonly string[];
  /** Names of files from before the chain. */
  readonly earlierFiles: readonly string[];
  readonly entries: number;
  readonly lastSeq: number | null;
  readonly lastHash: string | null;
}

export interface KeptFiles {
  readonly compressed: number;
  readonly removed: number;
  /** Which file is due to be removed and stays, and what is wrong with it; null when none does. */
  readonly refused: string | null;
}

export interface KeepOptions {
  readonly folder: string;
  readonly robotId: string;
  readonly compress: boolean;
  readonly maxAgeMs: number | null;
  readonly maxTotalBytes: number | null;
  readonly now: () => number;
  /** The number of the segment that is written to; null: leave everything alone. */
  readonly openSegment: () => number | null;
  /** The writer's own, current and former: 32 bytes each, base64. */
  readonly publicKeys: () => readonly string[];
  readonly signature: (text: string) => Signature;
  /** Records the removal; false when that failed, and nothing may be removed. */
  readonly onRemoved: (removed: RemovedFiles) => boolean;
  readonly onError: (error: AuditError) => void;
}

/** Never rejects: what cannot be done now is told to `onError`, and tried again the next time. */
export async function keepAuditFiles(options: KeepOptions): Promise<KeptFiles> {
  let compressed = 0;
  let kept: Omit<KeptFiles, 'compressed'> = { removed: 0, refused: null };
  try {
    removeDrafts(options.folder);
    kept = await removeOld(options);
    if (options.compress) {
      for (const segment of closedSegments(options)) {
        // What a link leads to is not ours to put in its place.
        if (segment.isCompressed || !lstatSync(segment.path).isFile()) continue;
        await compressFile(segment.path);
        compressed += 1;
      }
    }
  } catch (error) {
    options.onError(
      new AuditError('AUDIT_WRITE_FAILED', `files of the audit log cannot be looked after: ${messageOf(error)}`, error),
    );
  }
  return { compressed, ...kept };
}

function closedSegments({ folder, openSegment }: KeepOptions): AuditSegment[] {
  const open = openSegment();
  return open === null
    ? []
    : (listAuditFiles(folder).filter((file) => isSegment(file) && file.segment < open) as AuditSegment[]);
}

async function removeOld(options: KeepOptions): Promise<Omit<KeptFiles, 'compressed'>> {
  const { folder, onRemoved, maxAgeMs, maxTotalBytes } = options;
  const openSegment = options.openSegment();
  if (openSegment === null || (maxAgeMs === null && maxTotalBytes === null)) return { removed: 0, refused: null };
  let tombstone: Tombstone | null;
  let old: ProvenOld;
  try {
    tombstone = readTombstone(folder);
    old = await proveOld({
      ...{ folder, tombstone, openSegment, maxAgeMs, maxTotalBytes },
      files: listAuditFiles(folder),
      publicKeys: options.publicKeys(),
      nowMs: options.now(),
    });
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    return { removed: 0, refused: error.message };
  }
  const { left, earlier, segments, refused } = old;
  if (segments.length + earlier.length > 0) {
    const facts = standFor(old, tombstone, options);
    const signed = { ...facts, ...options.signature(tombstoneText(facts)) };
    const removed: RemovedFiles = {
      segments: segments.map(({ name }) => name),
      earlierFiles: earlier.map(({ name }) => name),
      entries: facts.entries - (tombstone?.entries ?? 0),
      lastSeq: facts.last_seq,
      lastHash: facts.last_hash,
    };
    if (!onRemoved(removed)) return { removed: 0, refused };
    writeTombstone(folder, signed);
  }
  const gone = [...left, ...earlier, ...segments];
  for (const { path } of gone) rmSync(path, { force: true });
  if (gone.length > 0) syncFolder(folder);
  return { removed: gone.length, refused };
}

function standFor(
  { segments, earlier, ...old }: ProvenOld,
  former: Tombstone | null,
  options: KeepOptions,
): TombstoneFacts {
  const hasEntries = former !== null && former.entries > 0;
  const first: ChainHead | null = hasEntries ? { seq: former.first_seq, hash: former.first_hash } : old.first;
  const last: ChainHead | null = old.last ?? (hasEntries ? { seq: former.last_seq, hash: former.last_hash } : null);
  return {
    robot_id: options.robotId,
    first_seq: first?.seq ?? 0,
    first_hash: first?.hash ?? genesisHash,
    last_seq: last?.seq ?? 0,
    last_hash: last?.hash ?? genesisHash,
    entries: first === null || last === null ? 0 : last.seq - first.seq + 1,
    last_segment: segments.at(-1)?.segment ?? former?.last_segment ?? 0,
    earlier_files: [...(former?.earlier_files ?? []), ...earlier.map(({ name }) => name)],
    at: new Date(options.now()).toISOString(),
  };
}

/** The compressed file is whole and durable under its name before the plain one goes. */
async function compressFile(path: string): Promise<void> {
  const draft = `${path}.gz.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(draft, { mode: 0o600 }));
  const descriptor = openSync(draft, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  await rename(draft, `${path}.gz`);
  rmSync(path);
}

/** What a crash left of compressing. */
function removeDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.jsonl.gz.tmp')) rmSync(join(folder, name), { force: true });
  }
}
