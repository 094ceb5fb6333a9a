/** A map by label that stops growing: labels past the limit share one overflow entry (I7). */
import { shortText } from './short-text.ts';

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

  /** Goes on from a count of an earlier time. */
  restoreOverflowed(count: number): void {
    this.#overflowed = count;
  }

  of(label: string): T {
    const found = this.#entries.get(label);
    if (found !== undefined) return found;
    const key = asShown(label);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size < this.#limit) return this.#add(key);
    this.#overflowed += 1;
    return this.#entries.get(overflowLabel) ?? this.#add(overflowLabel);
  }

  get entries(): readonly (readonly [label: string, entry: T])[] {
    return [...this.#entries];
  }

  /** Puts an entry of an earlier time under its label; one more than the limit is dropped. */
  restore(label: string, entry: T): void {
    if (this.#entries.size < this.#limit || label === overflowLabel) this.#entries.set(label, entry);
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

/** Texts that exporters cannot tell from each other are one label: a series that comes twice spoils all of them. */
function asShown(label: string): string {
  return shortText(label, longestLabel)
    .toWellFormed()
    .replaceAll(/(?!\n)\p{Cc}/gu, ' ');
}
