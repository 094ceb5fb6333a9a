import { savedCounts } from './trip-record.ts';
import type { TripCounts, TripRecord, TripRule } from './trip-rule.ts';

export interface CountWindow {
  readonly size: number;
  readonly failureRate: number;
  readonly minimumCalls: number;
}

/** A window is memory: a byte a call. */
export const LARGEST_WINDOW = 100_000;

/** Opens on the share of failures among the last calls: a ring of outcomes, 1 for a failure. */
export class CountWindowRule implements TripRule {
  readonly #window: CountWindow;
  readonly #outcomes: Uint8Array;
  #next = 0;
  #calls = 0;
  #failures = 0;

  constructor(window: CountWindow) {
    this.#window = window;
    this.#outcomes = new Uint8Array(window.size);
  }

  success(): void {
    this.#push(0);
  }

  failure(): boolean {
    this.#push(1);
    const { failureRate, minimumCalls } = this.#window;
    return this.#calls >= minimumCalls && this.#failures / this.#calls >= failureRate;
  }

  clear(): void {
    this.#next = 0;
    this.#calls = 0;
    this.#failures = 0;
    this.#outcomes.fill(0);
  }

  get counts(): TripCounts {
    return { failures: this.#failures, calls: this.#calls };
  }

  save(): TripRecord {
    const { size } = this.#window;
    const oldest = this.#calls < size ? 0 : this.#next;
    const outcomes = Array.from({ length: this.#calls }, (_, n) => this.#outcomes[(oldest + n) % size] ?? 0);
    return { kind: 'count-window', outcomes };
  }

  restore(record: TripRecord): void {
    this.clear();
    const outcomes = savedCounts(record, 'outcomes', LARGEST_WINDOW);
    if (outcomes.some((outcome) => outcome > 1)) throw new TypeError('counts.outcomes must be zeros and ones');
    for (const outcome of outcomes.slice(-this.#window.size)) this.#push(outcome);
  }

  #push(outcome: number): void {
    const { size } = this.#window;
    if (this.#calls === size) this.#failures -= this.#outcomes[this.#next] ?? 0;
    else this.#calls += 1;
    this.#outcomes[this.#next] = outcome;
    this.#failures += outcome;
    this.#next = (this.#next + 1) % size;
  }
}
