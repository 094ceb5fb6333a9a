/**
 * A door before the database whose answers get lost: what was asked for is done, and the one who asked does not learn of it.
 * It also hands requests on twice, or long after the one who asked has given up.
 */
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `drop`: done, and the connection breaks. `bad-gateway`: done, and answered 502. `twice`: done twice, and the second answer
 * counts. `late`: done at once, and answered when the caller has given up. `overdue`: done when the caller has given up.
 */
export type Fate = 'pass' | 'drop' | 'bad-gateway' | 'twice' | 'late' | 'overdue';

export interface FaultyDoor {
  readonly url: string;
  /** What becomes of a request, by its function's name. Default: all pass. */
  fateOf: (name: string) => Fate;
  /** Functions with the fates of their requests, how often. */
  readonly fates: Readonly<Record<string, Readonly<Record<string, number>>>>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** @param patienceMs longer than the callers wait */
export async function openFaultyDoor(target: string, patienceMs: number): Promise<FaultyDoor> {
  const fates: Record<string, Record<string, number>> = {};
  const waits = new Set<NodeJS.Timeout>();
  const later = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        waits.delete(timer);
        resolve();
      }, patienceMs);
      waits.add(timer);
    });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const { pathname } = new URL(request.url ?? '/', target);
    const name = pathname.slice(pathname.lastIndexOf('/') + 1);
    const fate = door.fateOf(name);
    fates[name] = { ...fates[name], [fate]: (fates[name]?.[fate] ?? 0) + 1 };
    if (fate === 'overdue') await later();
    const answer = await handOn(target, request, body);
    if (fate === 'twice') await handOn(target, request, body).then((again) => reply(response, again));
    else if (fate === 'pass') reply(response, answer);
    else if (fate === 'bad-gateway') reply(response, { status: 502, headers: {}, body: Buffer.from('<h1>502</h1>') });
    else if (fate === 'drop') response.destroy();
    else {
      if (fate === 'late') await later();
      reply(response, answer);
    }
  }

  const http = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const door: FaultyDoor = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    fateOf: () => 'pass',
    fates,
    close: async () => {
      for (const timer of waits) clearTimeout(timer);
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return door;
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.destroyed) return;
  const { 'content-length': _length, 'transfer-encoding': _encoding, connection: _connection, ...kept } = headers;
  response.writeHead(status, kept as Record<string, string>);
  response.end(body);
}

function handOn(target: string, { url, method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host: _host, connection: _connection, ...kept } = headers;
    const sent = send(new URL(url ?? '/', target), { method, headers: kept }, (answer) => {
      const { statusCode: status = 0, headers: answered } = answer;
      bodyOf(answer).then((read) => resolve({ status, headers: answered, body: read }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
