/**
 * The audit log of a robot: an append-only, hash-chained and signed record of what it did. An entry is on disk when
 * `log` returns; a durable one is synced as well, so that it survives power loss. A disk that fails never stops the
 * robot: the outcome says so, the loss is counted and later recorded, and only who asked for certainty gets an
 * exception. One process writes to a folder, which is enforced; any number may read.
 */
import * as must from '../arguments.ts';
import { AuditError } from '../errors.ts';
import { notify } from '../notify.ts';
import type { Clock } from '../ports.ts';
import { asRedactor } from '../redaction/redactor.ts';
import { systemClock } from '../system-clock.ts';
import { type AuditEntry, bodyText, type EntryBody } from './audit-entry.ts';
import { type AuditEventType, ruleOf } from './audit-event.ts';
import {
  type AuditLogEntryOptions,
  type AuditLogOptions,
  defaultCheckpointMs,
  requireContextOptions,
  requireEntryOptions,
  requireOptions,
  requireType,
} from './audit-log-options.ts';
import { AuditWriter, type LostEntries, type Moment } from './audit-writer.ts';
import { readBootId } from './boot-id.ts';
import { EntryMaker } from './entry-maker.ts';
import type { KeptFiles } from './keep-audit-files.ts';
import { SegmentHeads } from './order-files.ts';
import { type AuditFilter, type AuditReading, readEntries } from './read-audit-log.ts';
import { Retention } from './retention.ts';
import type { Checkpoint } from './signed-records.ts';

/** `seq` is the number under which the entry is on disk. */
export type AuditResult =
  | { readonly ok: true; readonly seq: number }
  | { readonly ok: false; readonly error: AuditError };

export interface AuditStatus {
  /** False from a failure until the next entry that was recorded as promised. */
  readonly healthy: boolean;
  /** False from a failure until a write is proven durable again: take on no work that has to be recorded. */
  readonly canWrite: boolean;
  readonly written: number;
  /** Entries that could not be recorded as promised, since the start. */
  readonly failed: number;
  /** Times that a listener or the mirror threw. */
  readonly callbackFailures: number;
  /** Entries lost since the last one that was written; null when none. */
  readonly lost: LostEntries | null;
  /** Which file is due to be removed and stays, because it is not as it was written; null when none does. */
  readonly retentionProblem: string | null;
}

