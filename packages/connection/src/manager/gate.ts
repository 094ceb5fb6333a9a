/** Where calls wait for the connection: bounded, and nobody who has left is remembered. */
export class Gate {
  readonly #waiting = new Set<{ readonly pass: () => void; readonly fail: (error: unknown) => void }>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when the gate opens; rejects when it fails, or with the signal's reason as soon as that aborts. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const leave = (): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(place);
      };
      const place = {
        pass: () => {
          leave();
          resolve();
        },
        fail: (error: unknown) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => place.fail(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(place);
    });
  }

  /** Lets everybody through who waits now. */
  open(): void {
    for (const { pass } of [...this.#waiting]) pass();
  }

  /** Turns everybody away who waits now. */
  fail(error: unknown): void {
    for (const { fail } of [...this.#waiting]) fail(error);
  }
}
