/** What an audit log is made of and what its entries take, and what of that is refused. */
import * as must from '../arguments.ts';
import type { AuditError } from '../errors.ts';
import type { Clock, Logger } from '../ports.ts';
import type { RedactOptions, Redactor } from '../redaction/redactor.ts';
import { AuditEventType, type AuditOutcome, AuditSeverity } from './audit-event.ts';
import { mostUnsigned } from './chain-line.ts';
import type { Checkpoint } from './signed-records.ts';

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

/** Longest time that an entry stays unsigned, in ms. */
export const defaultCheckpointMs = 60_000;

export const requireOptions: must.Check = must.options({
  robotId: must.filledText,
  logDir: must.filledText,
  redact: must.optional(must.object),
  keyDir: must.optional(must.filledText),
  segmentMaxBytes: must.optional(must.positive),
  checkpointEvery: must.optional(
    must.rule(
      `a whole number from 1 to ${mostUnsigned}`,
      (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostUnsigned,
    ),
  ),
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
export const requireType: must.Check = must.oneOf(Object.values(AuditEventType));
export const requireContextOptions: must.Check = must.options({ traceId: must.optional(must.text) });
export const requireEntryOptions: must.Check = must.only({
  severity: must.optional(must.oneOf(Object.values(AuditSeverity))),
  jobId: must.optional(must.text),
  nodeId: must.optional(must.text),
  actor: must.optional(must.text),
  outcome: must.optional(must.nullable(must.oneOf(['success', 'failure', 'cancelled', 'unknown']))),
  traceId: must.optional(must.text),
  details: must.optional(must.object),
  durable: must.optional(must.flag),
});
