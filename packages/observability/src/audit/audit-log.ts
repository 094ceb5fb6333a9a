/**
 * The audit log of a robot: an append-only, hash-chained and signed record of what it did. An entry is on disk when
 * `log` returns; a durable one is synced as well, so that it survives power loss. A disk that fails never stops the
 * robot: the outcome says so, the loss is counted and later recorded, and only who asked for certainty gets an
 * exception. One process writes to a folder, which is enforced; any number may read.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as must from '../arguments.ts';
import { AuditError } from '../errors.ts';
import { notify } from '../notify.ts';
import type { Clock, Logger } from '../ports.ts';
import type { JsonObject, JsonValue } from '../redaction/plain-json.ts';
import { asRedactor, type RedactOptions, type Redactor } from '../redaction/redactor.ts';
import { systemClock } from '../system-clock.ts';
import { type AuditEntry, bodyText, type EntryBody } from './audit-entry.ts';
import { AuditEventType, type AuditOutcome, AuditSeverity, ruleOf } from './audit-event.ts';
import { AuditWriter, type LostEntries, type Moment, type WriterNews } from './audit-writer.ts';
import { readBootId } from './boot-id.ts';
import { mostUnsigned } from './chain-line.ts';
import { type KeptFiles, keepAuditFiles } from './keep-audit-files.ts';
import { SegmentHeads } from './order-files.ts';
import { type AuditFilter, type AuditReading, readEntries } from './read-audit-log.ts';
import type { Checkpoint } from './signed-records.ts';
import { traceIdOf } from './trace-id.ts';
import { newsEntry } from './writer-news.ts';

export interface AuditLogOptions {
  readonly robotId: string;
  /** Folder of the audit files; made when it is missing, for its owner alone. */
  readonly logDir: string;
  /** Secrets that must not be written. Keys such as `password` or `token` are known without being named. */
  readonly redact?: RedactOptions | Redactor;
  /**
   * Folder of the keys that checkpoints are signed with; made, with a first key, when it is missing. Keep it outside
   * `logDir`. Default: checkpoints are not signed, so that only the chain shows what was changed.
   */
  readonly keyDir?: string;
  /** Size at which a segment is closed and the next one begun, in bytes. Default 16 MiB. */
  readonly segmentMaxBytes?: number;
  /** Entries after which a checkpoint is written, at most 10,000. Default 1,000. */
  readonly checkpointEvery?: number;
  /** Longest time that an entry stays unsigned, in ms, also where no other one follows. Default 60,000. */
  readonly checkpointMs?: number;
  /** Closed segments are compressed with gzip. Default true. */
  readonly compress?: boolean;
  /** Age of the day of a segment's latest entry at which it is removed, in ms; null: never. Default null. */
  readonly maxAgeMs?: number | null;
  /** Size of the folder above which its oldest segments are removed, in bytes; null: none. Default null. */
  readonly maxTotalBytes?: number | null;
  /** Gets a copy of every entry, for people who watch the operational log. It is not the record. Default none. */
  readonly mirror?: Logger;
  /** Told of every entry that could not be recorded as promised, and of files that could not be looked after. */
  readonly onError?: (error: AuditError) => void;
  /** Told of every checkpoint once it is written. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  readonly clock?: Clock;
  /** Default: the kernel's. */
  readonly bootId?: string;
}

export interface AuditLogEntryOptions {
  /** Default: what is usual for the type. */
  readonly severity?: AuditSeverity;
  /** Default: that of the surrounding `jobContext`. */
  readonly jobId?: string;
  /** Default: that of the surrounding `nodeContext`. */
  readonly nodeId?: string;
  /** Who caused it. Default `robot`. */
  readonly actor?: string;
  /** Default: what is usual for the type. */
  readonly outcome?: AuditOutcome;
  /** Default: that of the surrounding `jobContext`; else the job's id without its dashes, where it is a UUID. */
  readonly traceId?: string;
  /** Anything; made plain JSON, redacted, and left out when it is too long. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** True: sync, and throw when that cannot be done. Default: sync if the type is durable, and tell by the result. */
  readonly durable?: boolean;
}

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

