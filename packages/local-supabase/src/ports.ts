/** What this package hands out, and the little that it needs from outside. */

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Receives what a server has to say. Never called with keys, tokens or the contents of jobs. */
export type Log = (level: LogLevel, message: string) => void;

/** Time as this package sees it. */
export interface Clock {
  /** Wall-clock time in ms since the epoch: for stamps, never for durations. */
  now(): number;
  /** Ms since an arbitrary origin that never steps back: for durations and deadlines. */
  monotonic(): number;
  /** Resolves after `delayMs`; rejects with `signal.reason` as soon as the signal aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface SupabaseServerOptions {
  /**
   * Folder that keeps the data, the keys and the port, readable by its owner only; created when missing.
   * Starting again on the same folder brings all three back. Default: a throw-away server.
   */
  readonly dataDir?: string;
  /** TCP port on 127.0.0.1. Default: the port used last with this `dataDir` if it is free, else any free one. */
  readonly port?: number;
  /** Folder with the numbered `*.sql` files to apply at start. Default: the ones this package comes with. */
  readonly migrationsDir?: string;
  /** Default: silence. */
  readonly log?: Log;
}

/** A running server: what `createClient(url, key)` of supabase-js needs, and a way to stop it. */
export interface SupabaseServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Passes row level security. */
  readonly serviceKey: string;
  /** Identifies the project only; grants nothing by itself. */
  readonly anonKey: string;
  readonly kind: 'embedded' | 'postgres';
  /**
   * Runs SQL as the owner of the database: for tests and migrations only. Without `params` the text may hold several
   * statements; the rows of the last one are returned. Timestamps come back as text in UTC, a bigint as a number.
   */
  sql<T = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<T[]>;
  /**
   * A token, valid for a day, of a signed-in user with this id (a uuid). Pass it to supabase-js beside the `anonKey`:
   * `createClient(url, anonKey, { accessToken: async () => token })`.
   */
  userToken(userId: string): Promise<string>;
  /** Closes every connection, then the database. Safe to call again. */
  stop(): Promise<void>;
}
