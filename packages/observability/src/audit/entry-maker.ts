/** Makes entries of what is told: who did it and in which job, redacted and cut to a bounded size. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { JsonObject, JsonValue } from '../redaction/plain-json.ts';
import type { Redactor } from '../redaction/redactor.ts';
import type { EntryBody } from './audit-entry.ts';
import { type AuditEventType, ruleOf } from './audit-event.ts';
import type { AuditLogEntryOptions } from './audit-log-options.ts';
import type { Moment, WriterNews } from './audit-writer.ts';
import { traceIdOf } from './trace-id.ts';
import { newsEntry } from './writer-news.ts';

interface AuditContext {
  readonly jobId?: string;
  readonly traceId?: string;
  readonly nodeId?: string;
}

const longestMessage = 4_096;
const longestName = 200;
export interface EntryMakerOptions {
  readonly robotId: string;
  readonly bootId: string;
  readonly redactor: Redactor;
}

export class EntryMaker {
  readonly #options: EntryMakerOptions;
  readonly #context = new AsyncLocalStorage<AuditContext>();

  constructor(options: EntryMakerOptions) {
    this.#options = options;
  }

  /** Runs `action`: what is told meanwhile is about this job. */
  within<T>(context: AuditContext, action: () => T): T {
    return this.#context.run(context, action);
  }

  /** As `within`, in the surrounding job. */
  withinNode<T>(nodeId: string, action: () => T): T {
    return this.#context.run({ ...this.#context.getStore(), nodeId }, action);
  }

  entry(type: AuditEventType, message: string, options: AuditLogEntryOptions, moment: Moment): EntryBody {
    const rule = ruleOf(type);
    const context = this.#context.getStore();
    const jobId = options.jobId ?? context?.jobId;
    const isOfContext = jobId === context?.jobId;
    return {
      at: new Date(moment.atMs).toISOString(),
      mono_ms: Math.round(moment.monoMs * 1_000) / 1_000,
      boot_id: this.#options.bootId,
      robot_id: this.#options.robotId,
      type,
      severity: options.severity ?? rule.severity,
      message: this.#text(message, longestMessage),
      job_id: this.#name(jobId),
      node_id: this.#name(options.nodeId ?? context?.nodeId),
      actor: this.#text(options.actor ?? 'robot', longestName),
      outcome: options.outcome === undefined ? rule.outcome : options.outcome,
      trace_id: this.#name(options.traceId ?? (isOfContext ? context?.traceId : undefined) ?? traceIdOf(jobId)),
      details: asObject(this.#options.redactor.json(options.details ?? {})),
    };
  }

  /** An entry about the log itself, which belongs to no job. */
  aboutTheLog(news: WriterNews, moment: Moment): EntryBody {
    const { type, message, ...rest } = newsEntry(news);
    return { ...this.entry(type, message, rest, moment), job_id: null, node_id: null, trace_id: null };
  }

  /** Redacted before it is cut, so that no part of a secret is left at the end. */
  #text(text: string, longest: number): string {
    // A record of something that cannot be named well is better than none.
    const clean = this.#options.redactor.text(typeof text === 'string' ? text : String(text));
    return clean.length > longest ? `${clean.slice(0, longest)}...` : clean;
  }

  #name(name: string | undefined): string | null {
    return name === undefined ? null : this.#text(name, longestName);
  }
}

function asObject(value: JsonValue): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : { value };
}
