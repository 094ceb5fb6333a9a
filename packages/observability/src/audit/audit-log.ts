/**
 * The audit log of a robot: an append-only record of what it did. An entry is on disk when `log` returns; a
 * durable one is synced as well, so that it survives power loss. A disk that fails never stops the robot: the
 * outcome says so, the loss is counted and later recorded, and only who asked for certainty gets an exception.
 * One process writes to a folder; any number may read.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { AuditError } from '../errors.ts';
import { notify } from '../notify.ts';
import type { Clock } from '../ports.ts';
import type { JsonObject, JsonValue } from '../redaction/plain-json.ts';
import { asRedactor, type RedactOptions, type Redactor } from '../redaction/redactor.ts';
import { systemClock } from '../system-clock.ts';
import { type AuditEntry, longestEntryBytes } from './audit-entry.ts';
import { AuditEventType, type AuditOutcome, type AuditSeverity, ruleOf } from './audit-event.ts';
import { AuditWriter, type EntryLine, type LostEntries } from './audit-writer.ts';
import { readBootId } from './boot-id.ts';
import { type AuditFilter, type AuditReading, readAuditLog } from './read-audit-log.ts';

export interface AuditLogOptions {
  readonly robotId: string;
  /** Folder of the audit files; made when it is missing, for its owner alone. */
  readonly logDir: string;
  /** Secrets that must not be written. Keys such as `password` or `token` are known without being named. */
  readonly redact?: RedactOptions | Redactor;
  /** Told of every entry that could not be recorded as promised. */
  readonly onError?: (error: AuditError) => void;
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
  /** Anything; made plain JSON, redacted, and left out when it is too long. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** True: sync, and throw when that cannot be done. Default: sync if the type is durable, and never throw. */
  readonly durable?: boolean;
}

/** `seq` is the number under which the entry is on disk. */
export type AuditResult =
  | { readonly ok: true; readonly seq: number }
  | { readonly ok: false; readonly error: AuditError };

export interface AuditStatus {
  /** False from a failure until the next entry that was recorded as promised. */
  readonly healthy: boolean;
  readonly written: number;
  /** Entries that could not be recorded as promised, since the start. */
  readonly failed: number;
  /** Times that `onError` threw. */
  readonly callbackFailures: number;
  /** Entries lost since the last one that was written; null when none. */
  readonly lost: LostEntries | null;
}

interface AuditContext {
  readonly jobId?: string;
  readonly nodeId?: string;
}

const longestMessage = 4_096;
const longestName = 200;

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #clock: Clock;
  readonly #redactor: Redactor;
  readonly #bootId: string;
  readonly #writer: AuditWriter;
  readonly #context = new AsyncLocalStorage<AuditContext>();
  readonly #counts = { written: 0, failed: 0, callbackFailures: 0 };
  #healthy = true;
  #closed = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#redactor = asRedactor(options.redact);
    this.#bootId = options.bootId ?? readBootId();
    this.#writer = new AuditWriter(options.logDir, (lost) => this.#lossLine(lost));
  }

  /**
   * Records one event. On return it is on disk, or the result says why it is not.
   *
   * @throws AuditError only with `durable: true`
   * @example
   * audit.log(AuditEventType.ERROR_TRANSIENT, 'Connection timeout', { jobId: 'job-456', details: { retryCount: 2 } });
   */
  log(type: AuditEventType, message: string, options: AuditLogEntryOptions = {}): AuditResult {
    try {
      if (this.#closed) throw new AuditError('AUDIT_CLOSED', 'the audit log is closed');
      const atMs = this.#clock.now();
      const durable = options.durable ?? ruleOf(type).durable;
      const seq = this.#writer.append(this.#line(type, message, options, atMs), atMs, durable);
      this.#counts.written += 1;
      this.#healthy = true;
      return { ok: true, seq };
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#failed(error);
      if (options.durable === true) throw error;
      return { ok: false, error };
    }
  }

  /**
   * Runs `action`; every entry it makes, however deep in asynchronous calls, carries the job.
   *
   * @example
   * await audit.jobContext('job-456', async () => audit.nodeCompleted({ nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150 }));
   */
  jobContext<T>(jobId: string, action: () => T): T {
    return this.#context.run({ jobId }, action);
  }

  /** As `jobContext`, for a node of the surrounding job. */
  nodeContext<T>(nodeId: string, action: () => T): T {
    return this.#context.run({ ...this.#context.getStore(), nodeId }, action);
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
    return readAuditLog(this.#options.logDir, filter);
  }

  getStatus(): AuditStatus {
    return { healthy: this.#healthy, ...this.#counts, lost: this.#writer.lost };
  }

  /** Syncs and closes the file. What is logged afterwards is refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#writer.close();
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      this.#failed(error);
    }
  }

  #line(type: AuditEventType, message: string, options: AuditLogEntryOptions, atMs: number): EntryLine {
    const rule = ruleOf(type);
    const context = this.#context.getStore();
    const entry: Omit<AuditEntry, 'seq'> = {
      v: 1,
      at: new Date(atMs).toISOString(),
      mono_ms: Math.round(this.#clock.monotonic() * 1_000) / 1_000,
      boot_id: this.#bootId,
      robot_id: this.#options.robotId,
      type,
      severity: options.severity ?? rule.severity,
      message: this.#text(message, longestMessage),
      job_id: this.#name(options.jobId ?? context?.jobId),
      node_id: this.#name(options.nodeId ?? context?.nodeId),
      actor: this.#text(options.actor ?? 'robot', longestName),
      outcome: options.outcome === undefined ? rule.outcome : options.outcome,
      details: asObject(this.#redactor.json(options.details ?? {})),
    };
    return (seq) => {
      const line = JSON.stringify({ ...entry, seq });
      const bytes = Buffer.byteLength(line);
      return bytes <= longestEntryBytes ? line : JSON.stringify({ ...entry, seq, details: { too_long_bytes: bytes } });
    };
  }

  #lossLine(lost: LostEntries): EntryLine {
    const message = `${lost.count} audit entries could not be written`;
    const details = { count: lost.count, since: new Date(lost.sinceMs).toISOString(), error: lost.error };
    return this.#line(AuditEventType.AUDIT_ENTRIES_LOST, message, { details }, this.#clock.now());
  }

  /** Redacted before it is cut, so that no part of a secret is left at the end. */
  #text(text: string, longest: number): string {
    const clean = this.#redactor.text(text);
    return clean.length > longest ? `${clean.slice(0, longest)}...` : clean;
  }

  #name(name: string | undefined): string | null {
    return name === undefined ? null : this.#text(name, longestName);
  }

  #failed(error: AuditError): void {
    this.#counts.failed += 1;
    this.#healthy = false;
    if (!notify(this.#options.onError, error)) this.#counts.callbackFailures += 1;
  }
}

function asObject(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
}
