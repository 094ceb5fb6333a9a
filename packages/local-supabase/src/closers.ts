/** Undoes what a start has built up, in reverse order; one failure does not keep the rest from being undone. */

type Closer = () => Promise<void> | void;

export class Closers {
  readonly #closers: Closer[] = [];

  add(closer: Closer): void {
    this.#closers.push(closer);
  }

  /** Calls each closer once, the newest first. Rejects with the first error after all have been called. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (const closer of this.#closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
