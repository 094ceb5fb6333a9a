/**
 * The waits between the attempts of calls. One ends before its time as soon as more is known about the service than when it began.
 *
 * A service that is down may say when to come back, but it guesses; PostgREST says what it had come to in the outage
 * before, which may be half a minute. So that is not waited for once a look has been answered; the caller's own backoff
 * is. Nothing is waited for once the connection is lost: who may wait does so for its return, and no longer. A throttle
 * means what it says, as long as the connection stands.
 */
import { openScope } from '../abort-scope.ts';
import type { Clock } from '../ports.ts';
import type { RetryEvent } from '../retry/retry-config.ts';
import { readField } from '../safe-read.ts';

export class Pauses {
  readonly #clock: Pick<Clock, 'sleep'>;
  #answered = new AbortController();
  #lost = new AbortController();

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  /** Rejects with the signal's reason when it aborts. */
  async pause({ error, delayMs }: RetryEvent, signal: AbortSignal): Promise<void> {
    const [answered, lost] = [this.#answered.signal, this.#lost.signal];
    const guessedMs = Math.min(delayMs, guessOf(error));
    await this.#sleep(delayMs - guessedMs, signal, [lost]);
    await this.#sleep(guessedMs, signal, [lost, answered]);
  }

  /** The service has answered a look. */
  answered(): void {
    this.#answered.abort();
    this.#answered = new AbortController();
  }

  /** The connection does not stand any more. */
  lost(): void {
    this.#lost.abort();
    this.#lost = new AbortController();
  }

  async #sleep(delayMs: number, signal: AbortSignal, enough: readonly AbortSignal[]): Promise<void> {
    const scope = openScope({ parents: [signal, ...enough] });
    try {
      await this.#clock.sleep(delayMs, scope.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!scope.signal.aborted) throw error;
    } finally {
      scope.close();
    }
  }
}

/** What of a wait is a guess of the service, in ms. */
function guessOf(error: unknown): number {
  const asked = readField(error, 'retryAfterMs');
  return typeof asked === 'number' && readField(error, 'class') !== 'T' ? asked : 0;
}
