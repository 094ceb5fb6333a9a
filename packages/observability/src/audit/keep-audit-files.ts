/**
 * Looks after the closed files of an audit folder: compresses them, and removes the oldest past age or size (I7). What
 * is removed is first stood for by the signed tombstone and recorded in the chain, so that a crash in between leaves
 * a file too many, never one too few.
 */
import {
  closeSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AuditError, messageOf } from '../errors.ts';
import { syncFolder } from '../files/durable-file.ts';
import { readLines } from '../files/read-lines.ts';
import { readSegmentEnd } from './audit-end.ts';
import { longestEntryBytes } from './audit-entry.ts';
import { type AuditFile, type AuditSegment, endOfDay, isSegment, listAuditFiles } from './audit-files.ts';
import { type ChainHead, genesisHash, readLink } from './chain-line.ts';
import { type Signature, type TombstoneFacts, tombstoneText } from './signed-records.ts';
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
  readonly signature: (text: string) => Signature;
  /** Records the removal; false when that failed, and nothing may be removed. */
  readonly onRemoved: (removed: RemovedFiles) => boolean;
  readonly onError: (error: AuditError) => void;
}

/** Never rejects: what cannot be done now is told to `onError`, and tried again the next time. */
export async function keepAuditFiles(options: KeepOptions): Promise<KeptFiles> {
  let removed = 0;
  let compressed = 0;
  try {
    removeDrafts(options.folder);
    removed = await removeOld(options);
    if (options.compress) {
      for (const segment of closedSegments(options)) {
        if (segment.isCompressed) continue;
        await compressFile(segment.path);
        compressed += 1;
      }
    }
  } catch (error) {
    options.onError(
      new AuditError('AUDIT_WRITE_FAILED', `files of the audit log cannot be looked after: ${messageOf(error)}`, error),
    );
  }
  return { compressed, removed };
}

function closedSegments({ folder, openSegment }: KeepOptions): AuditSegment[] {
  const open = openSegment();
  return open === null
    ? []
    : (listAuditFiles(folder).filter((file) => isSegment(file) && file.segment < open) as AuditSegment[]);
}

async function removeOld(options: KeepOptions): Promise<number> {
  const { folder, openSegment, onRemoved } = options;
  if (openSegment() === null) return 0;
  const tombstone = readTombstone(folder);
  const files = listAuditFiles(folder);
  // Stood for already: a crash kept them from being removed.
  const left = files.filter((file) => isStoodFor(file, tombstone));
  const old = pickOld(
    files.filter((file) => !left.includes(file)),
    options,
  );
  if (old.length > 0) {
    const facts = await standFor(old, tombstone, options);
    const signed = { ...facts, ...options.signature(tombstoneText(facts)) };
    const removed: RemovedFiles = {
      segments: old.filter(isSegment).map(({ name }) => name),
      earlierFiles: old.filter((file) => !isSegment(file)).map(({ name }) => name),
      entries: facts.entries - (tombstone?.entries ?? 0),
      lastSeq: facts.last_seq,
      lastHash: facts.last_hash,
    };
    if (!onRemoved(removed)) return 0;
    writeTombstone(folder, signed);
  }
  for (const { path } of [...left, ...old]) rmSync(path, { force: true });
  if (old.length > 0) syncFolder(folder);
  return left.length + old.length;
}

function isStoodFor(file: AuditFile, tombstone: TombstoneFacts | null): boolean {
  if (tombstone === null) return false;
  return isSegment(file) ? file.segment <= tombstone.last_segment : tombstone.earlier_files.includes(file.name);
}

/** The oldest files, up to the first that may stay; never the open segment. */
function pickOld(files: readonly AuditFile[], options: KeepOptions): AuditFile[] {
  const { maxAgeMs, maxTotalBytes, now } = options;
  const open = options.openSegment() ?? 0;
  const sizes = files.map(({ path }) => statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const old: AuditFile[] = [];
  for (const [index, file] of files.entries()) {
    if (isSegment(file) && file.segment >= open) break;
    const isOld = maxAgeMs !== null && now() - endOfDay(file.day) >= maxAgeMs;
    const isTooMuch = maxTotalBytes !== null && total > maxTotalBytes;
    if (!isOld && !isTooMuch) break;
    total -= sizes[index] ?? 0;
    old.push(file);
  }
  return old;
}

async function standFor(
  old: readonly AuditFile[],
  former: TombstoneFacts | null,
  options: KeepOptions,
): Promise<TombstoneFacts> {
  const segments = old.filter(isSegment);
  const earlier = old.filter((file) => !isSegment(file)).map(({ name }) => name);
  const hasEntries = former !== null && former.entries > 0;
  let first: ChainHead | null = hasEntries ? { seq: former.first_seq, hash: former.first_hash } : null;
  let last: ChainHead | null = hasEntries ? { seq: former.last_seq, hash: former.last_hash } : null;
  for (const { path } of segments) {
    first ??= await firstEntry(path);
    last = readSegmentEnd(path).head ?? last;
  }
  return {
    robot_id: options.robotId,
    first_seq: first?.seq ?? 0,
    first_hash: first?.hash ?? genesisHash,
    last_seq: last?.seq ?? 0,
    last_hash: last?.hash ?? genesisHash,
    entries: first === null || last === null ? 0 : last.seq - first.seq + 1,
    last_segment: segments.at(-1)?.segment ?? former?.last_segment ?? 0,
    earlier_files: [...(former?.earlier_files ?? []), ...earlier],
    at: new Date(options.now()).toISOString(),
  };
}

async function firstEntry(path: string): Promise<ChainHead | null> {
  for await (const { text } of readLines(path, 2 * longestEntryBytes)) {
    const bytes = Buffer.from(text ?? '', 'utf8');
    const link = readLink(bytes, 0, bytes.length);
    if (link !== null) return { seq: link.seq, hash: link.hash };
  }
  return null;
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
