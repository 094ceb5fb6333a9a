/**
 * Which files retention may remove. Nothing is removed on the word of a name: the age of a segment is that of the latest entry
 * in it, and it goes only when the chain holds from the tombstone, or from its beginning, through it to the first entry that
 * stays. What does not hold stays, and all behind it.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readLines } from '../files/read-lines.ts';
import { longestEntryBytes, parseAuditEntry } from './audit-entry.ts';
import { AuditEventType } from './audit-event.ts';
import { type AuditFile, type AuditSegment, endOfDay, isSegment } from './audit-files.ts';
import { keyHistoryName, readKeyHistory } from './audit-keys.ts';
import { type AuditFinding, ChainChecker, faultText } from './chain-checker.ts';
import { type ChainHead, mostUnsigned, readLink } from './chain-line.ts';
import { checkSegment } from './check-segment.ts';
import { readEarlierList, sha256Of } from './earlier-files.ts';
import { leftOverFault } from './left-over.ts';
import { readSegmentHead, type SegmentHead } from './segment-head.ts';
import { type Tombstone, tombstoneText } from './signed-records.ts';
import { TrustedKeys } from './trusted-keys.ts';

export interface ProveOptions {
  readonly folder: string;
  /** Oldest first. */
  readonly files: readonly AuditFile[];
  readonly tombstone: Tombstone | null;
  /** The writer's own, current and former; without any, those in the folder have to do. */
  readonly publicKeys: readonly string[];
  /** The number of the segment that is written to. */
  readonly openSegment: number;
  readonly maxAgeMs: number | null;
  readonly maxTotalBytes: number | null;
  readonly nowMs: number;
}

export interface ProvenOld {
  /** The tombstone stands for these already. */
  readonly left: readonly AuditSegment[];
  readonly earlier: readonly AuditFile[];
  readonly segments: readonly AuditSegment[];
  /** The first and the last entry of the segments; null without any. */
  readonly first: ChainHead | null;
  readonly last: ChainHead | null;
  /** What is due and stays, and why; null when nothing does. */
  readonly refused: string | null;
}

export async function proveOld(options: ProveOptions): Promise<ProvenOld> {
  const { folder, files, tombstone, publicKeys } = options;
  const nothing = { left: [], earlier: [], segments: [], first: null, last: null };
  const keys = new TrustedKeys(readKeyHistory(join(folder, keyHistoryName)), publicKeys);
  const fault =
    tombstone === null
      ? null
      : keys.fault(tombstoneText(tombstone), tombstone.last_seq, tombstone.key_id, tombstone.signature);
  if (tombstone !== null && fault !== null && fault !== 'retired-key')
    return { ...nothing, refused: `the tombstone ${faultText(fault, tombstone.key_id)}` };

  const refusals: string[] = [];
  const left: AuditSegment[] = [];
  const removed = tombstone?.last_segment ?? 0;
  for (const file of files.filter(isSegment)) {
    if (tombstone === null || file.segment > removed) continue;
    const why = await leftOverFault(file, tombstone, keys);
    if (why === null) left.push(file);
    else refusals.push(`${file.name} is not what is left of segment ${file.segment}: ${why}`);
  }
  const due = new DueFiles(options);
  const earlier = await earlierDue(options, due, refusals);
  const chain = earlier.isBlocked
    ? { segments: [], first: null, last: null }
    : await segmentsDue(options, keys, due, refusals);
  return { left, earlier: earlier.files, ...chain, refused: refusals[0] ?? null };
}

/** What is too much, or too old. */
class DueFiles {
  readonly #options: ProveOptions;
  #total: number;

  constructor(options: ProveOptions) {
    this.#options = options;
    this.#total = options.files.reduce((sum, { path }) => sum + sizeOf(path), 0);
  }

  get isTooMuch(): boolean {
    const { maxTotalBytes } = this.#options;
    return maxTotalBytes !== null && this.#total > maxTotalBytes;
  }

  isOld(day: string): boolean {
    const { maxAgeMs, nowMs } = this.#options;
    return maxAgeMs !== null && nowMs - endOfDay(day) >= maxAgeMs;
  }

  goes({ path }: AuditFile): void {
    this.#total -= sizeOf(path);
  }
}

