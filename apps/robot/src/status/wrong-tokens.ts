/**
 * Slows down whoever guesses the token: after ten wrong ones within a minute an address is refused for the rest of it,
 * beyond loopback with the right token, too: there, a guess that is right must not be told. What it can do is still open through the control socket, to the robot's own account.
 */
import type { Clock } from '@casare/execution';

export interface WrongTokensOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called once when an address is shut out. */
  readonly onTooMany: (address: string) => void;
}

const limit = 10;
const periodMs = 60_000;
/** Addresses that are remembered; the oldest is forgotten first (I7). */
const mostAddresses = 1_000;

export class WrongTokens {
  readonly #options: WrongTokensOptions;
  readonly #periods = new Map<string, { readonly since: number; count: number }>();

  constructor(options: WrongTokensOptions) {
    this.#options = options;
  }

  /** Ms that an address has to wait; 0 when it may try. */
  waitMs(address: string): number {
    const period = this.#periods.get(address);
    if (period === undefined) return 0;
    const left = period.since + periodMs - this.#options.clock.monotonic();
    if (left <= 0) this.#periods.delete(address);
    return left > 0 && period.count >= limit ? left : 0;
  }

  /** One more wrong token came from there. */
  add(address: string): void {
    if (this.waitMs(address) > 0) return;
    const period = this.#periods.get(address) ?? { since: this.#options.clock.monotonic(), count: 0 };
    period.count += 1;
    this.#periods.set(address, period);
    if (period.count === limit) this.#options.onTooMany(address);
    const [oldest] = this.#periods.keys();
    if (this.#periods.size > mostAddresses && oldest !== undefined) this.#periods.delete(oldest);
  }
}
