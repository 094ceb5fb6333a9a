/**
 * Verifies an audit folder: the chain over all its segments, the signatures in it, the tombstone, the files from before
 * it, and, where anchors are given, that the log still holds what it held when they were made. Needs nothing but the
 * folder; works on a copy and beside a running robot.
 */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as must from '../arguments.ts';
import { AuditError, messageOf } from '../errors.ts';
import { isCode } from '../files/durable-file.ts';
import { readChunks } from '../files/read-chunks.ts';
import type { Anchor } from './anchor-file.ts';
import { parseAuditEntry } from './audit-entry.ts';
import { AuditEventType } from './audit-event.ts';
import { type AuditFile, type AuditSegment, isSegment, listAuditFiles } from './audit-files.ts';
import { keyHistoryName, readKeyHistory } from './audit-keys.ts';
import { type AuditFinding, ChainChecker, type FindingKind, faultText } from './chain-checker.ts';
import { mostUnsigned } from './chain-line.ts';
import { checkSegment } from './check-segment.ts';
import { type EarlierList, earlierListName, readEarlierList, sha256Of } from './earlier-files.ts';
import { leftOverFault } from './left-over.ts';
import type { AdoptedEntries } from './log-marks.ts';
import { openSegmentPool } from './segment-pool.ts';
import { checkpointText, type Tombstone, tombstoneText } from './signed-records.ts';
import { type AuditNote, strayFiles } from './stray-files.ts';
import { readTombstone, tombstoneName } from './tombstone-file.ts';
import { type KeyTrust, TrustedKeys } from './trusted-keys.ts';
import { rest, type VerifyPace } from './verify-pace.ts';

export interface VerifyOptions {
  /** Anchors that were kept elsewhere; without them, what is missing at the end cannot be seen. */
  readonly anchors?: readonly Anchor[];
  /** Public keys whose signatures count, the 32 bytes of each in base64. Default: those in the folder itself. */
  readonly publicKeys?: readonly string[];
  /** Ends the look behind the segment at hand; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Takes its time, for a look beside other work. Default: as fast as it can, on up to four cores. */
  readonly pace?: VerifyPace;
}

export interface AuditVerification {
  readonly ok: boolean;
  /** What is wrong, in the order of the log; at most 100, `findingCount` counts all. */
  readonly findings: readonly AuditFinding[];
  readonly findingCount: number;
  readonly entries: number;
  readonly segments: number;
  readonly checkpoints: number;
  /** Number and hash of the last entry; null when there is none. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
  /** The last entry that a checkpoint covers, and how many stand behind it. */
  readonly signedUpTo: number | null;
  readonly unsigned: number;
  /** Entries that nobody had signed when a writer took up the log; the chain holds them, their writer is not known. */
  readonly adopted: readonly AdoptedEntries[];
  /** What else stands in the folder; nothing of it counts. At most 100. */
  readonly notes: readonly AuditNote[];
  readonly trust: KeyTrust;
  readonly keyIds: readonly string[];
  /** Places where a crash or a full disk left a torn line, which the log admits. */
  readonly torn: number;
  /** The last line is not whole: it is being written, or a crash cut it. */
  readonly isLastLineOpen: boolean;
  /** Files from before the chain: kept, and not covered by it. */
  readonly earlier: { readonly files: number; readonly entries: number };
  /** What retention has removed; null when nothing. */
  readonly removed: { readonly entries: number; readonly lastSeq: number } | null;
  /**
   * `unchecked`: the entry was removed by retention. `upToSeq`: the last entry that one of them is about, null without any; what
   * is missing at the end of the log shows up to there.
   */
  readonly anchors: {
    readonly given: number;
    readonly matched: number;
    readonly unchecked: number;
    readonly upToSeq: number | null;
  };
}

const mostFindings = 100;
/** A folder whose files are removed or put aside during the look is looked at anew. */
const mostLooks = 3;
const newline = 0x0a;

/**
 * @throws ArgumentError
 * @throws AuditError `AUDIT_UNREADABLE` when the folder has no audit log or a file of it cannot be read
 * @example
 * const { ok, findings } = await verifyAuditLog('/home/ann/.casare_rpa/audit', { anchors, publicKeys });
 */
