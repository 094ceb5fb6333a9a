/** A clock that stands still until a test moves it. */

interface Sleeper {
  readonly dueAt: number;
  readonly wake: () => void;
}

export interface ManualClockOptions {
  /** Wall-clock start in ms since the epoch. Default: 2026-01-01T00:00:00Z. */
  readonly startAtMs?: number;
}

export class ManualClock {
  #wall: number;
  #monotonic = 0;
  #boot = 0;
  #sleepers: Sleeper[] = [];

  constructor(options: ManualClockOptions = {}) {
    this.#wall = options.startAtMs ?? Date.UTC(2026, 0, 1);
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  /** Ms since this clock began, the time that its machine was suspended included. */
  sinceBoot(): number {
    return this.#boot;
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Ms until the first sleep is over; null when nobody sleeps. */
  get nextWakeInMs(): number | null {
    const first = Math.min(...this.#sleepers.map(({ dueAt }) => dueAt));
    return Number.isFinite(first) ? Math.max(0, first - this.#monotonic) : null;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        dueAt: this.#monotonic + Math.max(0, delayMs),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Moves both clocks forward, waking sleepers in due order and letting what they start run in between. */
  async advance(ms: number): Promise<void> {
    const target = this.#monotonic + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers.filter((sleeper) => sleeper.dueAt <= target).sort((a, b) => a.dueAt - b.dueAt)[0];
      if (next === undefined) break;
      this.#move(Math.max(next.dueAt, this.#monotonic));
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.wake();
    }
    this.#move(target);
    await settle();
  }

  /** Steps the wall clock alone, as an administrator or NTP would. */
  stepWall(ms: number): void {
    this.#wall += ms;
  }

  /** The machine sleeps: nothing runs, the monotonic clock stands, the wall clock and the time since boot go on. */
  suspend(ms: number): void {
    this.#wall += ms;
    this.#boot += ms;
  }

  #move(to: number): void {
    this.#wall += to - this.#monotonic;
    this.#boot += to - this.#monotonic;
    this.#monotonic = to;
  }
}

/** Lets promise callbacks and immediates that are already due run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
