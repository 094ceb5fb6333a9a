/** A map by label that stops growing: labels past the limit share one overflow entry (I7). */

export const overflowLabel = '__other__';

const longestLabel = 100;

export class BoundedLabels<T> {
  readonly #entries = new Map<string, T>();
  readonly #limit: number;
  readonly #create: () => T;
  #overflowed = 0;

  constructor(limit: number, create: () => T) {
    this.#limit = limit;
    this.#create = create;
  }

  /** How many uses of a label went to the overflow entry. */
  get overflowed(): number {
    return this.#overflowed;
  }

  of(label: string): T {
    const key = label.length > longestLabel ? label.slice(0, longestLabel) : label;
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    if (this.#entries.size < this.#limit) return this.#add(key);
    this.#overflowed += 1;
    return this.#entries.get(overflowLabel) ?? this.#add(overflowLabel);
  }

  /** What `describe` makes of every entry, by label. */
  report<R>(describe: (entry: T) => R): Record<string, R> {
    return Object.fromEntries([...this.#entries].map(([label, entry]) => [label, describe(entry)]));
  }

  #add(label: string): T {
    const entry = this.#create();
    this.#entries.set(label, entry);
    return entry;
  }
}
