/**
 * How requests leave the process. The manager owns its sockets, so that it can drop those of a lost connection and
 * close all of them when it ends; a `fetch` that is handed in owns its own.
 */
import { Agent, buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import type { Fetch } from '../ports.ts';

/** A connection that takes longer was surely not made: class S, where our own deadline would leave doubt. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface Transport {
  readonly fetch: Fetch;
  /** Later requests use new sockets; those under way may end on the old ones. */
  renew(): void;
  /** Ends everything, requests under way included. */
  close(): Promise<void>;
}

export function createTransport(fetch: Fetch | undefined): Transport {
  return fetch === undefined ? new SocketPool() : { fetch, renew: () => undefined, close: async () => undefined };
}

class SocketPool implements Transport {
  readonly #end = new AbortController();
  #agent: Agent = newAgent(this.#end.signal);
  readonly #retired = new Set<Agent>();

  readonly fetch: Fetch = async (input, init) => {
    // Same interface, other declarations: undici's own types do not know the global ones.
    const response = await undiciFetch(input, { ...(init as unknown as UndiciRequestInit), dispatcher: this.#agent });
    return response as unknown as Response;
  };

  renew(): void {
    const old = this.#agent;
    this.#agent = newAgent(this.#end.signal);
    this.#retired.add(old);
    const forget = (): boolean => this.#retired.delete(old);
    old.close().then(forget, forget);
  }

  async close(): Promise<void> {
    // An agent that is destroyed lets a socket that is still connecting go on until its time-out; the signal does not.
    this.#end.abort();
    await Promise.all([this.#agent, ...this.#retired].map((agent) => agent.destroy()));
  }
}

function newAgent(signal: AbortSignal): Agent {
  const connect = { timeout: CONNECT_TIMEOUT_MS, allowH2: false, signal } satisfies buildConnector.BuildOptions;
  // One deadline, ours, bounds the whole exchange; undici's own would cut it in parts.
  return new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: buildConnector(connect) });
}
