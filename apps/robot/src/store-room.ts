/**
 * Keeps room in the local store (I7). Near its limit, retention gives way: what is kept of jobs that are over, and that
 * the server knows all about, goes earlier than usual. What that does not cure is told to the operator.
 */
import type { ValidSettings } from '@casare/config';
import type { Store } from '@casare/offline-store';

export interface StoreRoomOptions {
  readonly store: Pick<Store, 'stats' | 'cleanup'>;
  /** Null: no limit. */
  readonly limitMb: number | null;
  /** The store was full, and takes steps again. */
  readonly onRoom: () => void;
}

export function storeLimitBytes({ jobExecution: { storeLimitMb } }: ValidSettings): number | null {
  return storeLimitMb === null ? null : storeLimitMb * 1024 * 1024;
}

const hourMs = 3_600_000;
/** How long jobs that are over are kept, one try after the other, in ms. */
const shorterRetentions = [24 * hourMs, hourMs, 0];

export class StoreRoom {
  readonly #options: StoreRoomOptions;
  #wasFull = false;

  constructor(options: StoreRoomOptions) {
    this.#options = options;
  }

  /** @throws Error that says what the store refuses and what helps, while it has no room */
  async look(): Promise<void> {
    const { store, limitMb, onRoom } = this.#options;
    let { pressure } = await store.stats();
    for (const endedForMs of shorterRetentions) {
      if (pressure === 'none') break;
      await store.cleanup({ endedForMs });
      ({ pressure } = await store.stats());
    }
    const isFull = pressure === 'steps';
    if (this.#wasFull && !isFull) onRoom();
    this.#wasFull = isFull;
    if (pressure === 'none') return;
    const refused = isFull ? 'jobs wait, and only what ends one is saved' : 'events are not recorded any more';
    throw new Error(
      `nearly ${limitMb} MB are used (jobExecution.storeLimitMb), so ${refused}: raise the limit, or let the robot reach its database`,
    );
  }
}