export async function verifyAuditLog(folder: string, options: VerifyOptions = {}): Promise<AuditVerification> {
  must.filledText('folder', folder);
  requireOptions('options', options);
  for (let look = 1; ; look += 1) {
    const before = lastRemoved(folder);
    try {
      const verification = await verifyOnce(folder, options);
      if (verification.ok || look === mostLooks || lastRemoved(folder) === before) return verification;
    } catch (error) {
      if (error instanceof AuditError || options.signal?.aborted === true) throw error;
      if (isCode(error, 'ENOENT') && look < mostLooks) continue;
      const { message } = error as Error;
      throw new AuditError('AUDIT_UNREADABLE', `the audit log in ${folder} cannot be read: ${message}`, error);
    }
  }
}

const requireOptions = must.options({
  anchors: must.optional(must.listOf(must.object)),
  publicKeys: must.optional(must.listOf(must.text)),
  signal: must.optional(must.withMethods('addEventListener')),
  pace: must.optional(must.shape({ share: must.positive, clock: must.withMethods('monotonic', 'sleep') })),
});

/** A damaged tombstone is a finding of the look itself. */
function lastRemoved(folder: string): number | null {
  try {
    return readTombstone(folder)?.last_segment ?? null;
  } catch {
    return null;
  }
}

async function verifyOnce(folder: string, options: VerifyOptions): Promise<AuditVerification> {
  const findings: AuditFinding[] = [];
  let findingCount = 0;
  const report = (finding: AuditFinding): void => {
    findingCount += 1;
    if (findings.length < mostFindings) findings.push(finding);
  };
  /** What is damaged is a finding, and taken for missing; what may not be read is no matter of the log. */
  const intact = <T>(kind: FindingKind, file: string, read: () => T | null): T | null => {
    try {
      return read();
    } catch (error) {
      if (isCode(error, 'EACCES') || isCode(error, 'EPERM')) throw error;
      report({ kind, file, line: null, seq: null, what: `this file is damaged: ${messageOf(error)}` });
      return null;
    }
  };
  const history = intact('keys', keyHistoryName, () => readKeyHistory(join(folder, keyHistoryName)));
  const tombstone = intact('tombstone', tombstoneName, () => readTombstone(folder));
  const isLeft = (file: AuditFile): file is AuditSegment =>
    isSegment(file) && tombstone !== null && file.segment <= tombstone.last_segment;
  const listed = listAuditFiles(folder);
  const files = listed.filter((file) => !isLeft(file));
  if (files.length === 0 && tombstone === null && findingCount === 0 && !existsSync(join(folder, keyHistoryName))) {
    throw new AuditError('AUDIT_UNREADABLE', `there is no audit log in ${folder}`);
  }
  const publicKeys = options.publicKeys ?? [];
  const keys = new TrustedKeys(history, publicKeys);
  const anchors = [...(options.anchors ?? [])].sort((a, b) => a.seq - b.seq);
  checkAnchors(anchors, keys, report);
  const start =
    tombstone === null || tombstone.entries === 0 ? null : { seq: tombstone.last_seq, hash: tombstone.last_hash };
  if (tombstone !== null) {
    checkTombstone(tombstone, anchors, keys, report);
    for (const file of listed.filter(isLeft)) {
      const fault = await leftOverFault(file, tombstone, keys);
      if (fault === null) continue;
      const what = `retention removed segment ${file.segment}, and this file is not what is left of it: ${fault}`;
      report({ kind: 'misnamed', file: file.name, line: null, seq: null, what });
    }
  }
  const checker = new ChainChecker({
    start,
    former: { segment: tombstone?.last_segment ?? 0, day: null },
    keys,
    anchors,
    report,
    mostUnsigned,
  });
  const segments = files.filter(isSegment);
  let isLastLineOpen = false;
  const { signal, pace } = options;
  const pool = openSegmentPool(segments, { history, publicKeys, anchors }, pace);
  const stop = (): void => pool.giveUp();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (const [index, segment] of segments.entries()) {
      signal?.throwIfAborted();
      const part = await pool.partOf(index);
      signal?.throwIfAborted();
      if (part !== null && checker.take(segment, part)) continue;
      const began = pace?.clock.monotonic() ?? 0;
      isLastLineOpen = await checkSegment(segment, checker, index === segments.length - 1);
      if (pace !== undefined) await rest(pace, pace.clock.monotonic() - began, signal);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.close();
  }
  checker.finish();
  const earlier = await checkEarlier(
    intact('earlier-file', earlierListName, () => readEarlierList(folder)),
    files,
    tombstone,
    checker.firstEntry,
    report,
  );
  return {
    ok: findingCount === 0,
    findings,
    findingCount,
    entries: checker.counts.entries,
    segments: segments.length,
    checkpoints: checker.counts.checkpoints,
    head: checker.head.seq === 0 ? null : checker.head,
    signedUpTo: keys.trust === 'none' ? null : checker.signedUpTo,
    unsigned: checker.unsigned,
    adopted: checker.adopted,
    notes: strayFiles(folder),
    trust: keys.trust,
    keyIds: keys.ids,
    torn: checker.counts.torn,
    isLastLineOpen,
    earlier,
    removed: start === null || tombstone === null ? null : { entries: tombstone.entries, lastSeq: tombstone.last_seq },
    anchors: {
      given: anchors.length,
      matched: checker.counts.anchorsMatched + anchors.filter(({ seq }) => seq === start?.seq).length,
      unchecked: anchors.filter(({ seq }) => seq < (start?.seq ?? 0)).length,
      upToSeq: anchors.reduce<number | null>((most, { seq }) => Math.max(most ?? 0, seq), null),
    },
  };
}

