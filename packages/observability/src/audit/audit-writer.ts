/**
 * Appends to the chain: one segment is open at a time, and every line is handed to the system in one write. Before a
 * segment is left, after a number of entries, and whenever it is opened and closed, a checkpoint says how far the chain
 * had come, signed. When it cannot write, it forgets what it knew of the files, so that the next attempt looks at the
 * disk afresh; as soon as it can again, it first records what was lost.
 */
import { hash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { AuditError, messageOf } from '../errors.ts';
import { AppendFile } from '../files/append-file.ts';
import { type FolderLock, lockFolder } from '../files/folder-lock.ts';
import { type FoundEnd, findEnd, type UnsignedEnd } from './audit-end.ts';
import {
  type AuditFile,
  type AuditSegment,
  dayOf,
  endOfDay,
  isSegment,
  listAuditFiles,
  segmentPath,
} from './audit-files.ts';
import { type AuditKeyRing, type HandOver, openAuditKeys, ownKeys, recordKeys } from './audit-keys.ts';
import { type ChainHead, chainLine, genesisHash } from './chain-line.ts';
import { recordEarlierFiles } from './earlier-files.ts';
import {
  type Checkpoint,
  type CheckpointFacts,
  type ClosedFacts,
  type ClosedMark,
  checkpointText,
  closedText,
  type OpenedFacts,
  openedText,
  recordLine,
  type Signature,
  type TornFacts,
  tornText,
} from './signed-records.ts';
import { readTombstone } from './tombstone-file.ts';

/** What the writer itself has to say in the chain. */
export type WriterNews =
  | { readonly kind: 'lost'; readonly lost: LostEntries }
  | {
      readonly kind: 'chain-started';
      /** How many files there are from before it, and the SHA-256 of the list of them. */
      readonly files: number;
      readonly listSha256: string;
      readonly lastSeq: number;
    }
  | { readonly kind: 'adopted'; readonly entries: UnsignedEnd }
  | HandOver;

export interface LostEntries {
  /** Entries that could not be written. */
  readonly count: number;
  /** Entries that were written and could not be synced: they may not have survived. */
  readonly unsynced: number;
  /** Wall-clock ms of the first. */
  readonly sinceMs: number;
  readonly error: string;
}

export interface AuditWriterOptions {
  readonly folder: string;
  readonly robotId: string;
  /** Null: checkpoints are not signed. */
  readonly keyDir: string | null;
  readonly segmentMaxBytes: number;
  readonly checkpointEvery: number;
  readonly checkpointMs: number;
  /** The JSON text of the entry that tells it at that moment. */
  readonly describe: (news: WriterNews, moment: Moment) => string;
  readonly onCheckpoint: (checkpoint: Checkpoint) => void;
}

/** The two clocks at one moment, in ms. */
export interface Moment {
  readonly atMs: number;
  readonly monoMs: number;
}

interface OpenSegment {
  readonly file: AppendFile;
  readonly segment: number;
  readonly day: string;
  head: ChainHead;
  /** Nothing but marks is in it. */
  isEmpty: boolean;
  /** The mark at the chain's end by which it was closed; the next entry follows another that it is opened again. */
  closed: ClosedMark | null;
  /** Since it was opened. */
  isWrittenTo: boolean;
  /** Entries since the last checkpoint. */
  unsigned: number;
  signedMonoMs: number;
}

export class AuditWriter {
  readonly #options: AuditWriterOptions;
  #lock: FolderLock | null = null;
  #keys: AuditKeyRing | null = null;
  #open: OpenSegment | null = null;
  #lost: LostEntries | null = null;
  #checkpoint: Checkpoint | null = null;
  /** The last entry by this writer: what is unsigned up to there is its own. */
  #written: ChainHead | null = null;

  constructor(options: AuditWriterOptions) {
    this.#options = options;
  }

  get lost(): LostEntries | null {
    return this.#lost;
  }

  /** The number of the open segment; null when none is. */
  get segment(): number | null {
    return this.#open?.segment ?? null;
  }

  /** Null until the keys were opened, and without any. */
  get publicKey(): string | null {
    return this.#keys?.current.publicKey ?? null;
  }

  /** All keys at hand, and those that one of them took over from: the writer's own. */
  get publicKeys(): readonly string[] {
    const keys = this.#keys;
    if (keys === null) return [];
    return ownKeys(
      this.#options.folder,
      [keys.current, ...keys.older].map(({ publicKey }) => publicKey),
    );
  }

  /** The last checkpoint that is known; null before the first entry. */
  get lastCheckpoint(): Checkpoint | null {
    return this.#checkpoint;
  }

  /**
   * Makes the folder ready for the first entry.
   *
   * @throws AuditError `AUDIT_FOLDER_OWNED`, `AUDIT_KEY_WRONG`, `AUDIT_WRITE_FAILED`
   */
  open(moment: Moment): void {
    this.#attempt(() => this.#ready(moment));
  }

  /**
   * Writes one entry and returns its number; with `durable`, after it is synced.
   *
   * @param body the JSON text of the entry without what the chain adds
   * @throws AuditError `AUDIT_SYNC_FAILED` when only the sync failed, otherwise as `open`
   */
  append(body: string, moment: Moment, durable: boolean): number {
    let seq: number;
    try {
      seq = this.#attempt(() => {
        const open = this.#ready(moment);
        this.#tellLoss(open, moment);
        this.#signIfDue(open, moment);
        return this.#write(open, body, moment);
      });
    } catch (error) {
      this.#countLoss({ count: 1, unsynced: 0 }, moment, error);
      throw error;
    }
    if (durable) this.sync(moment);
    return seq;
  }

  /** Records what was lost, if anything was, and syncs. Throws as `append`. */
  recover(moment: Moment): void {
    this.#attempt(() => this.#tellLoss(this.#ready(moment), moment));
    this.sync(moment);
  }

  /** Signs how far the chain has come and syncs; null while nothing is written. Throws as `append`. */
  sign(moment: Moment): Checkpoint | null {
    const open = this.#open;
    if (open !== null && open.unsigned > 0) {
      this.#attempt(() => this.#sign(open, moment));
      this.sync(moment);
    }
    return this.#checkpoint;
  }

  /** @throws AuditError `AUDIT_SYNC_FAILED` */
  sync(moment: Moment): void {
    try {
      this.#open?.file.sync();
    } catch (error) {
      this.#forget();
      this.#countLoss({ count: 0, unsynced: 1 }, moment, error);
      throw new AuditError('AUDIT_SYNC_FAILED', `the audit log may not survive power loss: ${messageOf(error)}`, error);
    }
  }

  /** The signature of a record, by this robot's key. */
  signature(text: string): Signature {
    const { keyDir } = this.#options;
    if (keyDir === null) return { key_id: null, signature: null };
    this.#keys ??= openAuditKeys(keyDir);
    return { key_id: this.#keys.current.keyId, signature: this.#keys.current.sign(text) };
  }

  close(moment: Moment): void {
    try {
      const open = this.#open;
      if (open !== null) this.#attempt(() => this.#endSegment(open, moment, true));
    } finally {
      this.#forget();
      this.#lock?.release();
      this.#lock = null;
    }
  }

  /** @throws AuditError; after any fault, the next attempt looks at the disk afresh */
  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.#forget();
      if (error instanceof AuditError) throw error;
      throw new AuditError('AUDIT_WRITE_FAILED', `the audit entry is not on disk: ${messageOf(error)}`, error);
    }
  }

  #write(open: OpenSegment, body: string, moment: Moment): number {
    // A clock that was set back since: the day in the name is not that of the first entry.
    if (open.closed !== null || (open.isEmpty && dayOf(moment.atMs) !== open.day)) this.#markOpened(open);
    const { bytes, head } = chainLine(open.head, body);
    open.file.append(bytes);
    open.head = head;
    open.isEmpty = false;
    open.isWrittenTo = true;
    open.unsigned += 1;
    this.#written = head;
    return head.seq;
  }

  #markOpened(open: OpenSegment): void {
    const { segment, day, head, closed } = open;
    const after = closed?.signature ?? null;
    const facts: OpenedFacts = { robot_id: this.#options.robotId, segment, day, ...head, after };
    open.file.append(recordLine({ kind: 'opened', facts: { ...facts, ...this.signature(openedText(facts)) } }));
    open.closed = null;
  }

  #markClosed({ segment, head, file }: OpenSegment, { atMs }: Moment): void {
    const at = new Date(atMs).toISOString();
    const facts: ClosedFacts = { robot_id: this.#options.robotId, segment, ...head, at };
    file.append(recordLine({ kind: 'closed', facts: { ...facts, ...this.signature(closedText(facts)) } }));
  }

  #tell(open: OpenSegment, news: WriterNews, moment: Moment): void {
    this.#write(open, this.#options.describe(news, moment), moment);
  }

  #tellLoss(open: OpenSegment, moment: Moment): void {
    if (this.#lost === null) return;
    this.#tell(open, { kind: 'lost', lost: this.#lost }, moment);
    this.#lost = null;
  }

  #countLoss(more: { readonly count: number; readonly unsynced: number }, { atMs }: Moment, error: unknown): void {
    const { count = 0, unsynced = 0, sinceMs = atMs } = this.#lost ?? {};
    const cause = error instanceof AuditError && error.cause !== undefined ? error.cause : error;
    this.#lost = { count: count + more.count, unsynced: unsynced + more.unsynced, sinceMs, error: messageOf(cause) };
  }

  #signIfDue(open: OpenSegment, moment: Moment): void {
    const { checkpointEvery, checkpointMs } = this.#options;
    const isDue = open.unsigned >= checkpointEvery || moment.monoMs - open.signedMonoMs >= checkpointMs;
    if (open.unsigned > 0 && isDue) this.#sign(open, moment);
  }

  #sign(open: OpenSegment, { atMs, monoMs }: Moment): void {
    const facts: CheckpointFacts = {
      robot_id: this.#options.robotId,
      segment: open.segment,
      ...open.head,
      at: new Date(atMs).toISOString(),
    };
    const checkpoint: Checkpoint = { ...facts, ...this.signature(checkpointText(facts)) };
    open.file.append(recordLine({ kind: 'checkpoint', facts: checkpoint }));
    open.unsigned = 0;
    open.signedMonoMs = monoMs;
    this.#checkpoint = checkpoint;
    this.#options.onCheckpoint(checkpoint);
  }

  /** The segment to write to now; the one before it is left signed and synced. */
  #ready(moment: Moment): OpenSegment {
    const open = this.#open;
    if (open !== null && !this.#isOver(open, moment)) return open;
    if (open !== null) this.#endSegment(open, moment);
    return this.#enter(moment);
  }

  /** Takes up the chain where the files end. */
  #enter(moment: Moment): OpenSegment {
    const { folder, robotId, keyDir } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#lock ??= takeLock(folder);
    const files = listAuditFiles(folder);
    const found = findEnd(folder, files);
    const { head, last, isAsNamed } = found;
    const at = new Date(moment.atMs).toISOString();
    if (keyDir !== null) this.#keys ??= openAuditKeys(keyDir);
    const handOver = this.#keys === null ? null : recordKeys(folder, robotId, this.#keys, head, at);
    // What was renamed is left as it is: written on, it would be signed under its wrong name.
    let open = last === null || last.isCompressed || !isAsNamed ? null : this.#reopen(last, found, moment);
    if (open === null || this.#isOver(open, moment)) {
      if (open !== null) this.#endSegment(open, moment);
      open = this.#begin(found, files, moment);
    }
    const unsigned = keyDir === null ? null : this.#foreign(found.unsigned);
    if (unsigned !== null) this.#tell(open, { kind: 'adopted', entries: unsigned }, moment);
    const earlier = files.filter((file) => !isSegment(file));
    if (head.hash === genesisHash && earlier.length > 0) {
      const listSha256 = recordEarlierFiles(folder, earlier);
      const news: WriterNews = { kind: 'chain-started', files: earlier.length, listSha256, lastSeq: head.seq };
      this.#tell(open, news, moment);
    }
    if (handOver?.kind === 'rotated' || handOver?.kind === 'replaced') this.#tell(open, handOver, moment);
    return open;
  }

  /** Of the entries that nobody has signed, those that this writer did not write. */
  #foreign(unsigned: UnsignedEnd | null): UnsignedEnd | null {
    const own = this.#written;
    if (unsigned === null || own === null || own.seq < unsigned.fromSeq) return unsigned;
    if (own.seq > unsigned.toSeq || (own.seq === unsigned.toSeq && own.hash !== unsigned.hash)) return unsigned;
    return own.seq === unsigned.toSeq ? null : { ...unsigned, fromSeq: own.seq + 1 };
  }

  /** Admits what a crash left torn, and signs what it left unsigned. */
  #reopen(last: AuditSegment, { head, end, closed }: FoundEnd, moment: Moment): OpenSegment {
    const file = new AppendFile(last.path);
    const open = asOpen(file, last, head, moment, { isEmpty: (end?.head ?? null) === null, closed });
    this.#open = open;
    const torn = end?.torn ?? null;
    if (torn !== null) {
      const { segment } = last;
      const size = { bytes: torn.length, sha256: hash('sha256', torn, 'hex') };
      const facts: TornFacts = { robot_id: this.#options.robotId, segment, ...head, ...size };
      file.append(recordLine({ kind: 'torn', facts: { ...facts, ...this.signature(tornText(facts)) } }));
    }
    const checkpoint = torn === null ? (end?.checkpoint ?? null) : null;
    const isSigned = checkpoint?.seq === head.seq && checkpoint.key_id === (this.#keys?.current.keyId ?? null);
    if (isSigned) this.#checkpoint = checkpoint;
    else if (head.hash !== genesisHash) this.#sign(open, moment);
    return open;
  }

  #begin({ head, last, isAsNamed, closed }: FoundEnd, files: readonly AuditFile[], moment: Moment): OpenSegment {
    const { folder } = this.#options;
    const today = dayOf(moment.atMs);
    // A clock that was set back does not begin a day anew: entries stay in order.
    const former = isAsNamed ? (files.at(-1)?.day ?? today) : today;
    const day = [today, former].sort().at(-1) ?? today;
    const segment = 1 + (last?.segment ?? readTombstone(folder)?.last_segment ?? 0);
    const file = new AppendFile(segmentPath(folder, day, segment));
    this.#open = asOpen(file, { segment, day }, head, moment, { isEmpty: true, closed });
    return this.#open;
  }

  #isOver({ day, file }: OpenSegment, { atMs }: Moment): boolean {
    return atMs >= endOfDay(day) || file.size >= this.#options.segmentMaxBytes;
  }

  #endSegment(open: OpenSegment, moment: Moment, isStop = false): void {
    if (open.unsigned > 0) this.#sign(open, moment);
    if (isStop && open.isWrittenTo && this.#options.keyDir !== null) this.#markClosed(open, moment);
    open.file.sync();
    open.file.close();
    this.#open = null;
  }

  #forget(): void {
    const open = this.#open;
    this.#open = null;
    try {
      open?.file.close();
    } catch {
      // The descriptor is given up either way.
    }
  }
}

function asOpen(
  file: AppendFile,
  { segment, day }: Pick<AuditSegment, 'segment' | 'day'>,
  head: ChainHead,
  { monoMs }: Moment,
  end: Pick<OpenSegment, 'isEmpty' | 'closed'>,
): OpenSegment {
  return { file, segment, day, head, ...end, isWrittenTo: false, unsigned: 0, signedMonoMs: monoMs };
}

function takeLock(folder: string): FolderLock {
  const lock = lockFolder(folder);
  if (lock !== null) return lock;
  throw new AuditError(
    'AUDIT_FOLDER_OWNED',
    `another robot or program writes to the audit folder ${folder}; give this one a folder of its own, or stop that one`,
  );
}
