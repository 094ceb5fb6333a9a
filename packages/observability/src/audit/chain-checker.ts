/**
 * Follows a chain line by line and says what does not fit. It does no I/O. After a line that does not fit it goes on
 * from what that line says, so that one change is one finding.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Anchor } from './anchor-file.ts';
import { type ChainHead, type EntryLink, emptyChain, genesisHash, isIntact, isRecord, readLink } from './chain-line.ts';
import { type AdoptedEntries, adoptedIn, LogMarks } from './log-marks.ts';
import { type FormerSegment, NameCheck, type NamedSegment, orderFault } from './name-check.ts';
import {
  type Checkpoint,
  type ClosedMark,
  checkpointText,
  closedText,
  type OpenedMark,
  openedText,
  parseRecord,
  type TornRecord,
  tornText,
} from './signed-records.ts';
import type { SignatureFault, TrustedKeys } from './trusted-keys.ts';

export type FindingKind =
  | 'edited'
  | 'missing'
  | 'out-of-order'
  | 'broken-link'
  | 'unreadable'
  | 'checkpoint-mismatch'
  | 'bad-signature'
  | 'unsigned'
  | 'truncated'
  | 'anchor-mismatch'
  | 'bad-anchor'
  | 'tombstone'
  | 'earlier-file'
  /** The file does not have the name that it was written under. */
  | 'misnamed'
  /** An entry, or a mark, behind the mark by which the log was closed. */
  | 'after-close'
  /** What has the name of a file of the log is none. */
  | 'no-file'
  /** The list of public keys is damaged. */
  | 'keys';

/** One thing that is wrong, and where. */
export interface AuditFinding {
  readonly kind: FindingKind;
  /** Name of the file. */
  readonly file: string;
  /** From 1; null when it is not about a line. */
  readonly line: number | null;
  readonly seq: number | null;
  readonly what: string;
}

export interface ChainCheckOptions {
  /** Where the chain is taken up: behind what retention has removed. Default: it begins at the first entry. */
  readonly start: ChainHead | null;
  /** The segment before the first one; null: unknown. */
  readonly former: FormerSegment | null;
  /** Only a part of a chain is followed: it begins with whatever entry comes first. Default false. */
  readonly isPart?: boolean;
  readonly keys: TrustedKeys;
  /** In the order of their numbers. */
  readonly anchors: readonly Anchor[];
  readonly report: (finding: AuditFinding) => void;
  /** Entries that may follow the last checkpoint. */
  readonly mostUnsigned: number;
}

/** A segment that is in order within, and what it connects to. */
export interface SegmentPart {
  readonly first: Pick<EntryLink, 'seq' | 'prev'>;
  readonly head: ChainHead;
  readonly lines: number;
  readonly counts: ChainCounts;
  /** The mark before its first entry, and the one behind its last. */
  readonly opened: OpenedMark | null;
  readonly closed: ClosedMark | null;
  readonly adopted: readonly AdoptedEntries[];
}

/** What was read, and what was found in order. */
export interface ChainCounts {
  readonly entries: number;
  readonly checkpoints: number;
  readonly torn: number;
  readonly anchorsMatched: number;
}

interface Unreadable {
  readonly line: number;
  readonly digest: Hash;
}

export class ChainChecker {
  readonly #options: ChainCheckOptions;
  #file = '';
  #head: ChainHead | null;
  #unsigned = 0;
  #isUnsignedTold = false;
  #unreadable: Unreadable | null = null;
  #anchorIndex = 0;
  #line = 0;
  #told = 0;
  #first: Pick<EntryLink, 'seq' | 'prev'> | null = null;
  readonly #names: NameCheck;
  readonly #marks = new LogMarks();
  #opened: OpenedMark | null = null;
  /** The next entry stands directly behind a checkpoint, or is the first of its file. */
  #mayAdopt = false;
  readonly adopted: AdoptedEntries[] = [];
  readonly #counts = { entries: 0, checkpoints: 0, torn: 0, anchorsMatched: 0 };
  signedUpTo: number | null = null;
  firstEntry: Buffer | null = null;

  constructor(options: ChainCheckOptions) {
    this.#options = options;
    this.#head = options.start;
    this.#names = new NameCheck(options.former);
    this.#skipAnchorsUpTo(options.start?.seq ?? 0);
  }

