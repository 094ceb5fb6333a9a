/**
 * The robot's port for probes, Prometheus and people: `/healthz`, `/readyz`, `/metrics`, `/status.json`, and the page.
 * Who may ask is decided in `http-guard.ts`, before anything else is looked at.
 */
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock, JsonObject, Logger } from '@casare/execution';
import { prometheusContentType, type RobotHealth } from '@casare/observability';
import { writeJsonDurably } from '../home-folder.ts';
import { messageOf } from '../message-of.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';
import { EventStream, eventStreamHeaders } from './event-stream.ts';
import { isLoopbackHost, type Refusal, refusalOf } from './http-guard.ts';
import { type PageFile, pageFile, pagePolicy } from './page-files.ts';
import type { Action } from './robot-actions.ts';
import { keepRoomForCallers } from './room-for-callers.ts';
import { WrongTokens } from './wrong-tokens.ts';

/** What the server shows and does. */
export interface StatusSource {
  health(): RobotHealth;
  metricsText(): Promise<string>;
  status(): Promise<JsonObject>;
  /** What the page shows besides and what changes slowly. */
  details(): Promise<JsonObject>;
  /** A picture of a failure; null when there is none. */
  screenshot(jobId: string): Promise<Buffer | null>;
  /** By name. What one throws with a `code` is told to the caller; anything else is a defect. */
  readonly actions: ReadonlyMap<string, Action>;
}

export interface StatusServerOptions {
  readonly home: string;
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string;
  /** Where the token is kept; null when it comes from the configuration. */
  readonly tokenFile: string | null;
  readonly source: StatusSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Connections at a time, body of an action, and silence: all bounded (I7). */
const maxConnections = 64;
const maxBodyBytes = 16_384;
/** In ms. Who connects and says nothing keeps others from being heard: it is looked after every two seconds. */
const patience = {
  requestTimeout: 10_000,
  headersTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const;
const statusIntervalMs = 1_000;
/** Details are sent with every fifth status. */
const detailsEvery = 5;

export const addressFileName = 'status-page.json';

export class StatusServer {
  readonly #options: StatusServerOptions;
  readonly #server: Server;
  readonly #events: EventStream;
  readonly #isLoopback: boolean;
  readonly #wrongTokens: WrongTokens;
  #ticker: Periodic | null = null;
  #ticks = 0;

  private constructor(options: StatusServerOptions) {
    this.#options = options;
    this.#isLoopback = isLoopbackHost(options.host);
    this.#events = new EventStream(options.clock);
    this.#wrongTokens = new WrongTokens({
      clock: options.clock,
      onTooMany: (address) => options.logger.log('warning', `too many wrong tokens at the status port from ${address}`),
    });
    this.#server = createServer({ ...patience });
    keepRoomForCallers(this.#server, maxConnections);
    this.#server.on('request', (request, response) => void this.#answer(request, response));
    // A caller that speaks no HTTP gets no answer.
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  /** @throws Error when the address cannot be listened on */
  static async open(options: StatusServerOptions): Promise<StatusServer> {
    const server = new StatusServer(options);
    await server.#listen();
    return server;
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
  }

  /** Resolves when the port is free. */
  async close(): Promise<void> {
    await this.#ticker?.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#events.close();
    this.#server.closeAllConnections();
    await closed;
    await rm(join(this.#options.home, addressFileName), { force: true });
  }

  async #listen(): Promise<void> {
    const { host, port, home, tokenFile, clock, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    await writeJsonDurably(join(home, addressFileName), { url: this.url, token_file: tokenFile, pid: process.pid });
    this.#ticker = startPeriodic({
      name: 'status page',
      intervalMs: statusIntervalMs,
      clock,
      turn: () => this.#tick(),
      onError: (name, error) => logger.log('warning', `${name}: ${messageOf(error)}`),
    });
  }

  /** Nobody looks, nothing is gathered. */
  async #tick(): Promise<void> {
    if (this.#events.readers === 0) {
      this.#events.forget();
      this.#ticks = 0;
      return;
    }
    await this.#tell(this.#ticks % detailsEvery === 0);
    this.#ticks += 1;
  }

  async #tell(withDetails: boolean): Promise<void> {
    const { source } = this.#options;
    this.#events.send('status', JSON.stringify(await source.status()));
    if (withDetails) this.#events.send('details', JSON.stringify(await source.details()));
    this.#events.beat();
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logger, token } = this.#options;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    try {
      const { method = 'GET', url = '/' } = request;
      const path = url.split('?', 1)[0] ?? '/';
      const allowed = path.startsWith('/actions/') ? ['POST'] : ['GET', 'HEAD'];
      const asked = { method, path, headers: request.headers };
      const verdict = refusalOf(asked, { isLoopback: this.#isLoopback, token });
      // On loopback all callers share an address: none of them may shut out those who have the token.
      const isHeard = this.#isLoopback && verdict?.status !== 401;
      const refusal = (isHeard ? null : this.#guessingRefusal(request, response)) ?? verdict;
      if (refusal !== null) this.#refuse(request, response, refusal);
      else if (!allowed.includes(method)) {
        response.setHeader('allow', allowed.join(', '));
        const message = `${path.slice(0, 200)} takes ${allowed.join(' and ')}, not ${method}`;
        sendJson(response, 405, { error: { code: 'METHOD', message } });
      } else if (method === 'POST') await this.#act(path, request, response);
      else await this.#show(path, response);
    } catch (error) {
      // Whoever has gone away in the middle needs no answer.
      if (request.destroyed && !request.complete) return;
      logger.log('error', `the status port met a defect: ${messageOf(error)}`);
      if (!response.headersSent)
        sendJson(response, 500, {
          error: { code: 'INTERNAL_ERROR', message: 'the robot met a defect; `casare-robot logs` tells which' },
        });
      else response.destroy();
    }
  }

  /** Not null while the caller has tried too many wrong tokens to be heard. */
  #guessingRefusal({ headers, socket }: IncomingMessage, response: ServerResponse): Refusal | null {
    if (headers.authorization === undefined) return null;
    const waitMs = this.#wrongTokens.waitMs(socket.remoteAddress ?? '');
    if (waitMs === 0) return null;
    const seconds = Math.ceil(waitMs / 1_000);
    response.setHeader('retry-after', String(seconds));
    const message = `too many wrong tokens came from here; try again in ${seconds} s, or use casare-robot on the robot's machine`;
    return { status: 429, code: 'TOO_MANY_WRONG_TOKENS', message };
  }

