/**
 * Appends entries to the day's file. When it cannot, it forgets what it knew of the files, so that the next
 * attempt looks at the disk afresh; and as soon as it can again, it first records how many entries were lost.
 */
import { mkdirSync } from 'node:fs';
import { AuditError, messageOf } from '../errors.ts';
import { AppendFile } from '../files/append-file.ts';
import { auditFilePath, dayOf, lastSequence, listAuditFiles } from './audit-files.ts';

/** An entry without its number, as a function of it. */
export type EntryLine = (seq: number) => string;

export interface LostEntries {
  readonly count: number;
  /** Wall-clock ms of the first. */
  readonly sinceMs: number;
  readonly error: string;
}

interface OpenFile {
  readonly day: string;
  readonly file: AppendFile;
  nextSeq: number;
}

export class AuditWriter {
  readonly #folder: string;
  readonly #describeLoss: (lost: LostEntries) => EntryLine;
  #open: OpenFile | null = null;
  #lost: LostEntries | null = null;

  constructor(folder: string, describeLoss: (lost: LostEntries) => EntryLine) {
    this.#folder = folder;
    this.#describeLoss = describeLoss;
  }

  get lost(): LostEntries | null {
    return this.#lost;
  }

  /**
   * Writes one entry and returns its number; with `durable`, after it is synced.
   *
   * @throws AuditError `AUDIT_WRITE_FAILED`, or `AUDIT_SYNC_FAILED` when only the sync failed
   */
  append(line: EntryLine, atMs: number, durable: boolean): number {
    let seq: number;
    try {
      const open = this.#fileOf(atMs);
      if (this.#lost !== null) {
        this.#write(open, this.#describeLoss(this.#lost));
        this.#lost = null;
      }
      seq = this.#write(open, line);
    } catch (error) {
      this.#lost = {
        count: (this.#lost?.count ?? 0) + 1,
        sinceMs: this.#lost?.sinceMs ?? atMs,
        error: messageOf(error),
      };
      this.#forget();
      throw new AuditError('AUDIT_WRITE_FAILED', `the audit entry is not on disk: ${messageOf(error)}`, error);
    }
    if (durable) this.sync();
    return seq;
  }

  /** @throws AuditError `AUDIT_SYNC_FAILED` */
  sync(): void {
    try {
      this.#open?.file.sync();
    } catch (error) {
      this.#forget();
      throw new AuditError('AUDIT_SYNC_FAILED', `the audit log may not survive power loss: ${messageOf(error)}`, error);
    }
  }

  close(): void {
    try {
      this.sync();
    } finally {
      this.#forget();
    }
  }

  #write(open: OpenFile, line: EntryLine): number {
    const seq = open.nextSeq;
    open.file.append(line(seq));
    open.nextSeq += 1;
    return seq;
  }

  /** The file of the day, or a later one if there is any: entries stay in order when the clock is set back. */
  #fileOf(atMs: number): OpenFile {
    const today = dayOf(atMs);
    if (this.#open !== null && this.#open.day >= today) return this.#open;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const files = listAuditFiles(this.#folder);
    const newest = files.at(-1)?.day ?? today;
    const clockIsBehind = newest > today;
    const day = clockIsBehind ? newest : today;
    const nextSeq = this.#open?.nextSeq ?? lastSequence(files) + 1;
    this.sync();
    this.#forget();
    this.#open = { day, nextSeq, file: new AppendFile(auditFilePath(this.#folder, day)) };
    return this.#open;
  }

  #forget(): void {
    const open = this.#open;
    this.#open = null;
    open?.file.close();
  }
}
