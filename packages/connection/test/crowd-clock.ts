/** A manual clock for crowds: time moves in steps of 10 ms, and all who are due in one wake together. */
const STEP_MS = 10;

export class CrowdClock {
  #now: number;
  readonly #due = new Map<number, Set<() => void>>();

  constructor(startAtMs = 0) {
    this.#now = startAtMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  get sleeping(): number {
    return [...this.#due.values()].reduce((sum, { size }) => sum + size, 0);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const step = Math.max(this.#now + STEP_MS, Math.ceil((this.#now + delayMs) / STEP_MS) * STEP_MS);
      const sleepers = this.#due.get(step) ?? new Set();
      this.#due.set(step, sleepers);
      const onAbort = (): void => {
        sleepers.delete(wake);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      sleepers.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  async advance(ms: number): Promise<void> {
    await turns();
    for (const target = this.#now + ms; this.#now < target; ) {
      this.#now += STEP_MS;
      const sleepers = this.#due.get(this.#now);
      this.#due.delete(this.#now);
      for (const wake of sleepers ?? []) wake();
      if (sleepers !== undefined) await turns();
    }
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
