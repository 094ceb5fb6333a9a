/**
 * Why a run has to stop, and how long what is left of it may still take.
 *
 *   running -> cancel | suspend | job_timeout | refused     the first cause counts, later ones are ignored
 *   cancel, job_timeout, refused -> grace -> grace over    finally bodies run within the grace, not beyond it
 *   suspend -> grace over                                  effects may finish; where the request has a limit, until then
 */
import type { RunError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { longSleep } from './long-sleep.ts';

export type StopCause =
  | { readonly kind: 'cancel'; readonly reason: string; readonly requestedBy: string | null }
  | { readonly kind: 'suspend'; readonly reason: string; readonly withinMs?: number }
  | { readonly kind: 'job_timeout'; readonly limitMs: number }
  /** A node was refused a permission. */
  | { readonly kind: 'refused'; readonly error: RunError };

/** Why a node has to stop: because the run has to, or because the lane that it runs in has to. */
export type NodeStopCause = StopCause | { readonly kind: 'lane' };

export interface StopControlOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** What is left of the job's time; null: no limit. */
  readonly remainingMs: number | null;
  /** The whole limit, for the message. */
  readonly jobTimeoutMs: number | null;
  readonly graceMs: number;
}

export class StopControl {
  readonly #options: StopControlOptions;
  readonly #timers = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #onAbort: () => void;
  #cause: StopCause | null = null;
  #grace: 'not begun' | 'running' | 'over' = 'not begun';

  constructor(options: StopControlOptions) {
    this.#options = options;
    this.#onAbort = () => this.#stopBecause(causeOf(options.signal?.reason));
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    const { remainingMs, jobTimeoutMs } = options;
    if (remainingMs !== null) {
      this.#after(remainingMs, () => this.#stopBecause({ kind: 'job_timeout', limitMs: jobTimeoutMs ?? remainingMs }));
    }
  }

  get cause(): StopCause | null {
    return this.#cause;
  }

  /** What was left of the job's time when this began; null: no limit. */
  get remainingMs(): number | null {
    return this.#options.remainingMs;
  }

  get isGraceOver(): boolean {
    return this.#grace === 'over';
  }

  refuse(error: RunError): void {
    this.#stopBecause({ kind: 'refused', error });
  }

  /** Calling it again does not prolong the grace. */
  beginGrace(): void {
    if (this.#grace !== 'not begun') return;
    this.#endGraceAfter(this.#options.graceMs);
  }

  #endGraceAfter(graceMs: number): void {
    if (graceMs <= 0) {
      this.#grace = 'over';
      return;
    }
    this.#grace = 'running';
    this.#after(graceMs, () => {
      this.#grace = 'over';
      this.tellAll();
    });
  }

  /** Asks for a stop from inside of the run. */
  suspend(reason: string): void {
    this.#stopBecause({ kind: 'suspend', reason });
  }

  /** Lets everything that runs look again whether it is meant by a stop. */
  tellAll(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** @returns a function that stops listening */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#timers.abort();
    this.#listeners.clear();
  }

  #stopBecause(cause: StopCause): void {
    if (this.#cause !== null) return;
    this.#cause = cause;
    if (cause.kind === 'suspend' && cause.withinMs !== undefined) this.#endGraceAfter(cause.withinMs);
    this.tellAll();
  }

  #after(delayMs: number, action: () => void): void {
    longSleep(this.#options.clock, delayMs, this.#timers.signal).then(action, () => undefined);
  }
}

function causeOf(reason: unknown): StopCause {
  const given: { kind?: unknown; reason?: unknown; requestedBy?: unknown; limitMs?: unknown; withinMs?: unknown } =
    typeof reason === 'object' && reason !== null ? reason : {};
  if (given.kind === 'job_timeout' && typeof given.limitMs === 'number') {
    return { kind: 'job_timeout', limitMs: given.limitMs };
  }
  const text = typeof given.reason === 'string' ? given.reason : '';
  if (given.kind === 'suspend') {
    const limit = typeof given.withinMs === 'number' ? { withinMs: given.withinMs } : {};
    return { kind: 'suspend', reason: text || 'asked to suspend', ...limit };
  }
  const requestedBy = typeof given.requestedBy === 'string' ? given.requestedBy : null;
  return { kind: 'cancel', reason: given.kind === 'cancel' && text !== '' ? text : 'cancelled', requestedBy };
}
