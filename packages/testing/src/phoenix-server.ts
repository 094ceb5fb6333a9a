/**
 * A small server that speaks the protocol of Supabase Realtime (Phoenix channels, serializer 2.0.0): heartbeats, joining
 * private channels with a token, broadcasts as text and as binary frames. It can be as bad as it is told to be, and it
 * can be stopped and started again. What it does when it is well is checked with the client of supabase-js.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

type Frame = readonly [string | null, string | null, string, string, Record<string, unknown>];

export interface Joined {
  readonly topic: string;
  readonly token: unknown;
  readonly config: Record<string, unknown>;
}

export class PhoenixServer {
  /** Whether a token may join a topic (without `realtime:`); a text is the reason why not. */
  authorize: (token: unknown, topic: string) => true | string = () => true;
  /** What happens to frames. `mute`: it accepts and never says a word. `no-heartbeat`: everything but their answer. */
  mood: 'well' | 'mute' | 'no-heartbeat' | 'close-on-join' | 'no-join-reply' = 'well';
  /** Answers the handshake with this status instead. */
  refuseHandshake: number | undefined;
  /** Accepts the TCP connection and never answers the handshake. */
  hangHandshake = false;
  readonly joins: Joined[] = [];
  readonly tokens: unknown[] = [];
  readonly urls: URL[] = [];
  heartbeats = 0;
  readonly #upgrades = new WebSocketServer({ noServer: true });
  #server: Server | undefined;
  #port = 0;
  readonly #channels = new Map<WebSocket, Map<string, string | null>>();
  readonly #sockets = new Set<Socket>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#channels.size;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async start(): Promise<this> {
    const server = createServer((_request, response) => response.writeHead(404).end());
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    server.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** Takes over a connection that came in through another server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.urls.push(new URL(request.url ?? '/', 'http://127.0.0.1'));
    if (this.hangHandshake) {
      socket.on('end', () => socket.destroy()).resume();
      return;
    }
    if (this.refuseHandshake !== undefined) {
      socket.end(`HTTP/1.1 ${this.refuseHandshake} No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    this.#upgrades.handleUpgrade(request, socket, head, (client) => this.#welcome(client));
  }

  /** As a crash would. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Sends a broadcast to everybody who has joined the topic; tells to how many. */
  broadcast(topic: string, event: string, payload: unknown, form: 'text' | 'binary' = 'text'): number {
    return this.#toMembers(topic, (joinRef) =>
      form === 'binary'
        ? binaryBroadcast(`realtime:${topic}`, event, payload)
        : JSON.stringify([joinRef, null, `realtime:${topic}`, 'broadcast', { type: 'broadcast', event, payload }]),
    );
  }

  /** Closes a channel, as the server does when its token has ended. */
  closeChannel(topic: string): void {
    this.#toMembers(topic, (joinRef) => JSON.stringify([joinRef, null, `realtime:${topic}`, 'phx_close', {}]));
  }

  system(topic: string, status: string, message: string): void {
    this.#toMembers(topic, (joinRef) =>
      JSON.stringify([joinRef, null, `realtime:${topic}`, 'system', { status, message, extension: 'system' }]),
    );
  }

  /** Sends any data to every connection. */
  raw(data: string | Uint8Array): void {
    for (const client of this.#channels.keys()) client.send(data);
  }

  /** Cuts every connection. */
  cut(): void {
    for (const client of this.#channels.keys()) client.terminate();
  }

  #toMembers(topic: string, frame: (joinRef: string | null) => string | Uint8Array): number {
    let reached = 0;
    for (const [client, channels] of this.#channels) {
      const joinRef = channels.get(`realtime:${topic}`);
      if (joinRef === undefined) continue;
      client.send(frame(joinRef));
      reached += 1;
    }
    return reached;
  }

  #welcome(client: WebSocket): void {
    this.#channels.set(client, new Map());
    client.on('close', () => this.#channels.delete(client));
    client.on('error', () => client.terminate());
    client.on('message', (data) => {
      if (this.mood !== 'mute') this.#answer(client, JSON.parse(String(data)) as Frame);
    });
  }

  #answer(client: WebSocket, [joinRef, ref, topic, event, payload]: Frame): void {
    const reply = (status: 'ok' | 'error', response: object): void =>
      client.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response }]));
    if (event === 'heartbeat') {
      this.heartbeats += 1;
      if (this.mood !== 'no-heartbeat') reply('ok', {});
    } else if (event === 'access_token') {
      this.tokens.push(payload.access_token);
    } else if (event === 'phx_leave') {
      this.#channels.get(client)?.delete(topic);
      reply('ok', {});
    } else if (event === 'phx_join') {
      this.#join(client, joinRef, topic, payload, reply);
    }
  }

  #join(
    client: WebSocket,
    joinRef: string | null,
    topic: string,
    payload: Record<string, unknown>,
    reply: (status: 'ok' | 'error', response: object) => void,
  ): void {
    const name = topic.replace(/^realtime:/, '');
    const token = payload.access_token;
    this.joins.push({ topic: name, token, config: payload.config as Record<string, unknown> });
    if (this.mood === 'close-on-join') client.terminate();
    if (this.mood === 'close-on-join' || this.mood === 'no-join-reply') return;
    const verdict = this.authorize(token, name);
    if (verdict !== true) {
      reply('error', { reason: verdict });
      return;
    }
    this.#channels.get(client)?.set(topic, joinRef);
    reply('ok', { postgres_changes: [] });
    const system = { status: 'ok', message: 'Subscribed', extension: 'system', channel: name };
    client.send(JSON.stringify([joinRef, null, topic, 'system', system]));
    client.send(JSON.stringify([joinRef, null, topic, 'presence_state', {}]));
  }
}

function binaryBroadcast(topic: string, event: string, payload: unknown): Uint8Array {
  const [topicBytes, eventBytes, body] = [topic, event, JSON.stringify(payload)].map((text) => Buffer.from(text));
  if (topicBytes === undefined || eventBytes === undefined || body === undefined) throw new Error('impossible');
  const header = Buffer.from([4, topicBytes.length, eventBytes.length, 0, 1]);
  return Buffer.concat([header, topicBytes, eventBytes, body]);
}