/** What a timer of the platform can wait for. */
const longestTimerMs = 2 ** 31 - 1;

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  readonly #entries: EntryMaker;
  readonly #writer: AuditWriter;
  readonly #retention: Retention;
  readonly #heads = new SegmentHeads();
  readonly #counts = { written: 0, failed: 0, callbackFailures: 0 };
  #healthy = true;
  #canWrite = true;
  #closed = false;
  /** Ends the wait for the next signature; null while all is signed. */
  #unsigned: AbortController | null = null;

  /** @throws ArgumentError */
  constructor(options: AuditLogOptions) {
    requireOptions('options', options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { robotId, logDir, bootId = readBootId(), compress = true, maxAgeMs = null, maxTotalBytes = null } = options;
    this.#entries = new EntryMaker({ robotId, bootId, redactor: asRedactor(options.redact) });
    this.#writer = new AuditWriter({
      folder: logDir,
      robotId,
      keyDir: options.keyDir ?? null,
      segmentMaxBytes: options.segmentMaxBytes ?? 16 * 1024 * 1024,
      checkpointEvery: options.checkpointEvery ?? 1_000,
      checkpointMs: options.checkpointMs ?? defaultCheckpointMs,
      describe: (news, moment) => bodyText(this.#entries.aboutTheLog(news, moment)),
      onCheckpoint: (checkpoint) => this.#count(notify(options.onCheckpoint, checkpoint)),
    });
    this.#retention = new Retention({
      folder: logDir,
      robotId,
      compress,
      maxAgeMs,
      maxTotalBytes,
      now: () => this.#clock.now(),
      openSegment: () => (this.#closed ? null : this.#writer.segment),
      publicKeys: () => this.#writer.publicKeys,
      signature: (text) => this.#writer.signature(text),
      record: (type, message, details) => this.log(type, message, { details }).ok,
      onError: (error) => this.#count(notify(options.onError, error)),
    });
  }

  /**
   * Takes the folder for this writer and signs what a crash left. Not needed: the first entry does the same. A disk that
   * fails is told to `onError` and shows in `getStatus`.
   *
   * @throws AuditError `AUDIT_FOLDER_OWNED` when another writer has the folder, `AUDIT_KEY_WRONG`
   */
  open(): void {
    try {
      this.#writer.open(this.#now());
    } catch (error) {
      if (!(error instanceof AuditError) || error.code !== 'AUDIT_WRITE_FAILED') throw error;
      this.#canWrite = false;
      this.#failed(error);
    }
    void this.maintain();
  }

  /**
   * Records one event. On return it is on disk, or the result says why it is not. What cannot be written throws only with
   * `durable: true`; a mistake of the caller throws at once, whether or not the log can be written.
   *
   * @throws ArgumentError for what cannot be an entry: a type that is none, a jobId that is no text, an option of another name
   * @throws AuditError only with `durable: true`
   * @example
   * audit.log(AuditEventType.ERROR_TRANSIENT, 'Connection timeout', { jobId: 'job-456', details: { retryCount: 2 } });
   */
  log(type: AuditEventType, message: string, options: AuditLogEntryOptions = {}): AuditResult {
    requireType('type', type);
    requireEntryOptions('options', options);
    try {
      if (this.#closed) throw new AuditError('AUDIT_CLOSED', 'the audit log is closed');
      const durable = options.durable ?? ruleOf(type).durable;
      const moment = this.#now();
      const before = this.#writer.segment;
      const entry = this.#entries.entry(type, message, options, moment);
      const seq = this.#writer.append(bodyText(entry), moment, durable);
      this.#counts.written += 1;
      this.#healthy = true;
      if (durable) this.#canWrite = true;
      this.#mirrorEntry(seq, entry);
      this.#signLater();
      if (before !== null && before !== this.#writer.segment) void this.maintain();
      return { ok: true, seq };
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#canWrite = false;
      this.#failed(error);
      if (options.durable === true) throw error;
      return { ok: false, error };
    }
  }

  /**
   * Whether durable entries can be written now. After a failure it tries: the gap is recorded as an entry of its own
   * and synced. Ask before taking on work that has to be recorded.
   */
  checkWritable(): boolean {
    if (this.#canWrite || this.#closed) return !this.#closed;
    try {
      this.#writer.recover(this.#now());
      this.#canWrite = true;
      this.#healthy = true;
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
    }
    return this.#canWrite;
  }

  /**
   * Signs how far the log has come, unless nothing was written since the last time.
   *
   * @returns the last checkpoint; null before the first entry
   */
  checkpoint(): Checkpoint | null {
    try {
      return this.#closed ? this.#writer.lastCheckpoint : this.#writer.sign(this.#now());
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#canWrite = false;
      this.#failed(error);
      return this.#writer.lastCheckpoint;
    }
  }

  /**
   * Compresses closed segments and removes what is past age or size, which leaves a signed tombstone. Done by itself
   * when the log is opened and whenever a segment is full; call it once a day where few entries come. Never rejects.
   */
  maintain(): Promise<KeptFiles> {
    return this.#retention.run();
  }

  /**
   * Runs `action`; every entry it makes, however deep in asynchronous calls, carries the job, and the trace if one is
   * given.
   *
   * @throws ArgumentError without a function; else what `action` throws
   * @example
   * await audit.jobContext('job-456', async () => audit.nodeCompleted({ nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150 }));
   */
  jobContext<T>(jobId: string, action: () => T, options: { readonly traceId?: string } = {}): T {
    must.filledText('jobId', jobId);
    must.aFunction('action', action);
    requireContextOptions('options', options);
    return this.#entries.within({ jobId, ...options }, action);
  }

  /** As `jobContext`, for a node of the surrounding job. */
  nodeContext<T>(nodeId: string, action: () => T): T {
    must.filledText('nodeId', nodeId);
    must.aFunction('action', action);
    return this.#entries.withinNode(nodeId, action);
  }

  /** The key that signs, 32 bytes in base64; null when nothing is signed. */
  get publicKey(): string | null {
    return this.#writer.publicKey;
  }

  /** The last `limit` entries, oldest first. */
  async getRecent(limit = 100): Promise<readonly AuditEntry[]> {
    return (await this.read({ limit })).entries;
  }

  /** The last entries that match, oldest first, from all files. */
  async query(filter: AuditFilter = {}): Promise<readonly AuditEntry[]> {
    return (await this.read(filter)).entries;
  }

  /** As `query`, with the damage that was found. */
  read(filter: AuditFilter = {}): Promise<AuditReading> {
    return readEntries(this.#options.logDir, filter, this.#heads);
  }

  getStatus(): AuditStatus {
    const { lost } = this.#writer;
    return {
      healthy: this.#healthy,
      canWrite: this.#canWrite && !this.#closed,
      ...this.#counts,
      lost,
      retentionProblem: this.#retention.problem,
    };
  }

  /** Signs, syncs and closes the log, and gives the folder free. What is logged afterwards is refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsigned?.abort();
    try {
      this.#writer.close(this.#now());
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#failed(error);
    }
  }

  /** A log that falls silent is signed, too. */
  #signLater(): void {
    if (this.#unsigned !== null) return;
    const waiting = new AbortController();
    this.#unsigned = waiting;
    const ms = Math.min(this.#options.checkpointMs ?? defaultCheckpointMs, longestTimerMs);
    void this.#clock.sleep(ms, waiting.signal).then(
      () => {
        this.#unsigned = null;
        this.checkpoint();
      },
      () => undefined,
    );
  }

  #now(): Moment {
    return { atMs: this.#clock.now(), monoMs: this.#clock.monotonic() };
  }

  #mirrorEntry(seq: number, { severity, message, type, job_id, node_id }: EntryBody): void {
    const { mirror } = this.#options;
    if (mirror === undefined) return;
    this.#count(notify(() => mirror.log(severity, message, { audit: type, seq, job_id, node_id }), undefined));
  }

  #failed(error: AuditError): void {
    this.#counts.failed += 1;
    this.#healthy = false;
    this.#count(notify(this.#options.onError, error));
  }

  #count(wasHeard: boolean): void {
    if (!wasHeard) this.#counts.callbackFailures += 1;
  }
}