async function segmentsDue(
  { files, tombstone, openSegment }: ProveOptions,
  keys: TrustedKeys,
  due: DueFiles,
  refusals: string[],
): Promise<Pick<ProvenOld, 'segments' | 'first' | 'last'>> {
  const start =
    tombstone === null || tombstone.entries === 0 ? null : { seq: tombstone.last_seq, hash: tombstone.last_hash };
  const former = { segment: tombstone?.last_segment ?? 0, day: null };
  let finding: AuditFinding | null = null;
  const report = (found: AuditFinding): void => {
    finding ??= found;
  };
  const checker = new ChainChecker({ start, former, keys, anchors: [], report, mostUnsigned });
  const all = files.filter((file) => isSegment(file) && file.segment > former.segment) as AuditSegment[];
  const proven: { readonly file: AuditSegment; readonly head: ChainHead }[] = [];
  for (const file of all) {
    if (file.segment >= openSegment) break;
    if (!due.isTooMuch && !due.isOld(await beginOf(file))) break;
    await checkSegment(file, checker, false);
    if (finding !== null) break;
    if (!due.isTooMuch && !due.isOld(checker.newestDay ?? file.day)) break;
    due.goes(file);
    proven.push({ file, head: checker.head });
  }
  if (finding !== null) refusals.push(placed(finding));
  const lastProven = proven.at(-1);
  const next = lastProven === undefined ? null : await firstBehind(all.slice(proven.length));
  if (lastProven !== undefined && next !== null) {
    const { file, head } = lastProven;
    const goesOn = next.head?.seq === head.seq + 1 && next.head.prev === head.hash;
    if (!goesOn) {
      refusals.push(`${file.name} ends with entry ${head.seq}, and ${next.file.name} does not go on from there`);
      proven.pop();
    }
  }
  const first = checker.firstEntry === null ? null : readLink(checker.firstEntry, 0, checker.firstEntry.length);
  const last = proven.at(-1)?.head ?? null;
  return {
    segments: proven.map(({ file }) => file),
    first: last === null || first === null ? null : { seq: first.seq, hash: first.hash },
    last,
  };
}

/** Where it begins, which is no later than where it ends; the name's day where there is no entry. */
async function beginOf(file: AuditSegment): Promise<string> {
  try {
    return (await readSegmentHead(file.path))?.day ?? file.day;
  } catch {
    // What cannot be read is looked into, and found out.
    return '0000-01-01';
  }
}

/** The next file that has an entry; its head is null when it cannot be read. */
async function firstBehind(
  files: readonly AuditSegment[],
): Promise<{ readonly file: AuditSegment; readonly head: SegmentHead | null } | null> {
  for (const file of files) {
    try {
      const head = await readSegmentHead(file.path);
      if (head !== null) return { file, head };
    } catch {
      return { file, head: null };
    }
  }
  return null;
}

/** Those that the chain's first entry knows, while it is there; a file that nobody knows is left alone. */
async function earlierDue(
  { folder, files }: ProveOptions,
  due: DueFiles,
  refusals: string[],
): Promise<{ readonly files: readonly AuditFile[]; readonly isBlocked: boolean }> {
  const earlier = files.filter((file) => !isSegment(file));
  if (earlier.length === 0) return { files: [], isBlocked: false };
  const list = readEarlierList(folder);
  const isKnown = list !== null && list.sha256 === (await listAtStart(files));
  const proven: AuditFile[] = [];
  for (const file of earlier) {
    const known = isKnown ? list.byName.get(file.name) : undefined;
    if (known === undefined) {
      refusals.push(`${file.name} was not there when the chain began`);
      continue;
    }
    if (known !== (await sha256Of(file.path))) {
      refusals.push(`${file.name} was changed since the chain began`);
      return { files: proven, isBlocked: true };
    }
    if (!due.isTooMuch && !due.isOld(await newestDayOf(file))) return { files: proven, isBlocked: true };
    due.goes(file);
    proven.push(file);
  }
  return { files: proven, isBlocked: false };
}

/** SHA-256 of the list of earlier files that the chain began with. */
async function listAtStart(files: readonly AuditFile[]): Promise<unknown> {
  const [first] = files.filter(isSegment);
  if (first === undefined) return null;
  for await (const { text } of readLines(first.path, 2 * longestEntryBytes)) {
    const entry = text === null ? null : parseAuditEntry(text);
    if (entry !== null) return entry.type === AuditEventType.AUDIT_CHAIN_STARTED ? entry.details.list_sha256 : null;
  }
  return null;
}

async function newestDayOf(file: AuditFile): Promise<string> {
  let newest = '';
  for await (const { text } of readLines(file.path, 2 * longestEntryBytes)) {
    const day = (text === null ? null : parseAuditEntry(text))?.at.slice(0, 10) ?? '';
    if (day > newest) newest = day;
  }
  return newest === '' ? file.day : newest;
}

function placed({ file, line, what }: AuditFinding): string {
  return `${file}${line === null ? '' : `:${line}`}: ${what}`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
