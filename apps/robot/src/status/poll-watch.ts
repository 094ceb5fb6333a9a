/** When the robot last had a successful turn with the server, and why the last one failed. */
import type { Clock } from '@casare/execution';
import { messageOf } from '../message-of.ts';

export class PollWatch {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #succeededAt: number | null = null;
  #problem: string | null = null;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Ms; null: no turn has succeeded yet. */
  get sinceSuccessMs(): number | null {
    return this.#succeededAt === null ? null : this.#clock.monotonic() - this.#succeededAt;
  }

  /** What went wrong with the last turn; null when nothing did. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Takes a turn; one that did nothing because the robot was not connected is no success. */
  async watch(isConnected: () => boolean, turn: () => Promise<void>): Promise<void> {
    try {
      await turn();
    } catch (error) {
      this.#problem = messageOf(error);
      throw error;
    }
    this.#problem = null;
    if (isConnected()) this.#succeededAt = this.#clock.monotonic();
  }
}
