/**
 * One link to Supabase Realtime, from opening its socket to its end: joins private topics, keeps asking whether the other
 * side is there, and hands on broadcasts. It never repairs itself: whatever goes wrong ends it, and `WakeUps` makes
 * another one.
 *
 * Promises kept here:
 * L1 every wait has a deadline: for the token, the handshake, the joins, each heartbeat;
 * L2 a server that says nothing is noticed within `heartbeatIntervalMs + heartbeatTimeoutMs`;
 * L3 after the end there is no socket, timer or pending promise.
 */
import { abortable, openScope } from '../abort-scope.ts';
import type { Clock } from '../ports.ts';
import { messageOf, readField } from '../safe-read.ts';
import { decodeFrame, encodeFrame, PROTOCOL_VERSION } from './phoenix-frames.ts';
import type { OpenPushSocket, PushSocket } from './push-socket.ts';
import type { WakeUpConfig } from './wake-up-config.ts';

export type LinkEnd =
  /** It may work the next time. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It will not work until somebody changes something. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** There is no Realtime in this project. */
  | { readonly kind: 'absent'; readonly reason: string };

export interface Broadcast {
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

export interface RealtimeLinkOptions {
  /** Of the project. */
  readonly url: string;
  readonly key: string;
  /** Without the prefix that the wire adds. */
  readonly topics: readonly string[];
  readonly token: (signal: AbortSignal) => Promise<string>;
  readonly config: WakeUpConfig;
  readonly clock: Clock;
  readonly openSocket: OpenPushSocket;
  /** Every topic is joined. */
  readonly onJoined: (signal: AbortSignal) => void;
  readonly onBroadcast: (broadcast: Broadcast) => void;
  /** A frame that is none, or none of ours. */
  readonly onIgnored: () => void;
}

type Facts = { readonly [field: string]: unknown };

interface Reply {
  readonly status: unknown;
  readonly reason: string;
}

const WIRE_PREFIX = 'realtime:';

/** What a server says when it does not want this robot, as opposed to not now. */
const REFUSAL = /unauthori[sz]ed|forbidden|permission|jwt|token|private ?only|disabled|tenant/i;

export class RealtimeLink {
  readonly #options: RealtimeLinkOptions;
  readonly #replies = new Map<string, (reply: Reply) => void>();
  readonly #joinRefs = new Map<string, string>();
  readonly #scope = openScope({ parents: [] });
  readonly #ended: Promise<LinkEnd>;
  #end: (end: LinkEnd) => void = () => undefined;
  #socket: PushSocket | undefined;
  #lastRef = 0;
  #sentToken = '';
  #isFreshening = false;

  constructor(options: RealtimeLinkOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Ends the link from outside. */
  end(end: LinkEnd): void {
    this.#end(end);
  }

  /** Resolves with how the link ended; rejects with the signal's reason when that aborts. */
  async run(signal: AbortSignal): Promise<LinkEnd> {
    const { signal: ending } = this.#scope;
    const conversation = this.#converse(ending).catch((error: unknown): LinkEnd => {
      const isRefused = error instanceof Refusal || readField(error, 'class') === 'U';
      return { kind: isRefused ? 'refused' : 'lost', reason: messageOf(error) };
    });
    try {
      return await abortable(Promise.race([this.#ended, conversation]), signal);
    } finally {
      this.#scope.abort(new Error('the link has ended'));
      this.#scope.close();
      this.#replies.clear();
      this.#socket?.drop();
    }
  }

  async #converse(signal: AbortSignal): Promise<LinkEnd> {
    const { config, clock, topics } = this.#options;
    this.#sentToken = await this.#token(signal);
    await this.#within(config.connectTimeoutMs, 'no connection', signal, () => this.#open());
    await this.#within(config.connectTimeoutMs, 'the join was not answered', signal, () =>
      Promise.all(topics.map((topic) => this.#join(topic))),
    );
    this.#options.onJoined(signal);
    for (;;) {
      await this.#within(config.heartbeatTimeoutMs, 'no heartbeat', signal, () =>
        this.#push('phoenix', 'heartbeat', {}),
      );
      void this.#freshen(signal);
      await clock.sleep(config.heartbeatIntervalMs, signal);
    }
  }

  #open(): Promise<void> {
    const { url, key, config, openSocket } = this.#options;
    const address = new URL(`${url.replace(/\/+$/, '').replace(/^http/i, 'ws')}/realtime/v1/websocket`);
    address.searchParams.set('apikey', key);
    address.searchParams.set('vsn', PROTOCOL_VERSION);
    return new Promise((resolve) => {
      this.#socket = openSocket(
        address.href,
        {
          onOpen: resolve,
          onData: (data) => this.#receive(data),
          onClosed: ({ message, status }) => this.#end({ kind: kindOf(status), reason: message }),
        },
        { handshakeTimeoutMs: config.connectTimeoutMs, maxFrameBytes: config.maxFrameBytes },
      );
    });
  }

