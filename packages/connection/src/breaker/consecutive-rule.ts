import { savedCount } from './trip-record.ts';
import type { TripCounts, TripRecord, TripRule } from './trip-rule.ts';

/** Opens after so many failures in a row. */
export class ConsecutiveRule implements TripRule {
  readonly #threshold: number;
  #failures = 0;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  success(): void {
    this.#failures = 0;
  }

  failure(): boolean {
    this.#failures += 1;
    return this.#failures >= this.#threshold;
  }

  clear(): void {
    this.#failures = 0;
  }

  get counts(): TripCounts {
    return { failures: this.#failures, calls: this.#failures };
  }

  save(): TripRecord {
    return { kind: 'consecutive', failures: this.#failures };
  }

  /** Under a lower threshold than when it was saved, one more failure opens the circuit. */
  restore(record: TripRecord): void {
    this.#failures = Math.min(savedCount(record, 'failures'), this.#threshold - 1);
  }
}