interface AuditContext {
  readonly jobId?: string;
  readonly traceId?: string;
  readonly nodeId?: string;
}

const longestMessage = 4_096;
const longestName = 200;
const defaultCheckpointMs = 60_000;
/** What a timer of the platform can wait for. */
const longestTimerMs = 2 ** 31 - 1;

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  readonly #redactor: Redactor;
  readonly #bootId: string;
  readonly #writer: AuditWriter;
  readonly #context = new AsyncLocalStorage<AuditContext>();
  readonly #counts = { written: 0, failed: 0, callbackFailures: 0 };
  #healthy = true;
  #canWrite = true;
  #closed = false;
  #keeping: Promise<KeptFiles> | null = null;
  readonly #heads = new SegmentHeads();
  #isKeepingDue = false;
  #retentionProblem: string | null = null;
  /** Ends the wait for the next signature; null while all is signed. */
  #unsigned: AbortController | null = null;

  /** @throws ArgumentError */
  constructor(options: AuditLogOptions) {
    requireOptions('options', options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#redactor = asRedactor(options.redact);
    this.#bootId = options.bootId ?? readBootId();
    const { checkpointEvery = 1_000 } = options;
    if (!Number.isInteger(checkpointEvery) || checkpointEvery < 1 || checkpointEvery > mostUnsigned)
      must.refuse('checkpointEvery', `a whole number from 1 to ${mostUnsigned}`, checkpointEvery);
    this.#writer = new AuditWriter({
      folder: options.logDir,
      robotId: options.robotId,
      keyDir: options.keyDir ?? null,
      segmentMaxBytes: options.segmentMaxBytes ?? 16 * 1024 * 1024,
      checkpointEvery,
      checkpointMs: options.checkpointMs ?? defaultCheckpointMs,
      describe: (news, moment) => this.#describe(news, moment),
      onCheckpoint: (checkpoint) => this.#count(notify(options.onCheckpoint, checkpoint)),
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
      const entry = this.#entry(type, message, options, moment);
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
    this.#isKeepingDue = true;
    this.#keeping ??= this.#keep().finally(() => {
      this.#keeping = null;
    });
    return this.#keeping;
  }

  /** Once more when it was asked for meanwhile. */
  async #keep(): Promise<KeptFiles> {
    const total = { compressed: 0, removed: 0, refused: null as string | null };
    while (this.#isKeepingDue) {
      this.#isKeepingDue = false;
      const { compressed, removed, refused } = await this.#keepOnce();
      this.#tellRefused(refused);
      total.refused = refused;
      total.compressed += compressed;
      total.removed += removed;
    }
    return total;
  }

  #keepOnce(): Promise<KeptFiles> {
    const { logDir, compress = true, maxAgeMs = null, maxTotalBytes = null, robotId } = this.#options;
    return keepAuditFiles({
      folder: logDir,
      robotId,
      compress,
      maxAgeMs,
      maxTotalBytes,
      now: () => this.#clock.now(),
      openSegment: () => (this.#closed ? null : this.#writer.segment),
      publicKeys: () => this.#writer.publicKeys,
      signature: (text) => this.#writer.signature(text),
      onRemoved: (removed) => {
        const message = `${removed.segments.length + removed.earlierFiles.length} audit files removed by retention`;
        return this.log(AuditEventType.AUDIT_SEGMENTS_REMOVED, message, { details: { ...removed } }).ok;
      },
      onError: (error) => this.#count(notify(this.#options.onError, error)),
    });
  }

  /** Once for each reason. */
  #tellRefused(problem: string | null): void {
    if (problem === null || problem === this.#retentionProblem) {
      this.#retentionProblem = problem;
      return;
    }
    this.#retentionProblem = problem;
    const message = `files of the audit log that are due to be removed stay, because they are not as they were written: ${problem}`;
    const details = { problem };
    this.log(AuditEventType.AUDIT_RETENTION_REFUSED, 'Audit files are not removed: they are not as they were written', {
      details,
    });
    this.#count(notify(this.#options.onError, new AuditError('AUDIT_RETENTION_REFUSED', message)));
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
    return this.#context.run({ jobId, ...options }, action);
  }

  /** As `jobContext`, for a node of the surrounding job. */
  nodeContext<T>(nodeId: string, action: () => T): T {
    must.filledText('nodeId', nodeId);
    must.aFunction('action', action);
    return this.#context.run({ ...this.#context.getStore(), nodeId }, action);
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
      retentionProblem: this.#retentionProblem,
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

  #entry(type: AuditEventType, message: string, options: AuditLogEntryOptions, moment: Moment): EntryBody {
    const rule = ruleOf(type);
    const context = this.#context.getStore();
    const jobId = options.jobId ?? context?.jobId;
    const isOfContext = jobId === context?.jobId;
    return {
      at: new Date(moment.atMs).toISOString(),
      mono_ms: Math.round(moment.monoMs * 1_000) / 1_000,
      boot_id: this.#bootId,
      robot_id: this.#options.robotId,
      type,
      severity: options.severity ?? rule.severity,
      message: this.#text(message, longestMessage),
      job_id: this.#name(jobId),
      node_id: this.#name(options.nodeId ?? context?.nodeId),
      actor: this.#text(options.actor ?? 'robot', longestName),
      outcome: options.outcome === undefined ? rule.outcome : options.outcome,
      trace_id: this.#name(options.traceId ?? (isOfContext ? context?.traceId : undefined) ?? traceIdOf(jobId)),
      details: asObject(this.#redactor.json(options.details ?? {})),
    };
  }

  #describe(news: WriterNews, moment: Moment): string {
    const { type, message, ...rest } = newsEntry(news);
    const entry = this.#entry(type, message, rest, moment);
    return bodyText({ ...entry, job_id: null, node_id: null, trace_id: null });
  }

  #mirrorEntry(seq: number, { severity, message, type, job_id, node_id }: EntryBody): void {
    const { mirror } = this.#options;
    if (mirror === undefined) return;
    this.#count(notify(() => mirror.log(severity, message, { audit: type, seq, job_id, node_id }), undefined));
  }

  /** Redacted before it is cut, so that no part of a secret is left at the end. */
  #text(text: string, longest: number): string {
    // A record of something that cannot be named well is better than none.
    const clean = this.#redactor.text(typeof text === 'string' ? text : String(text));
    return clean.length > longest ? `${clean.slice(0, longest)}...` : clean;
  }

  #name(name: string | undefined): string | null {
    return name === undefined ? null : this.#text(name, longestName);
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

