/**
 * Wake-ups: hints from the server that there is something to do, so that nobody has to wait for the next poll. They
 * are never the truth: one that is lost costs time, nothing else.
 *
 *   OFF ──start──▶ CONNECTING ──joined──▶ PROVING ──round trip──▶ ALIVE
 *                    ▲  ▲                    ▲────(none came)────────┘
 *                    │  └── WAITING ◀─ lost ─┴──────────────────┘
 *                    └───── REFUSED ◀─ refused
 *
 * Promises kept here:
 * W1 `isAlive` only after a message came the whole way, through the database and Realtime, and not longer than
 *    heartbeats and round trips go on to succeed;
 * W2 whatever the server does, another link is made: soon and with jitter after a loss, seldom after a refusal;
 * W3 after `stop` there is no socket, timer or pending promise left.
 */
import { randomUUID } from 'node:crypto';
import { openScope } from '../abort-scope.ts';
import {
  requireFunction,
  requireFunctions,
  requireList,
  requireMethods,
  requireObject,
  requireOptions,
  requireText,
} from '../argument-error.ts';
import { checkToken } from '../auth/credentials.ts';
import { checkKey, checkUrl } from '../check-project.ts';
import { harmless, notify } from '../listeners.ts';
import type { Clock, Logger, Random } from '../ports.ts';
import { Redactor } from '../redactor.ts';
import { requireAtLeast } from '../require-at-least.ts';
import { backoffDelayMs } from '../retry/backoff.ts';
import { messageOf } from '../safe-read.ts';
import { systemClock, systemRandom, warningLogger } from '../system-clock.ts';
import { EchoTest } from './echo-test.ts';
import { type OpenPushSocket, openPushSocket } from './push-socket.ts';
import { type Broadcast, type LinkEnd, RealtimeLink } from './realtime-link.ts';
import { type WakeUpConfig, wakeUpConfig } from './wake-up-config.ts';

export type WakeUpState = 'OFF' | 'CONNECTING' | 'PROVING' | 'ALIVE' | 'WAITING' | 'REFUSED';

export interface WakeUpTopic {
  /** A private topic of the project, as the database names it in `realtime.send`. */
  readonly name: string;
  /** Hand its messages on after up to so many ms, by chance: many robots may listen to it. Default 0. */
  readonly spreadMs?: number;
}

/**
 * A reason to look: a broadcast, or `reason: 'joined' | 'alive'`, because something may have happened while nobody
 * listened.
 */
export type WakeUp = ({ readonly reason: 'broadcast' } & Broadcast) | { readonly reason: 'joined' | 'alive' };

export interface WakeUpsOptions {
  /** Address of the project. */
  readonly url: string;
  readonly key: string;
  /** The token of the moment; given up after `tokenTimeoutMs`. `manager.accessToken` fits. */
  readonly token: (signal: AbortSignal) => Promise<string>;
  readonly topics: readonly WakeUpTopic[];
  /**
   * Makes the database broadcast `{ nonce }` as event `echo` on one of the topics. Resolves with false where it cannot.
   * Default: none; then a link counts as alive as soon as it is joined.
   */
  readonly requestEcho?: (nonce: string, signal: AbortSignal) => Promise<boolean>;
  readonly onWakeUp: (wakeUp: WakeUp) => void;
  /** Push works: polls may become rarer. */
  readonly onAlive?: () => void;
  /** Push works no longer: poll now. */
  readonly onLost?: (reason: string) => void;
  readonly config?: Partial<WakeUpConfig>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly openSocket?: OpenPushSocket;
}

/** Never contains key or token. */
export interface WakeUpStatus {
  readonly state: WakeUpState;
  readonly isAlive: boolean;
  /** Why there is no push at the moment; null while there is, or while nothing went wrong yet. */
  readonly reason: string | null;
  /** Broadcasts received, echoes not counted. */
  readonly received: number;
  /** Frames that were none of ours, or none at all. */
  readonly ignored: number;
  /** Links made so far. */
  readonly links: number;
  /** Wall-clock ms of the last broadcast, echoes included; null: none yet. */
  readonly lastMessageAt: number | null;
}

/**
 * @throws ConnectionError `INVALID_URL`, `INVALID_KEY`; ArgumentError for another argument that cannot be
 *
 * @example
 * const wakeUps = new WakeUps({
 *   url, key,
 *   token: (signal) => manager.accessToken(signal),
 *   topics: [{ name: `casare:robot:${robotId}` }],
 *   requestEcho: (nonce, signal) =>
 *     manager.rpc<boolean>('request_wake_up', { p_robot_id: robotId, p_nonce: nonce }, { signal }),
 *   onWakeUp: () => poll(),
 * });
 * wakeUps.start();
 * await wakeUps.stop();
 */
