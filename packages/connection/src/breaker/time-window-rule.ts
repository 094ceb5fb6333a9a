import type { Clock } from '../ports.ts';
import { savedCounts } from './trip-record.ts';
import type { TripCounts, TripRecord, TripRule } from './trip-rule.ts';

export interface TimeWindow {
  readonly windowMs: number;
  readonly failureRate: number;
  readonly minimumCalls: number;
}

/** The window is kept in so many slices: constant memory, however many calls fall into it. */
const SLICES = 10;

/** Opens on the share of failures among the calls of the last while. */
export class TimeWindowRule implements TripRule {
  readonly #window: TimeWindow;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #sliceMs: number;
  readonly #successes: number[] = new Array(SLICES).fill(0);
  readonly #failures: number[] = new Array(SLICES).fill(0);
  /** Counted from the clock's origin; the slice that is written to is this one modulo `SLICES`. */
  #slice: number;

  constructor(window: TimeWindow, clock: Pick<Clock, 'monotonic'>) {
    this.#window = window;
    this.#clock = clock;
    this.#sliceMs = window.windowMs / SLICES;
    this.#slice = this.#sliceNow();
  }

  success(): void {
    const at = this.#catchUp();
    this.#successes[at] = (this.#successes[at] ?? 0) + 1;
  }

  failure(): boolean {
    const at = this.#catchUp();
    this.#failures[at] = (this.#failures[at] ?? 0) + 1;
    const { failures, calls } = this.#sum();
    return calls >= this.#window.minimumCalls && failures / calls >= this.#window.failureRate;
  }

  clear(): void {
    this.#successes.fill(0);
    this.#failures.fill(0);
  }

  get counts(): TripCounts {
    this.#catchUp();
    return this.#sum();
  }

  /** Slices from the oldest to the present one: ages, not times. */
  save(): TripRecord {
    const at = this.#catchUp();
    const inOrder = (ring: readonly number[]): number[] => [...ring.slice(at + 1), ...ring.slice(0, at + 1)];
    return { kind: 'time-window', successes: inOrder(this.#successes), failures: inOrder(this.#failures) };
  }

  restore(record: TripRecord): void {
    const successes = savedCounts(record, 'successes', SLICES);
    const failures = savedCounts(record, 'failures', SLICES);
    const at = this.#catchUp();
    for (let age = 0; age < SLICES; age += 1) {
      const slot = ringIndex(at - age);
      this.#successes[slot] = successes.at(-1 - age) ?? 0;
      this.#failures[slot] = failures.at(-1 - age) ?? 0;
    }
  }

  /** Empties the slices whose time has come round again, and says which one is the present one. */
  #catchUp(): number {
    const now = this.#sliceNow();
    const passed = Math.min(SLICES, Math.max(0, now - this.#slice));
    for (let n = 1; n <= passed; n += 1) {
      const slot = ringIndex(this.#slice + n);
      this.#successes[slot] = 0;
      this.#failures[slot] = 0;
    }
    if (passed > 0) this.#slice = now;
    return ringIndex(this.#slice);
  }

  #sliceNow(): number {
    return Math.floor(this.#clock.monotonic() / this.#sliceMs);
  }

  #sum(): TripCounts {
    let failures = 0;
    let successes = 0;
    for (let slot = 0; slot < SLICES; slot += 1) {
      failures += this.#failures[slot] ?? 0;
      successes += this.#successes[slot] ?? 0;
    }
    return { failures, calls: failures + successes };
  }
}

function ringIndex(slice: number): number {
  return ((slice % SLICES) + SLICES) % SLICES;
}