  async #join(topic: string): Promise<void> {
    const config = {
      broadcast: { ack: false, self: false },
      presence: { enabled: false, key: '' },
      postgres_changes: [],
      private: true,
    };
    const reply = await this.#push(WIRE_PREFIX + topic, 'phx_join', { config, access_token: this.#sentToken });
    if (reply.status !== 'ok') throw refusalOr(`${topic}: ${reply.reason}`);
  }

  /** The channel outlives the token it was joined with only if it is told the next one in time. */
  async #freshen(signal: AbortSignal): Promise<void> {
    if (this.#isFreshening) return;
    this.#isFreshening = true;
    try {
      const token = await this.#token(signal);
      if (token === this.#sentToken) return;
      this.#sentToken = token;
      for (const topic of this.#options.topics)
        this.#send(WIRE_PREFIX + topic, 'access_token', { access_token: token });
    } catch {
      // The token there is goes on to its end; then the server closes the channel, and that is noticed.
    } finally {
      this.#isFreshening = false;
    }
  }

  #token(signal: AbortSignal): Promise<string> {
    const { token, config } = this.#options;
    return this.#within(config.tokenTimeoutMs, 'no token', signal, (bounded) => token(bounded));
  }

  #push(topic: string, event: string, payload: object): Promise<Reply> {
    return new Promise((resolve) => this.#send(topic, event, payload, resolve));
  }

  #send(topic: string, event: string, payload: object, onReply?: (reply: Reply) => void): void {
    this.#lastRef += 1;
    const ref = String(this.#lastRef);
    if (onReply !== undefined) this.#replies.set(ref, onReply);
    if (event === 'phx_join') this.#joinRefs.set(topic, ref);
    const joinRef = this.#joinRefs.get(topic) ?? null;
    this.#socket?.send(encodeFrame({ joinRef, ref, topic, event, payload }));
  }

  #receive(data: string | Uint8Array): void {
    const frame = decodeFrame(data);
    const topic = frame?.topic.startsWith(WIRE_PREFIX) ? frame.topic.slice(WIRE_PREFIX.length) : undefined;
    if (frame?.event === 'phx_reply' && frame.ref !== null) this.#answer(frame.ref, asObject(frame.payload));
    else if (frame === undefined || topic === undefined || !this.#options.topics.includes(topic)) {
      this.#options.onIgnored();
    } else this.#hear(topic, frame.event, asObject(frame.payload));
  }

  #answer(ref: string, { status, response }: Facts): void {
    this.#replies.get(ref)?.({ status, reason: reasonOf(response) });
    this.#replies.delete(ref);
  }

  #hear(topic: string, event: string, facts: Facts): void {
    if (event === 'broadcast' && typeof facts.event === 'string') {
      this.#options.onBroadcast({ topic, event: facts.event, payload: facts.payload });
    } else if (event === 'phx_close' || event === 'phx_error') {
      this.#end({ kind: 'lost', reason: `the server closed ${topic}` });
    } else if (event === 'system' && facts.status === 'error') {
      const reason = reasonOf(facts);
      this.#end({ kind: REFUSAL.test(reason) ? 'refused' : 'lost', reason });
    }
  }

  async #within<T>(
    timeoutMs: number,
    what: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = { clock: this.#options.clock, timeoutMs, reason: () => new Error(`${what} within ${timeoutMs} ms`) };
    const scope = openScope({ parents: [signal], limit });
    try {
      scope.signal.throwIfAborted();
      return await abortable(work(scope.signal), scope.signal);
    } finally {
      scope.close();
    }
  }
}

class Refusal extends Error {}

/** Of a handshake that was answered with this status; undefined: the connection just ended. */
function kindOf(status: number | undefined): LinkEnd['kind'] {
  if (status === 404) return 'absent';
  return status === undefined || status >= 500 || status === 429 ? 'lost' : 'refused';
}

function refusalOr(reason: string): Error {
  return REFUSAL.test(reason) ? new Refusal(reason) : new Error(reason);
}

function asObject(value: unknown): Facts {
  return typeof value === 'object' && value !== null ? (value as Facts) : {};
}

function reasonOf(response: unknown): string {
  const { reason, message } = asObject(response);
  const said = reason ?? message;
  return typeof said === 'string' && said !== '' ? said : 'the server gave no reason';
}
