/** The operational log, by winston: what the robot tells the people who run it. The audit log is the record. */
import { Writable } from 'node:stream';
import winston from 'winston';
import * as must from '../arguments.ts';
import { messageOf } from '../errors.ts';
import type { Clock, Logger, LogLevel } from '../ports.ts';
import type { JsonObject, JsonValue } from '../redaction/plain-json.ts';
import { asRedactor, type RedactOptions, type Redactor } from '../redaction/redactor.ts';
import { systemClock } from '../system-clock.ts';
import { formatLine, type LogFormat, type LogRecord } from './format-line.ts';
import { logLevels } from './log-level.ts';
import { fileSink, type LogFileOptions, type LogSink, streamSink } from './log-sink.ts';

export interface CreateLoggerOptions {
  /** Least level that is logged. Default `info`. */
  readonly level?: LogLevel;
  /** Format of the stream; files are always JSON. Default `human`. */
  readonly format?: LogFormat;
  /** Default `process.stderr`; null for none. */
  readonly stream?: (NodeJS.WritableStream & { readonly writableLength: number }) | null;
  /** A file beside the stream. Default none. */
  readonly file?: LogFileOptions;
  /** Told once when lines cannot be written to the file, with what keeps them from it, and once, with null, when they can again. */
  readonly onFileProblem?: (problem: string | null) => void;
  readonly redact?: RedactOptions | Redactor;
  /** Fields of every line. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Gets every line that is logged, without secrets, when it has been handed to the other places. What it throws is counted. */
  readonly onLine?: (line: LogRecord) => void;
  readonly clock?: Clock;
}

export interface OperationalLogger extends Logger {
  /** A logger into the same places, whose lines carry these fields as well. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
  /** Lines that did not reach a place they were meant for, and why the last one did not. */
  getStatus(): { readonly failed: number; readonly lastError: string | null };
  /** Resolves when everything logged has been handed over. Lines logged later are dropped. */
  close(): Promise<void>;
}

/**
 * @throws ArgumentError naming the option; the logger's own methods never throw: a line under a level that is none is logged as
 *   `info`, with the field `given_level`, or counted where `info` is not logged
 * @example
 * const logger = createLogger({ level: 'info', fields: { robot: 'robot-123' } });
 * logger.log('info', 'connected', { url: 'https://example.supabase.co' });
 * await logger.close();
 */
export function createLogger(options: CreateLoggerOptions = {}): OperationalLogger {
  requireOptions('options', options);
  const clock = options.clock ?? systemClock;
  const redactor = asRedactor(options.redact);
  const status = { failed: 0, lastError: null as string | null };
  const onError = (message: string): void => {
    status.failed += 1;
    status.lastError = message;
  };
  let fileProblem: string | null = null;
  const tell = (problem: string | null): void => {
    if ((problem === null) === (fileProblem === null)) return;
    fileProblem = problem;
    options.onFileProblem?.(problem);
  };
  const places = [
    ...(options.stream === null
      ? []
      : [{ sink: streamSink(options.stream ?? process.stderr), format: options.format ?? 'human' }]),
    ...(options.file === undefined ? [] : [{ sink: watched(fileSink(options.file), tell), format: 'json' as const }]),
  ];
  const logger = winston.createLogger({
    levels: { ...logLevels },
    level: options.level ?? 'info',
    silent: places.length === 0,
    transports: places.map(
      ({ sink, format }) => new winston.transports.Stream({ stream: recordStream(sink, format, onError) }),
    ),
  });
  let closed = false;

  const write = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void => {
    if (closed) return;
    const isKnown = typeof level === 'string' && Object.hasOwn(logLevels, level);
    const under = isKnown ? level : 'info';
    if (!logger.isLevelEnabled(under)) {
      if (!isKnown) onError(`a line was logged under a level that is none: ${JSON.stringify(redactor.json(level))}`);
      return;
    }
    const record: LogRecord = {
      at: new Date(clock.now()).toISOString(),
      level: under,
      // As JSON, also a text: bounded like the fields, and cut only when the secrets are out of it.
      message: valueText(redactor.json(message)),
      fields: redactor.json({ ...options.fields, ...fields, ...(isKnown ? {} : { given_level: level }) }) as JsonObject,
    };
    logger.log({ level: under, message: '', record });
    try {
      options.onLine?.(record);
    } catch (error) {
      onError(messageOf(error));
    }
  };
  return {
    log: (level, message, fields = {}) => write(level, message, fields),
    child: (own) => ({ log: (level, message, fields = {}) => write(level, message, { ...own, ...fields }) }),
    getStatus: () => ({ ...status }),
    async close() {
      if (closed) return;
      closed = true;
      await new Promise<void>((resolve) => {
        logger.once('finish', resolve);
        logger.end();
      });
      await Promise.all(places.map(({ sink }) => sink.close()));
    },
  };
}

/** Whoever logs something else than a text must not be stopped by it, nor lose what was meant. */
function valueText(value: JsonValue): string {
  if (value === null) return '(no message)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const requireOptions = must.options({
  level: must.optional(must.oneOf(Object.keys(logLevels))),
  format: must.optional(must.oneOf(['human', 'json'])),
  stream: must.optional(must.nullable(must.withMethods('write', 'on'))),
  file: must.optional(
    must.options({
      path: must.filledText,
      maxBytes: must.optional(must.positive),
      maxFiles: must.optional(must.positiveWhole),
      after: must.optional(must.withMethods('then')),
    }),
  ),
  onFileProblem: must.optional(must.aFunction),
  redact: must.optional(must.object),
  fields: must.optional(must.object),
  onLine: must.optional(must.aFunction),
  clock: must.optional(must.withMethods('now')),
});

/** The same sink, whose turns from good to bad and back are told; a line that still waits says nothing. */
function watched(sink: LogSink, tell: (problem: string | null) => void): LogSink {
  const failed = (onError: (message: string) => void) => (message: string) => {
    onError(message);
    tell(message);
  };
  return {
    write(line, onError) {
      try {
        if (sink.write(line, failed(onError)) !== 'waits') tell(null);
      } catch (error) {
        tell(messageOf(error));
        throw error;
      }
    },
    close: () => sink.close(),
  };
}

/** Hands records to a sink at once; a sink that fails is counted, never thrown through winston. */
function recordStream(sink: LogSink, format: LogFormat, onError: (message: string) => void): Writable {
  return new Writable({
    objectMode: true,
    write(info: { readonly record: LogRecord }, _encoding, next) {
      try {
        sink.write(formatLine(info.record, format), onError);
      } catch (error) {
        onError(messageOf(error));
      }
      next();
    },
  });
}