function checkAnchors(anchors: readonly Anchor[], keys: TrustedKeys, report: (finding: AuditFinding) => void): void {
  for (const anchor of anchors) {
    const { seq, key_id: keyId, signature } = anchor;
    const fault = keys.fault(checkpointText(anchor), seq, keyId, signature);
    if (fault === null) continue;
    const what = `the anchor of entry ${seq} ${faultText(fault, keyId)}`;
    report({ kind: 'bad-anchor', file: '(anchor)', line: null, seq, what });
  }
}

function checkTombstone(
  tombstone: Tombstone,
  anchors: readonly Anchor[],
  keys: TrustedKeys,
  report: (finding: AuditFinding) => void,
): void {
  const { last_seq: seq, last_hash: hash, key_id: keyId, signature } = tombstone;
  const tell = (what: string): void => report({ kind: 'tombstone', file: tombstoneName, line: null, seq, what });
  const fault = keys.fault(tombstoneText(tombstone), seq, keyId, signature);
  // Later keys may stand for earlier entries.
  if (fault !== null && fault !== 'retired-key') tell(`the tombstone ${faultText(fault, keyId)}`);
  const anchor = anchors.find((each) => each.seq === seq);
  if (anchor !== undefined && anchor.hash !== hash) {
    tell(`the last entry that was removed, ${seq}, is not the one that was anchored at ${anchor.at}`);
  }
}

async function checkEarlier(
  list: EarlierList | null,
  files: readonly AuditFile[],
  tombstone: Tombstone | null,
  firstEntry: Buffer | null,
  report: (finding: AuditFinding) => void,
): Promise<{ readonly files: number; readonly entries: number }> {
  const earlier = files.filter((file) => !isSegment(file));
  const tell = (file: string, what: string): void =>
    report({ kind: 'earlier-file', file, line: null, seq: null, what });
  const first = firstEntry === null ? null : parseAuditEntry(firstEntry.toString('utf8'));
  const isStart = first?.type === AuditEventType.AUDIT_CHAIN_STARTED;
  const isCut = tombstone !== null && tombstone.entries > 0;
  if (isStart && list?.sha256 !== first.details.list_sha256) {
    tell(earlierListName, 'the list of the files from before the chain is not the one that the chain began with');
  }
  if (first !== null && !isCut && first.seq !== (isStart ? Number(first.details.last_seq) + 1 : 1)) {
    const what = `the chain begins with entry ${first.seq}: entries before it are missing`;
    report({ kind: 'missing', file: files.find(isSegment)?.name ?? '', line: 1, seq: first.seq, what });
  }
  let entries = 0;
  for (const { name, path } of earlier) {
    const known = list?.byName.get(name);
    if (known === undefined && (first !== null || isCut)) tell(name, 'this file was not there when the chain began');
    else if (known !== undefined && known !== (await sha256Of(path)))
      tell(name, 'this file was changed since the chain began');
    entries += await countLines(path);
  }
  for (const name of list?.byName.keys() ?? []) {
    const isRemoved = tombstone?.earlier_files.includes(name) === true;
    if (!isRemoved && !earlier.some((file) => file.name === basename(name)))
      tell(name, 'this file is gone since the chain began');
  }
  return { files: earlier.length, entries };
}

async function countLines(path: string): Promise<number> {
  let count = 0;
  for await (const chunk of readChunks(path)) {
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) count += 1;
  }
  return count;
}