const requireOptions = must.options({
  robotId: must.filledText,
  logDir: must.filledText,
  redact: must.optional(must.object),
  keyDir: must.optional(must.filledText),
  segmentMaxBytes: must.optional(must.positive),
  checkpointEvery: () => undefined,
  checkpointMs: must.optional(must.count),
  compress: must.optional(must.flag),
  maxAgeMs: must.optional(must.nullable(must.count)),
  maxTotalBytes: must.optional(must.nullable(must.count)),
  mirror: must.optional(must.logger),
  onError: must.optional(must.aFunction),
  onCheckpoint: must.optional(must.aFunction),
  clock: must.optional(must.withMethods('now', 'monotonic', 'sleep')),
  bootId: must.optional(must.text),
});

/** What is no type would be an entry that nobody can read back. */
const requireType = must.oneOf(Object.values(AuditEventType));
const requireContextOptions = must.options({ traceId: must.optional(must.text) });
const requireEntryOptions = must.only({
  severity: must.optional(must.oneOf(Object.values(AuditSeverity))),
  jobId: must.optional(must.text),
  nodeId: must.optional(must.text),
  actor: must.optional(must.text),
  outcome: must.optional(must.nullable(must.oneOf(['success', 'failure', 'cancelled', 'unknown']))),
  traceId: must.optional(must.text),
  details: must.optional(must.object),
  durable: must.optional(must.flag),
});

function asObject(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
}