  get counts(): ChainCounts {
    return this.#counts;
  }

  /** What was followed so far, as a part of a chain; null when nothing connects it, or its end is not signed. */
  get part(): SegmentPart | null {
    if (this.#first === null || this.#head === null || this.#unsigned > 0) return null;
    const ends = { opened: this.#opened, closed: this.#marks.closed };
    return {
      first: this.#first,
      head: this.#head,
      lines: this.#line,
      counts: this.#counts,
      ...ends,
      adopted: this.adopted,
    };
  }

  /** Day of the latest entry in the file at hand; null without any. */
  get newestDay(): string | null {
    return this.#names.newestDay;
  }

  /** Takes a segment as read that was found in order elsewhere. False: it does not connect and has to be read here. */
  take(file: NamedSegment, { first, head, lines, counts, opened, closed, adopted }: SegmentPart): boolean {
    const before = this.#head;
    if (before === null || this.#unsigned > 0) return false;
    if (first.seq !== before.seq + 1 || first.prev !== before.hash) return false;
    if (orderFault(this.#names.former, file) !== null) return false;
    const mark = this.#marks.closed;
    const goesOn =
      opened === null
        ? mark === null
        : opened.after === (mark?.signature ?? null) && opened.seq === before.seq && opened.hash === before.hash;
    if (!goesOn) return false;
    this.beginFile(file);
    this.#marks.closed = closed;
    this.adopted.push(...adopted);
    this.#line = lines;
    this.#head = head;
    this.signedUpTo = head.seq;
    for (const key of ['entries', 'checkpoints', 'torn', 'anchorsMatched'] as const) this.#counts[key] += counts[key];
    this.#skipAnchorsUpTo(head.seq);
    return true;
  }

  #skipAnchorsUpTo(seq: number): void {
    while ((this.#nextAnchor?.seq ?? Number.POSITIVE_INFINITY) <= seq) this.#anchorIndex += 1;
  }

  /** The last entry so far. */
  get head(): ChainHead {
    return this.#head ?? emptyChain;
  }

  /** Entries behind the last checkpoint. */
  get unsigned(): number {
    return this.#unsigned;
  }

  beginFile(file: NamedSegment): void {
    this.#names.begin(file);
    this.#file = file.name;
    this.#line = 0;
    this.#mayAdopt = true;
  }

  /** One whole line of the file, from `start` to `end` of the bytes. */
  line(bytes: Buffer, start: number, end: number): void {
    this.#line += 1;
    const link = readLink(bytes, start, end);
    if (link === null) {
      this.#record(bytes, start, end);
      return;
    }
    if (this.#unreadable !== null) this.#reportUnreadable();
    const head = this.#head;
    const { seq, prev, hash } = link;
    const told = this.#told;
    if (!isIntact(bytes, start, end, link)) {
      this.#tell('edited', seq, `entry ${seq} was changed: it does not have the hash that it carries`);
    } else if (head === null && this.#options.isPart === true) {
      this.#first = { seq, prev };
      this.#skipAnchorsUpTo(seq - 1);
    } else if (head === null) {
      this.#begin(Buffer.from(bytes.subarray(start, end)), seq, prev);
    } else if (seq !== head.seq + 1) {
      this.#tellOrder(head, seq);
    } else if (prev !== head.hash) {
      const former = head.seq === 0 ? 'what came before the chain' : `entry ${head.seq}`;
      this.#tell('broken-link', seq, `entry ${seq} does not follow ${former} as it stands: that one was replaced`);
    }
    this.#tellIf('misnamed', seq, this.#names.entry(bytes, link.dayAt, told === this.#told));
    if (this.#marks.closed !== null) this.#tellIf('after-close', seq, this.#marks.entry(seq));
    if (this.#mayAdopt) this.#meetAdopted(bytes, start, end);
    this.#head = { seq, hash };
    this.#counts.entries += 1;
    this.#unsigned += 1;
    if (this.#unsigned > this.#options.mostUnsigned) this.#tellUnsigned();
    if (this.#nextAnchor !== undefined && seq >= this.#nextAnchor.seq) this.#meetAnchors(seq, hash);
  }

  /** What follows in the file cannot be read. */
  damagedFile(why: string): void {
    if (this.#unreadable !== null) this.#reportUnreadable();
    const { seq } = this.head;
    const what = `this file is damaged and cannot be read on from here, after entry ${seq}: ${why}`;
    this.#tell('unreadable', seq + 1, what, this.#line + 1);
  }

  /** The file is no regular one, whatever can be read from it. */
  noFile(file: NamedSegment, what: string): void {
    this.#options.report({ kind: 'no-file', file: file.name, line: null, seq: null, what });
  }

  /** @param isLast whether the writer may still be at work here */
  endFile(isLast: boolean): void {
    if (this.#unreadable !== null) this.#reportUnreadable();
    this.#tellIf('misnamed', null, this.#names.end());
    if (!isLast && this.#unsigned > 0) this.#tellUnsigned();
  }

  /** After the last file. */
  finish(): void {
    const { anchors } = this.#options;
    const beyond = anchors.slice(this.#anchorIndex).at(-1);
    if (beyond === undefined) return;
    const { seq } = this.head;
    this.#tell(
      'truncated',
      seq === 0 ? null : seq,
      `the log ends with entry ${seq}, but it had come to entry ${beyond.seq} at ${beyond.at}, as an anchor says: ` +
        `entries ${seq + 1} to ${beyond.seq} are missing`,
    );
  }

  get #nextAnchor(): Anchor | undefined {
    return this.#options.anchors[this.#anchorIndex];
  }

  #begin(line: Buffer, seq: number, prev: string): void {
    this.firstEntry = line;
    if (prev === genesisHash) return;
    this.#tell('missing', seq, `entries before ${seq} are gone, and no tombstone stands for them`);
  }

  #tellOrder(head: ChainHead, seq: number): void {
    if (seq > head.seq) {
      const range = seq === head.seq + 2 ? `entry ${seq - 1} is` : `entries ${head.seq + 1} to ${seq - 1} are`;
      this.#tell('missing', seq, `${range} missing before entry ${seq}`);
    } else {
      this.#tell('out-of-order', seq, `entry ${seq} stands after entry ${head.seq}: it is repeated or was moved`);
    }
  }

  #meetAnchors(seq: number, hash: string): void {
    for (let anchor = this.#nextAnchor; anchor !== undefined && anchor.seq <= seq; anchor = this.#nextAnchor) {
      this.#anchorIndex += 1;
      if (anchor.seq === seq && anchor.hash === hash) this.#counts.anchorsMatched += 1;
      else if (anchor.seq === seq) {
        const what = `entry ${seq} is not the one that was anchored at ${anchor.at}: the log was written anew`;
        this.#tell('anchor-mismatch', seq, what);
      } else {
        this.#tell('anchor-mismatch', anchor.seq, `entry ${anchor.seq}, anchored at ${anchor.at}, is missing`);
      }
    }
  }

  #record(bytes: Buffer, start: number, end: number): void {
    const record = isRecord(bytes, start, end) ? parseRecord(bytes.toString('utf8', start, end)) : null;
    if (record === null) {
      const former = this.#unreadable;
      const digest = former?.digest.update('\n') ?? createHash('sha256');
      this.#unreadable = { line: former?.line ?? this.#line, digest: digest.update(bytes.subarray(start, end)) };
      return;
    }
    switch (record.kind) {
      case 'torn':
        this.#meetTorn(record.facts);
        break;
      case 'checkpoint':
        this.#meetCheckpoint(record.facts);
        break;
      case 'closed':
        this.#meetClosed(record.facts);
        break;
      case 'opened':
        this.#meetOpened(record.facts);
        break;
    }
    this.#tellIf('misnamed', record.facts.seq, this.#names.record(record));
  }

  #meetAdopted(bytes: Buffer, start: number, end: number): void {
    this.#mayAdopt = false;
    const adopted = adoptedIn(bytes, start, end);
    if (adopted !== null) this.adopted.push(adopted);
  }

  #meetClosed(mark: ClosedMark): void {
    if (this.#isMarkInPlace(mark, closedText(mark), 'closed')) this.#marks.close(mark);
  }

  #meetOpened(mark: OpenedMark): void {
    const isKnown = this.#counts.entries > 0;
    if (this.#options.isPart === true && !isKnown) this.#opened = mark;
    if (this.#isMarkInPlace(mark, openedText(mark), 'opened'))
      this.#tellIf('after-close', mark.seq, this.#marks.open(mark, isKnown));
  }

  #isMarkInPlace({ seq, hash, key_id: keyId, signature }: ClosedMark | OpenedMark, text: string, how: string): boolean {
    if (this.#unreadable !== null) this.#reportUnreadable();
    const fault = this.#options.keys.fault(text, seq, keyId, signature);
    const name = `the mark by which the log was ${how} after entry ${seq}`;
    const isElsewhere = this.#head !== null && (seq !== this.#head.seq || hash !== this.#head.hash);
    if (fault !== null) this.#tell('bad-signature', seq, `${name} ${faultText(fault, keyId)}`);
    else if (isElsewhere) this.#tell('checkpoint-mismatch', seq, `${name} stands after entry ${this.head.seq}`);
    return fault === null && !isElsewhere;
  }

  #meetTorn(torn: TornRecord): void {
    const { head } = this;
    const sha256 = this.#unreadable?.digest.digest('hex');
    const isAdmitted = sha256 === torn.sha256 && torn.seq === head.seq && torn.hash === head.hash;
    const fault = this.#options.keys.fault(tornText(torn), torn.seq, torn.key_id, torn.signature);
    this.#unreadable = null;
    if (fault !== null)
      this.#tell('bad-signature', torn.seq, `a record of torn bytes ${faultText(fault, torn.key_id)}`);
    else if (isAdmitted) this.#counts.torn += 1;
    else this.#tell('unreadable', torn.seq, 'the torn bytes before this line are not those that it tells of');
  }

  #meetCheckpoint(checkpoint: Checkpoint): void {
    this.#mayAdopt = true;
    if (this.#unreadable !== null) this.#reportUnreadable();
    const { seq, hash, key_id: keyId, signature } = checkpoint;
    const fault = this.#options.keys.fault(checkpointText(checkpoint), seq, keyId, signature);
    if (this.#head === null) {
      this.#head = { seq, hash };
      this.#tell('missing', seq, `entries up to ${seq} are gone, and no tombstone stands for them`);
    }
    const { head } = this;
    if (fault !== null) {
      this.#tell('bad-signature', seq, `the checkpoint of entry ${seq} ${faultText(fault, keyId)}`);
    } else if (seq !== head.seq || hash !== head.hash) {
      const what =
        seq === head.seq
          ? `entry ${seq} is not the one that the checkpoint was signed for: the entries before it were written anew`
          : `the checkpoint of entry ${seq} stands after entry ${head.seq}`;
      this.#tell('checkpoint-mismatch', seq, what);
    } else {
      this.#counts.checkpoints += 1;
      this.signedUpTo = seq;
    }
    this.#unsigned = 0;
    this.#isUnsignedTold = false;
  }

  #reportUnreadable(): void {
    const line = this.#unreadable?.line ?? this.#line;
    this.#unreadable = null;
    this.#tell('unreadable', this.head.seq + 1, `this line is no entry; it stands after entry ${this.head.seq}`, line);
  }

  #tellUnsigned(): void {
    if (this.#isUnsignedTold) return;
    this.#isUnsignedTold = true;
    const from = this.head.seq - this.#unsigned + 1;
    this.#tell(
      'unsigned',
      this.head.seq,
      `no checkpoint follows entries ${from} to ${this.head.seq}: it was taken out`,
    );
  }

  #tellIf(kind: FindingKind, seq: number | null, what: string | null): void {
    if (what !== null) this.#tell(kind, seq, what);
  }

  #tell(kind: FindingKind, seq: number | null, what: string, line = this.#line): void {
    this.#told += 1;
    this.#options.report({ kind, file: this.#file, line: line === 0 ? null : line, seq, what });
  }
}

export function faultText(fault: NonNullable<SignatureFault>, keyId: string | null): string {
  switch (fault) {
    case 'unsigned':
      return 'is not signed';
    case 'unknown-key':
      return `is signed by the key ${keyId}, which nobody vouches for`;
    case 'retired-key':
      return `is signed by the key ${keyId}, which was not in use then`;
    case 'bad-signature':
      return `has a signature that the key ${keyId} did not make`;
  }
}
