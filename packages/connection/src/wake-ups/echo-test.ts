/**
 * The self-test of push: has the database send something, and waits for it. A topic may be joined before messages
 * flow, and may stay joined when they no longer do; only a message that came shows that they do.
 */
import { abortable, openScope } from '../abort-scope.ts';
import { classifyError } from '../classification/classify-error.ts';
import type { Clock } from '../ports.ts';
import { messageOf } from '../safe-read.ts';
import type { LinkEnd } from './realtime-link.ts';
import type { WakeUpConfig } from './wake-up-config.ts';

export interface EchoTestOptions {
  readonly requestEcho: (nonce: string, signal: AbortSignal) => Promise<boolean>;
  readonly newNonce: () => string;
  readonly config: Pick<WakeUpConfig, 'echoIntervalMs' | 'echoTimeoutMs'>;
  readonly clock: Clock;
}

export interface EchoListeners {
  /** A round trip succeeded. */
  readonly onProved: () => void;
  /** One did not. */
  readonly onDoubt: (reason: string) => void;
}

type Outcome =
  | { readonly kind: 'heard' }
  | { readonly kind: 'silence'; readonly reason: string }
  | { readonly kind: 'impossible'; readonly reason: string };

/** So many round trips in a row without an echo end the link: another one may do better. */
const MOST_SILENCES = 3;

/** The database has no such function: its migrations are older than this client. */
const NO_FUNCTION: ReadonlySet<string> = new Set(['PGRST202', '42883']);

export class EchoTest {
  readonly #options: EchoTestOptions;
  #awaited: { readonly nonce: string; readonly heard: () => void } | undefined;

  constructor(options: EchoTestOptions) {
    this.#options = options;
  }

  /** An echo came in. */
  heard(payload: unknown): void {
    const nonce = (payload as { nonce?: unknown } | null)?.nonce;
    if (nonce !== undefined && nonce === this.#awaited?.nonce) this.#awaited.heard();
  }

  /** Tests again and again; resolves when the link is of no use, rejects with the signal's reason when it aborts. */
  async run(signal: AbortSignal, listeners: EchoListeners): Promise<LinkEnd> {
    const { clock, config } = this.#options;
    for (let silences = 0; silences < MOST_SILENCES; ) {
      const outcome = await this.#roundTrip(signal);
      signal.throwIfAborted();
      if (outcome.kind === 'impossible') return { kind: 'absent', reason: outcome.reason };
      if (outcome.kind === 'heard') {
        silences = 0;
        listeners.onProved();
        await clock.sleep(config.echoIntervalMs, signal);
        continue;
      }
      silences += 1;
      listeners.onDoubt(outcome.reason);
      await clock.sleep(config.echoTimeoutMs / 5, signal);
    }
    return { kind: 'lost', reason: `no echo came back ${MOST_SILENCES} times in a row` };
  }

  async #roundTrip(signal: AbortSignal): Promise<Outcome> {
    const { requestEcho, newNonce, config, clock } = this.#options;
    const { echoTimeoutMs: timeoutMs } = config;
    const limit = { clock, timeoutMs, reason: () => new Error(`no echo within ${timeoutMs} ms`) };
    const scope = openScope({ parents: [signal], limit });
    const nonce = newNonce();
    const heard = new Promise<void>((resolve) => {
      this.#awaited = { nonce, heard: resolve };
    });
    try {
      scope.signal.throwIfAborted();
      const isPossible = await abortable(requestEcho(nonce, scope.signal), scope.signal);
      if (!isPossible) return { kind: 'impossible', reason: 'the database has no Realtime to broadcast with' };
      await abortable(heard, scope.signal);
      return { kind: 'heard' };
    } catch (error) {
      signal.throwIfAborted();
      const reason = messageOf(error);
      if (NO_FUNCTION.has(classifyError(error).code)) {
        return { kind: 'impossible', reason: `the database lacks the migration for wake-ups (${reason})` };
      }
      return { kind: 'silence', reason };
    } finally {
      this.#awaited = undefined;
      scope.close();
    }
  }
}
