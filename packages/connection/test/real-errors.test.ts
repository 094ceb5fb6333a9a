/** Failures as the machine really reports them, from real sockets, certificates and files: the right class for each. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, get, type RequestListener } from 'node:http';
import { createServer as createTlsServer, request } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { generate } from 'selfsigned';
import { Agent, request as undiciRequest } from 'undici';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { classifyError } from '../src/index.ts';

/** What `work` throws. */
async function failureOf(work: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function http(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createHttpServer(answer))}/`;
}

async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a port that nobody listens on is surely not executed (S)', () => {
  test('asked by fetch', async () => {
    const port = await closedPort();
    const error = await failureOf(() => fetch(`http://127.0.0.1:${port}/`));
    expect(classifyError(error)).toMatchObject({ class: 'S', code: 'ECONNREFUSED' });
  });

  test('asked by both of its addresses', async () => {
    const port = await closedPort();
    const lookup = (_name: string, _options: unknown, done: (error: null, addresses: object[]) => void): void =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    const error = await failureOf(
      () =>
        new Promise((_, reject) => connect({ host: 'two.test', port, lookup: lookup as never }).on('error', reject)),
    );
    expect(error).toBeInstanceOf(AggregateError);
    expect(classifyError(error)).toMatchObject({ class: 'S', code: 'ECONNREFUSED' });
  });

  test('asked by node:http', async () => {
    const port = await closedPort();
    const error = await failureOf(() => new Promise((_, reject) => get({ port }).on('error', reject)));
    expect(classifyError(error)).toMatchObject({ class: 'S', code: 'ECONNREFUSED' });
  });
});

test('a name that does not exist is surely not executed (S)', async () => {
  const error = await failureOf(() => fetch('http://nobody.invalid/'));
  expect(classifyError(error)).toMatchObject({ class: 'S', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
});

describe('a connection that breaks may have been executed (A)', () => {
  const reset: RequestListener = (request) => request.socket.resetAndDestroy();

  test('before the answer', async () => {
    const url = await http(reset);
    const error = await failureOf(() => fetch(url, { method: 'POST', body: 'x' }));
    expect(classifyError(error)).toMatchObject({
      class: 'A',
      code: expect.stringMatching(/^(ECONNRESET|UND_ERR_SOCKET)$/),
    });
  });

  test('before the answer, asked by node:http', async () => {
    const url = await http(reset);
    const error = await failureOf(() => new Promise((_, reject) => get(url).on('error', reject)));
    expect(classifyError(error)).toMatchObject({ class: 'A', code: 'ECONNRESET' });
  });

  test('in the middle of the answer', async () => {
    const url = await http((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.resetAndDestroy());
    });
    const error = await failureOf(async () => (await fetch(url)).text());
    expect(classifyError(error)).toMatchObject({ class: 'A' });
  });

  test('with an answer that is not HTTP', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n\r\n')));
    const error = await failureOf(() => fetch(`http://127.0.0.1:${port}/`));
    expect(classifyError(error)).toMatchObject({ class: 'A', code: expect.stringMatching(/^HTTP_PARSER|^HPE_/) });
  });
});

describe('time that is over may have been enough (A)', () => {
  const mute: RequestListener = () => undefined;
  const stalled: RequestListener = (_request, response) => {
    response.writeHead(200);
    response.write('half');
  };

  test.each([
    ['headers', mute, { headersTimeout: 50 }, 'UND_ERR_HEADERS_TIMEOUT'],
    ['body', stalled, { bodyTimeout: 50 }, 'UND_ERR_BODY_TIMEOUT'],
  ] as const)('for the %s, by undici', async (_what, answer, limits, code) => {
    const dispatcher = new Agent(limits);
    onTestFinished(() => dispatcher.destroy());
    const url = await http(answer);
    const error = await failureOf(async () => (await undiciRequest(url, { dispatcher })).body.text());
    expect(classifyError(error)).toMatchObject({ class: 'A', code });
  });

  test('by a signal', async () => {
    const url = await http(mute);
    const error = await failureOf(() => fetch(url, { signal: AbortSignal.timeout(50) }));
    expect(classifyError(error)).toMatchObject({ class: 'A', code: 'TIMEOUT' });
  });
});

test("the caller's own abort says nothing (C), with and without a reason", async () => {
  const url = await http(() => undefined);
  for (const reason of [undefined, 'enough', new Error('enough')]) {
    const caller = new AbortController();
    const work = failureOf(() => fetch(url, { signal: caller.signal }));
    caller.abort(reason);
    expect(classifyError(await work, { callerSignal: caller.signal })).toMatchObject({ class: 'C', code: 'ABORTED' });
  }
});

describe('a certificate', () => {
  const DAY_MS = 86_400_000;

  async function tls(certificate: { name: string; from: number; to: number }) {
    const { private: key, cert } = await generate([{ name: 'commonName', value: certificate.name }], {
      notBeforeDate: new Date(Date.now() + certificate.from * DAY_MS),
      notAfterDate: new Date(Date.now() + certificate.to * DAY_MS),
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: certificate.name }] },
      ],
    });
    const port = await listen(createTlsServer({ key, cert }, (_request, response) => response.end()));
    const ask = (trusted: boolean) =>
      failureOf(
        () =>
          new Promise((resolve, reject) =>
            request({ host: '127.0.0.1', servername: 'robot.test', port, ...(trusted ? { ca: cert } : {}) }, resolve)
              .on('error', reject)
              .end(),
          ),
      );
    return { port, ask };
  }

  it('that has expired asks for a look at the clock (O)', async () => {
    const { ask } = await tls({ name: 'robot.test', from: -30, to: -1 });
    const judged = classifyError(await ask(true));
    expect(judged).toMatchObject({ class: 'O', code: 'CERT_HAS_EXPIRED', remedy: expect.stringMatching(/clock/) });
  });

  it('that is not valid yet, too (O)', async () => {
    const { ask } = await tls({ name: 'robot.test', from: 1, to: 30 });
    const judged = classifyError(await ask(true));
    expect(judged).toMatchObject({ class: 'O', code: 'CERT_NOT_YET_VALID', remedy: expect.stringMatching(/clock/) });
  });

  it('of another host is permanent (P)', async () => {
    const { ask } = await tls({ name: 'other.test', from: -1, to: 30 });
    expect(classifyError(await ask(true))).toMatchObject({ class: 'P', code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  it('that nobody vouches for is permanent (P)', async () => {
    const { ask, port } = await tls({ name: 'robot.test', from: -1, to: 30 });
    expect(classifyError(await ask(false))).toMatchObject({ class: 'P', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    const error = await failureOf(() => fetch(`https://127.0.0.1:${port}/`));
    expect(classifyError(error)).toMatchObject({ class: 'P', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});

test('a server that does not speak TLS is permanent (P)', async () => {
  const url = await http((_request, response) => response.end());
  const error = await failureOf(() => fetch(url.replace('http:', 'https:')));
  expect(classifyError(error)).toMatchObject({ class: 'P', code: expect.stringMatching(/^(EPROTO|ERR_SSL_)/) });
});

test.each([
  ['an address that is none', () => fetch('http://:no'), 'ERR_INVALID_URL'],
  ['a port that fetch refuses', () => fetch('http://127.0.0.1:1/'), 'BAD_PORT'],
  ['a file that does not exist', () => readFile('/nowhere/at/all'), 'ENOENT'],
  ['a folder in place of a file', () => writeFile('/', ''), 'EISDIR'],
])('%s is permanent (P)', async (_what, work, code) => {
  expect(classifyError(await failureOf(work))).toMatchObject({ class: 'P', code });
});
