/**
 * Keeps room in the local store (I7). Near its limit, retention gives way: what is kept of jobs that are over, and that
 * the server knows all about, goes earlier than usual. What that does not cure is told to the operator.
 */
import type { ValidSettings } from '@casare/config';
import type { Store, StoreStats } from '@casare/offline-store';

export interface StoreRoomOptions {
  readonly store: Pick<Store, 'stats' | 'cleanup'>;
  /** Null: no limit. */
  readonly limitMb: number | null;
  /** The store was full, and takes steps again. */
  readonly onRoom: () => void;
}

interface LimitedStore {
  readonly jobExecution: Pick<ValidSettings['jobExecution'], 'storeLimitMb'>;
}

export function storeLimitBytes({ jobExecution: { storeLimitMb } }: LimitedStore): number | null {
  return storeLimitMb === null ? null : storeLimitMb * 1024 * 1024;
}

const hourMs = 3_600_000;
/** How long jobs that are over are kept, one try after the other, in ms. */
const shorterRetentions = [24 * hourMs, hourMs, 0];
/** Part of what steps may use from which on room is made: events are refused at nine tenths, and should not have to be. */
const tightShare = 0.75;
/** Looks that pass, while nothing is refused, after one that found nothing to drop. */
const restAfterNothing = 15;

export class StoreRoom {
  readonly #options: StoreRoomOptions;
  #wasFull = false;
  #rest = 0;

  constructor(options: StoreRoomOptions) {
    this.#options = options;
  }

  /** @throws Error that says what the store refuses and what helps, while it has no room */
  async look(): Promise<void> {
    const { limitMb, onRoom } = this.#options;
    let stats = await this.#options.store.stats();
    if (isTight(stats)) stats = await this.#makeRoom(stats);
    const { pressure } = stats;
    const isFull = pressure === 'steps';
    if (this.#wasFull && !isFull) onRoom();
    this.#wasFull = isFull;
    if (pressure === 'none') return;
    const refused = isFull ? 'jobs wait, and only what ends one is saved' : 'events are not recorded any more';
    const remedy = 'raise the limit, or let the robot reach its database';
    throw new Error(`nearly ${limitMb} MB are used (jobExecution.storeLimitMb), so ${refused}: ${remedy}`);
  }

  async #makeRoom(before: StoreStats): Promise<StoreStats> {
    const { store } = this.#options;
    this.#rest -= 1;
    if (this.#rest > 0 && before.pressure === 'none') return before;
    let stats = before;
    let dropped = 0;
    for (const endedForMs of shorterRetentions) {
      dropped += (await store.cleanup({ endedForMs })).jobs;
      stats = await store.stats();
      if (!isTight(stats)) break;
    }
    this.#rest = dropped === 0 ? restAfterNothing : 0;
    return stats;
  }
}

function isTight({ bytes, freeBytes, maxBytes, reserveBytes }: StoreStats): boolean {
  return maxBytes !== null && bytes - freeBytes > tightShare * (maxBytes - reserveBytes);
}