export class WakeUps {
  readonly #options: WakeUpsOptions;
  readonly #config: WakeUpConfig;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #redactor: Redactor;
  readonly #waiting = new Set<string>();
  #state: WakeUpState = 'OFF';
  #reason: string | null = null;
  #told: string | null = null;
  #received = 0;
  #ignored = 0;
  #links = 0;
  #lastMessageAt: number | null = null;
  #aliveSince: number | undefined;
  #endNap: () => void = () => undefined;
  #echo: EchoTest | undefined;
  #running: { readonly end: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: WakeUpsOptions) {
    requireWakeUpsOptions(options);
    checkUrl(options.url);
    checkKey(options.key);
    this.#options = options;
    this.#config = wakeUpConfig(options.config);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#logger = harmless(options.logger ?? warningLogger);
    this.#redactor = new Redactor([options.key]);
  }

  get isAlive(): boolean {
    return this.#state === 'ALIVE';
  }

  /** Begins to listen, unless it does. */
  start(): void {
    if (this.#running !== undefined) return;
    const end = new AbortController();
    const done = this.#run(end.signal).catch((error: unknown) => {
      if (end.signal.aborted) return;
      this.#logger.log('critical', `wake-ups: ${this.#redactor.text(messageOf(error))}`);
    });
    this.#running = { end, done };
  }

  /** Resolves when nothing is left of it. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.end.abort(new Error('stopped'));
    await running?.done;
    if (this.#running === undefined) this.#enter('OFF', null);
  }

  /** What was refused may be accepted by now, after a new sign-in, say. */
  tryNow(): void {
    if (this.#state === 'REFUSED') this.#endNap();
  }

  getStatus(): WakeUpStatus {
    return {
      state: this.#state,
      isAlive: this.isAlive,
      reason: this.#reason,
      received: this.#received,
      ignored: this.#ignored,
      links: this.#links,
      lastMessageAt: this.#lastMessageAt,
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { refusedRetryMs, stableAfterMs } = this.#config;
    let failures = 0;
    while (!signal.aborted) {
      this.#enter('CONNECTING', this.#reason);
      this.#aliveSince = undefined;
      const end = await this.#link(signal);
      signal.throwIfAborted();
      const aliveMs = this.#aliveSince === undefined ? 0 : this.#clock.monotonic() - this.#aliveSince;
      failures = this.#aliveSince !== undefined && aliveMs >= stableAfterMs ? 1 : failures + 1;
      const reason = this.#redactor.text(end.reason);
      this.#tell(end.kind, reason);
      this.#enter(end.kind === 'lost' ? 'WAITING' : 'REFUSED', reason);
      const delayMs =
        end.kind === 'lost'
          ? backoffDelayMs(failures, this.#config, this.#random)
          : refusedRetryMs * (0.9 + 0.2 * this.#random());
      await this.#nap(delayMs, signal);
    }
  }

  /** Sleeps; a refusal may be over before its time, see `tryNow`. */
  async #nap(delayMs: number, signal: AbortSignal): Promise<void> {
    const nap = openScope({ parents: [signal] });
    this.#endNap = () => nap.abort(undefined);
    try {
      await this.#clock.sleep(delayMs, nap.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!nap.signal.aborted) throw error;
    } finally {
      this.#endNap = () => undefined;
      nap.close();
    }
  }

  async #link(signal: AbortSignal): Promise<LinkEnd> {
    const { url, key, topics, token, openSocket = openPushSocket } = this.#options;
    this.#links += 1;
    const link = new RealtimeLink({
      url,
      key,
      topics: topics.map(({ name }) => name),
      token: async (bounded) => {
        const value = checkToken(await token(bounded));
        this.#redactor.add(value);
        return value;
      },
      config: this.#config,
      clock: this.#clock,
      openSocket,
      onJoined: (linkSignal) => void this.#prove(link, linkSignal),
      onBroadcast: (broadcast) => this.#receive(broadcast, signal),
      onIgnored: () => {
        this.#ignored += 1;
      },
    });
    return await link.run(signal);
  }

  /** From joined to alive, and as long as the link lasts: does a message come the whole way? Never rejects. */
  async #prove(link: RealtimeLink, signal: AbortSignal): Promise<void> {
    const { requestEcho } = this.#options;
    this.#enter('PROVING', null);
    this.#wake({ reason: 'joined' });
    if (requestEcho === undefined) return this.#alive();
    const echo = new EchoTest({ requestEcho, newNonce: randomUUID, config: this.#config, clock: this.#clock });
    this.#echo = echo;
    try {
      const end = await echo.run(signal, {
        onProved: () => this.#alive(),
        onDoubt: (reason) => this.#enter('PROVING', this.#redactor.text(reason)),
      });
      link.end(end);
    } catch (error) {
      if (!signal.aborted) link.end({ kind: 'lost', reason: messageOf(error) });
    }
  }

  #alive(): void {
    if (this.#state === 'ALIVE') return;
    this.#aliveSince ??= this.#clock.monotonic();
    this.#told = null;
    this.#enter('ALIVE', null);
    // What happened between joining and this moment may have gone unheard.
    this.#wake({ reason: 'alive' });
  }

  #receive(broadcast: Broadcast, signal: AbortSignal): void {
    this.#lastMessageAt = this.#clock.now();
    if (broadcast.event === 'echo') {
      this.#echo?.heard(broadcast.payload);
      return;
    }
    this.#received += 1;
    const wakeUp: WakeUp = { reason: 'broadcast', ...broadcast };
    const spreadMs = this.#options.topics.find(({ name }) => name === broadcast.topic)?.spreadMs ?? 0;
    if (spreadMs === 0) this.#wake(wakeUp);
    else this.#wakeLater(wakeUp, broadcast, spreadMs, signal);
  }

  /** One that waits already will look for all that come meanwhile. */
  #wakeLater(wakeUp: WakeUp, { topic, event }: Broadcast, spreadMs: number, signal: AbortSignal): void {
    const what = `${topic} ${event}`;
    if (this.#waiting.has(what)) return;
    this.#waiting.add(what);
    this.#clock
      .sleep(spreadMs * this.#random(), signal)
      .then(() => this.#wake(wakeUp))
      .catch(() => undefined)
      .finally(() => this.#waiting.delete(what));
  }

  #wake(wakeUp: WakeUp): void {
    notify(this.#options.onWakeUp, wakeUp, 'onWakeUp', this.#logger);
  }

  /** The only place that changes the state. */
  #enter(state: WakeUpState, reason: string | null): void {
    const wasAlive = this.isAlive;
    this.#state = state;
    this.#reason = reason;
    if (!wasAlive && state === 'ALIVE') {
      this.#logger.log('info', 'wake-ups: push works');
      notify(() => this.#options.onAlive?.(), undefined, 'onAlive', this.#logger);
    }
    if (wasAlive && state !== 'ALIVE') {
      if (reason !== null) this.#logger.log('info', `wake-ups: no push (${reason}); polling as usual`);
      notify(this.#options.onLost, reason ?? 'stopped', 'onLost', this.#logger);
    }
  }

  /** The same is said once until push works again: polling serves meanwhile. Having no Realtime is nothing to warn of. */
  #tell(kind: LinkEnd['kind'], reason: string): void {
    if (kind === 'lost' || this.#told === reason) return;
    this.#told = reason;
    if (kind === 'absent') this.#logger.log('info', `no wake-ups, polling serves: ${reason}`);
    else this.#logger.log('warning', `wake-ups are refused, polling serves: ${reason}`);
  }
}

const optionNames: ReadonlySet<string> = new Set([
  ...['url', 'key', 'token', 'topics', 'requestEcho', 'onWakeUp', 'onAlive', 'onLost', 'config'],
  ...['clock', 'random', 'logger', 'openSocket'],
]);

function requireWakeUpsOptions(options: WakeUpsOptions): void {
  requireOptions('options', options, optionNames);
  const { token, topics, requestEcho, onWakeUp, onAlive, onLost, clock, random, logger, openSocket } = options;
  for (const [name, value] of Object.entries({ token, onWakeUp })) requireFunction(name, value);
  requireFunctions({ requestEcho, onAlive, onLost, random, openSocket });
  requireMethods('clock', clock, ['now', 'monotonic', 'sleep']);
  requireMethods('logger', logger, ['log']);
  requireList('topics', topics);
  for (const [index, topic] of topics.entries()) {
    const { name, spreadMs = 0 } = objectAt(`topics[${index}]`, topic);
    requireText(`topics[${index}].name`, name);
    requireAtLeast(0, { [`topics[${index}].spreadMs`]: spreadMs });
  }
}

function objectAt<T extends object>(argument: string, value: T): T {
  requireObject(argument, value);
  return value;
}
