/**
 * Keeps the database of `start --local` up: starts it again when it has ended by itself, as often as it takes. It is asked
 * every 10 s; when it has left three questions in a row without an answer for 10 s, it is killed, so that it is started
 * again at most 40 s after it began to hang. What it has confirmed is kept either way.
 *
 * running -> waiting -> starting -> running, and stopped from each of them. A start in vain leads back to waiting; the
 * waits grow until the database has stayed up for a while. The moves are pure functions; `LocalRestarts` makes them.
 */
import { type BackoffConfig, backoffDelayMs } from '@casare/connection/retry';
import type { Clock, Logger } from '@casare/execution';
import { messageOf } from '../message-of.ts';

export type RestartState =
  | { readonly kind: 'running'; readonly sinceMs: number; readonly restarts: number }
  /** `restarts`: how many there were since the database last stayed up for a while, this one included. */
  | { readonly kind: 'waiting'; readonly delayMs: number; readonly restarts: number }
  | { readonly kind: 'starting'; readonly restarts: number }
  | { readonly kind: 'stopped' };

export interface LocalDatabase {
  /** Resolves, when it is no more, with how it ended in words. */
  readonly ended: Promise<string>;
  /** Whether it answers before the signal aborts. Never rejects. */
  answers(limit: AbortSignal): Promise<boolean>;
  /** Ends it at once, whatever keeps it. */
  kill(): void;
  stop(): Promise<void>;
}

export interface LocalRestartsOptions {
  /** The one that is up. */
  readonly database: LocalDatabase;
  /** Starts it again, where it was; rejects when it does not come up, or the signal aborts. */
  readonly start: (signal: AbortSignal) => Promise<LocalDatabase>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two questions, and how long each may take, in ms. Default 10,000. */
  readonly askEveryMs?: number;
}

/** Questions without an answer, one after the other, that say that it hangs: one may be the robot's own pause. */
const silentQuestions = 3;

/** A database that stays up for this long is over its trouble, in ms. */
export const steadyMs = 60_000;
const delays: BackoffConfig = { initialDelayMs: 500, maxDelayMs: 30_000, backoffMultiplier: 2, jitter: false };

/** It has ended, or has not come up. */
export function gone(state: RestartState, nowMs: number): RestartState {
  if (state.kind === 'stopped') return state;
  const wasSteady = state.kind === 'running' && nowMs - state.sinceMs >= steadyMs;
  const restarts = wasSteady ? 1 : state.restarts + 1;
  return { kind: 'waiting', delayMs: backoffDelayMs(restarts, delays, () => 0), restarts };
}

/** The wait is over. */
export function due(state: RestartState): RestartState {
  return state.kind === 'waiting' ? { kind: 'starting', restarts: state.restarts } : state;
}

export function up(state: RestartState, nowMs: number): RestartState {
  return state.kind === 'starting' ? { kind: 'running', sinceMs: nowMs, restarts: state.restarts } : state;
}

export class LocalRestarts {
  readonly #options: LocalRestartsOptions;
  readonly #stopped = new AbortController();
  readonly #done: Promise<void>;
  #database: LocalDatabase;
  #state: RestartState;
  /** Why it did not come up, which is told once; null while it is up. */
  #problem: string | null = null;

  constructor(options: LocalRestartsOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#state = { kind: 'running', sinceMs: options.clock.monotonic(), restarts: 0 };
    this.#done = this.#keepUp();
  }

  get state(): RestartState {
    return this.#state;
  }

  /** Stops the database; resolves when it is gone and no more is started. */
  async stop(): Promise<void> {
    this.#state = { kind: 'stopped' };
    this.#stopped.abort();
    await this.#database.stop();
    await this.#done;
  }

  async #keepUp(): Promise<void> {
    for (;;) {
      switch (this.#state.kind) {
        case 'running':
          await this.#watch();
          break;
        case 'waiting':
          await this.#wait(this.#state.delayMs);
          break;
        case 'starting':
          await this.#start();
          break;
        case 'stopped':
          return;
      }
    }
  }

  async #watch(): Promise<void> {
    const ended = new AbortController();
    const looked = this.#lookAfter(this.#database, ended.signal);
    const how = await this.#database.ended;
    ended.abort();
    await looked;
    this.#state = gone(this.#state, this.#options.clock.monotonic());
    this.#tell('warning', `the embedded Supabase has ended (${how}); it is started again, jobs go on`);
  }

  /** Kills it when it hangs. */
  async #lookAfter(database: LocalDatabase, ended: AbortSignal): Promise<void> {
    const { clock, askEveryMs = 10_000 } = this.#options;
    const rest = (ms: number): Promise<void> => clock.sleep(ms, ended).catch(() => undefined);
    await rest(askEveryMs);
    for (let silent = 0; !ended.aborted; ) {
      const limit = new AbortController();
      const askedAt = clock.monotonic();
      void rest(askEveryMs).then(() => limit.abort());
      silent = (await database.answers(limit.signal)) ? 0 : silent + 1;
      if (ended.aborted) return;
      if (silent === silentQuestions) {
        const hasHung = `has not answered for ${(silentQuestions * askEveryMs) / 1_000} s`;
        this.#tell('warning', `the embedded Supabase ${hasHung}; it is killed, and started again`);
        return database.kill();
      }
      await rest(Math.max(0, askedAt + askEveryMs - clock.monotonic()));
    }
  }

  async #wait(delayMs: number): Promise<void> {
    await this.#options.clock.sleep(delayMs, this.#stopped.signal).catch(() => undefined);
    this.#state = due(this.#state);
  }

  async #start(): Promise<void> {
    const { clock, start } = this.#options;
    try {
      const database = await start(this.#stopped.signal);
      this.#state = up(this.#state, clock.monotonic());
      if (this.#stopped.signal.aborted) return database.stop();
      this.#database = database;
      this.#problem = null;
      this.#tell('info', 'the embedded Supabase is up again');
    } catch (error) {
      this.#state = gone(this.#state, clock.monotonic());
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      this.#tell('warning', `the embedded Supabase does not start (${problem}); it is tried again until it does`);
    }
  }

  #tell(level: 'info' | 'warning', message: string): void {
    if (this.#state.kind !== 'stopped') this.#options.logger.log(level, message);
  }
}