  #refuse({ headers, socket }: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status, code, message } = refusal;
    if (status === 401) {
      if (headers.authorization !== undefined) this.#wrongTokens.add(socket.remoteAddress ?? '');
      response.setHeader('www-authenticate', 'Basic realm="casare-robot: the token is the password"');
    }
    response.setHeader('connection', 'close');
    sendJson(response, status, { error: { code, message } });
  }

  async #show(path: string, response: ServerResponse): Promise<void> {
    const { source } = this.#options;
    switch (path) {
      case '/healthz': {
        const { state, isAlive } = source.health();
        return sendJson(response, isAlive ? 200 : 503, { alive: isAlive, state });
      }
      case '/readyz': {
        const { state, isReady, reasons } = source.health();
        return sendJson(response, isReady ? 200 : 503, {
          ready: isReady,
          state,
          reasons: reasons.map((one) => ({ ...one })),
        });
      }
      case '/metrics':
        return send(response, 200, prometheusContentType, await source.metricsText());
      case '/status.json':
        return sendJson(response, 200, await source.status());
      case '/details.json':
        return sendJson(response, 200, await source.details());
      case '/events':
        return this.#stream(response);
    }
    const picture = /^\/jobs\/([\w-]{1,64})\/screenshot$/.exec(path)?.[1];
    if (picture !== undefined) {
      const bytes = await source.screenshot(picture);
      if (bytes !== null) return send(response, 200, 'image/png', bytes);
    }
    const file = await pageFile(path);
    if (file !== null) return sendPage(response, file);
    sendJson(response, 404, { error: { code: 'NOT_FOUND', message: `there is no ${path.slice(0, 200)}` } });
  }

  async #stream(response: ServerResponse): Promise<void> {
    if (response.req.method === 'HEAD') return void response.writeHead(200, eventStreamHeaders).end();
    if (!this.#events.add(response)) {
      return sendJson(response, 503, {
        error: { code: 'TOO_MANY_READERS', message: 'too many pages are open: close one, this one tries again' },
      });
    }
    await this.#tell(true);
  }

  async #act(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = /^\/actions\/([a-z]+)$/.exec(path)?.[1] ?? '';
    const act = this.#options.source.actions.get(name);
    if (act === undefined) {
      return sendJson(response, 404, {
        error: { code: 'NOT_FOUND', message: `there is no action ${path.slice(0, 200)}` },
      });
    }
    const text = await bodyOf(request);
    if (text === null) {
      response.setHeader('connection', 'close');
      const message = `an action has at most ${maxBodyBytes} bytes`;
      return sendJson(response, 413, { error: { code: 'TOO_LARGE', message } });
    }
    const args = objectIn(text);
    if (args === null) {
      return sendJson(response, 400, { error: { code: 'NOT_A_REQUEST', message: 'an action is one JSON object' } });
    }
    try {
      const result = await act(args, request.socket.remoteAddress ?? 'status port');
      sendJson(response, 200, { ok: true, result });
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string') throw error;
      sendJson(response, statusByCode.get(code) ?? 503, { error: { code, message: messageOf(error) } });
    }
  }
}

/** On every answer. */
const headers: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': pagePolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The caller's faults; anything else, such as a full disk, is the robot's trouble. */
const statusByCode: ReadonlyMap<string, number> = new Map([
  ['INVALID_ARGUMENT', 400],
  ['NOT_OFFERED', 400],
  ['NO_SUCH_JOB', 404],
  ['NOT_ASKED', 409],
  ['ANSWERED_BEFORE', 409],
]);

function sendJson(response: ServerResponse, status: number, value: JsonObject): void {
  send(response, status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function sendPage(response: ServerResponse, { contentType, text }: PageFile): void {
  send(response, 200, contentType, text);
}

/** Null for what is too long; the connection stays open for the answer. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function objectIn(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
