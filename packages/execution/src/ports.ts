/**
 * What this package needs from outside, as small structural interfaces. The composition root passes
 * another package's object wherever the shapes agree; nothing here imports one.
 */
import type { JournalEntry } from './engine/journal.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Time as the package sees it; inject a manual one in tests. */
export interface Clock {
  /** Wall-clock time in ms since the epoch: for stamps, never for durations. */
  now(): number;
  /** Ms since an arbitrary origin that never steps back: for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

export interface Logger {
  log(level: LogLevel, message: string, fields?: JsonObject): void;
}

/** How an error is to be treated. `ambiguous` means: the effect may have happened all the same. */
export interface ErrorVerdict {
  readonly category: 'transient' | 'permanent' | 'unknown';
  readonly code: string;
  readonly ambiguous?: boolean;
}

export type ClassifyError = (error: unknown) => ErrorVerdict;

/**
 * The durable record of one run (I3). `commit` is one transaction: when it resolves, every entry is
 * durable; when it rejects, none is, and the engine stops before the next effect. Runners understand one rejection more:
 * `{ code: 'VALUE_TOO_LARGE', bytes, limitBytes }` says that it will never take these entries, however much room there is.
 * Then they are handed over one by one, and the node that gave the one that is refused fails with `RESULT_TOO_LARGE`.
 */
export interface RunJournal {
  /** Everything recorded so far, oldest first; empty for a new run. */
  load(): Promise<readonly JournalEntry[]>;
  commit(entries: readonly JournalEntry[]): Promise<void>;
  /**
   * Asked right before a node's function is called, at each attempt: throws when it must not begin any more, because
   * time has passed since its intent became durable. Then the run ends as after a refused commit, and what becomes of
   * the intent is decided when the run is resumed. Absent: every node whose intent is durable may begin.
   */
  beforeNode?(): void;
  /**
   * How many entries lie between two snapshots of the whole state, from whose newest a fold may start; what
   * came before one can be dropped. Absent: no snapshots are written.
   */
  readonly snapshotEveryEntries?: number;
}

/**
 * Calls a database function by name; resolves with its JSON result or rejects with a classified error, by `timeoutMs`
 * (ms) at the latest.
 */
export interface RpcPort {
  rpc(
    name: string,
    args: JsonObject,
    options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<JsonValue>;
}
