/**
 * Waits for an abort or a deadline beside some work. Most work is over within the turn of the event loop in which it
 * began; a listener and a timer would then cost more than the work. So a watch arms them only if it still stands when
 * the turn ends (`setImmediate`), for all watches together, and takes them with it when it ends. Nothing can have
 * struck before that without being seen: a signal that aborted meanwhile is looked at, a deadline is a fixed point.
 */
import type { Clock } from './ports.ts';

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limit?:
    | {
        readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
        /** Monotonic ms. */
        readonly at: number;
        readonly reason: () => unknown;
      }
    | undefined;
  /** Called at most once, with the signal's or the limit's reason. */
  readonly strike: (reason: unknown) => void;
}

let first: Watch | undefined;
let turnEnds = false;

export class Watch {
  readonly #options: WatchOptions;
  #state: 'unarmed' | 'armed' | 'over' = 'unarmed';
  #before: Watch | undefined;
  #after: Watch | undefined;
  #disarm: AbortController | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#after = first;
    if (first !== undefined) first.#before = this;
    first = this;
    if (turnEnds) return;
    turnEnds = true;
    setImmediate(Watch.#armAll);
  }

  /** Takes listener and timer away. Nothing strikes any more. */
  end(): void {
    if (this.#state === 'unarmed') this.#unlink();
    this.#state = 'over';
    this.#disarm?.abort();
  }

  static #armAll(this: void): void {
    turnEnds = false;
    for (let watch = first; watch !== undefined; watch = first) {
      watch.#unlink();
      // A signal that is none, or a clock that throws, ends its own work; the other watches are armed all the same.
      try {
        watch.#arm();
      } catch (error) {
        watch.#strike(error);
      }
    }
  }

  #unlink(): void {
    if (this.#before === undefined) first = this.#after;
    else this.#before.#after = this.#after;
    if (this.#after !== undefined) this.#after.#before = this.#before;
    this.#before = undefined;
    this.#after = undefined;
  }

  #arm(): void {
    this.#state = 'armed';
    const { signal, limit } = this.#options;
    if (signal?.aborted === true) {
      this.#strike(signal.reason);
      return;
    }
    const disarm = new AbortController();
    this.#disarm = disarm;
    signal?.addEventListener('abort', () => this.#strike(signal.reason), { once: true, signal: disarm.signal });
    if (limit === undefined) return;
    limit.clock.sleep(Math.max(0, limit.at - limit.clock.monotonic()), disarm.signal).then(
      () => this.#strike(limit.reason()),
      (error: unknown) => {
        if (!disarm.signal.aborted) this.#strike(error);
      },
    );
  }

  #strike(reason: unknown): void {
    if (this.#state === 'over') return;
    this.end();
    this.#options.strike(reason);
  }
}
