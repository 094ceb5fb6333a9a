import { type AddressInfo, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpRequestNode } from '../src/http/http-request-node.ts';
import type { JsonObject } from '../src/ports.ts';
import { NodeBench } from './context.ts';
import { ask, hangUp } from './http-bench.ts';
import { closedPort, serve } from './http-server.ts';

describe('limits', () => {
  test('an answer that takes too long fails with a time-out', async () => {
    const clock = new ManualClock();
    const { url, seen } = await serve(() => undefined);
    const asking = expect(ask({ url, timeout: 5 }, { clock })).rejects.toMatchObject({
      code: 'HTTP_TIMEOUT',
      category: 'transient',
      errorType: 'TimeoutError',
      ambiguous: false,
      message: `${url}/ did not answer within 5 s: raise timeout if it is slow`,
    });
    await eventually('the request has arrived', () => seen.length === 1);
    await clock.advance(5000);
    await asking;
    expect(clock.sleeping).toBe(0);
  });

  test('the time limit covers the body', async () => {
    const clock = new ManualClock();
    const { url, seen } = await serve((_seen, response) => response.write('a part'));
    const asking = expect(ask({ url, timeout: 5 }, { clock })).rejects.toMatchObject({ code: 'HTTP_TIMEOUT' });
    await eventually('the request has arrived', () => seen.length === 1);
    await clock.advance(5000);
    await asking;
  });

  test('a stopped run stops asking at once', async () => {
    const stop = new AbortController();
    const { url, seen } = await serve(() => undefined);
    const asking = expect(ask({ url, retry_count: 5 }, { signal: stop.signal })).rejects.toThrow('cancelled by Ada');
    await eventually('the request has arrived', () => seen.length === 1);
    stop.abort(new Error('cancelled by Ada'));
    await asking;
    expect(seen).toHaveLength(1);
  });

  test('an answer that is too large fails, packed or not', async () => {
    const { url } = await serve((seen, response) => {
      if (seen.url === '/plain') response.end('x'.repeat(2000));
      else response.setHeader('Content-Encoding', 'gzip').end(gzipSync('x'.repeat(2000)));
    });
    for (const path of ['plain', 'packed']) {
      await expect(ask({ url: `${url}/${path}`, max_response_size: 1000 })).rejects.toMatchObject({
        code: 'HTTP_RESPONSE_TOO_LARGE',
        category: 'permanent',
      });
    }
  });
});

describe('failures', () => {
  test('a refused connection is transient, and nothing has happened', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/x`;
    await expect(ask({ url, method: 'POST' })).rejects.toMatchObject({
      code: 'HTTP_CONNECTION_REFUSED',
      category: 'transient',
      ambiguous: false,
      message: `${url} refused the connection: is it running on that port? (ECONNREFUSED)`,
    });
  });

  test('a host that does not exist is named', async () => {
    await expect(ask({ url: 'http://no-such-host.invalid/' })).rejects.toMatchObject({ code: 'HTTP_HOST_NOT_FOUND' });
  });

  test('a lost connection is ambiguous where asking has an effect', async () => {
    const { url } = await serve(hangUp);
    const lost = { code: 'HTTP_CONNECTION_LOST', category: 'transient' };
    await expect(ask({ url, method: 'POST' })).rejects.toMatchObject({ ...lost, ambiguous: true });
    await expect(ask({ url })).rejects.toMatchObject({ ...lost, ambiguous: false });
  });

  test('a time-out after the request was sent is ambiguous for a POST', async () => {
    const clock = new ManualClock();
    const { url, seen } = await serve(() => undefined);
    const asking = expect(ask({ url, method: 'POST' }, { clock })).rejects.toMatchObject({
      code: 'HTTP_TIMEOUT',
      ambiguous: true,
    });
    await eventually('the request has arrived', () => seen.length === 1);
    await clock.advance(30_000);
    await asking;
  });

  test('a time-out before the connection stands means that nothing has happened', async () => {
    const clock = new ManualClock();
    let arrived = false;
    const silent = createServer((socket) => {
      arrived = true;
      onTestFinished(() => void socket.destroy());
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const asking = expect(ask({ url, method: 'POST' }, { clock })).rejects.toMatchObject({
      code: 'HTTP_TIMEOUT',
      ambiguous: false,
    });
    await eventually('the connection has arrived', () => arrived);
    await clock.advance(30_000);
    await asking;
  });

  test('an answer to a POST that cannot be read leaves its effect behind', async () => {
    const { url } = await serve((_seen, response) => response.setHeader('Content-Encoding', 'gzip').end('not packed'));
    await expect(ask({ url, method: 'POST' })).rejects.toMatchObject({
      code: 'HTTP_RESPONSE_INVALID',
      ambiguous: true,
    });
    await expect(ask({ url, method: 'POST', max_response_size: 2 })).rejects.toMatchObject({
      code: 'HTTP_RESPONSE_TOO_LARGE',
      ambiguous: true,
    });
  });
});

describe('asking again', () => {
  test.each(['GET', 'POST'])('a %s that failed is left to the engine to repeat', async (method) => {
    const { url, seen } = await serve(hangUp);
    await expect(ask({ url, method, retry_count: 2, retry_delay: 0 })).rejects.toMatchObject({
      code: 'HTTP_CONNECTION_LOST',
    });
    expect(seen).toHaveLength(1);
  });

  test('a busy server is asked again after the time it wishes', async () => {
    const clock = new ManualClock();
    const { url, seen } = await serve((_seen, response) => {
      if (seen.length === 1) response.writeHead(503, { 'Retry-After': '7' }).end();
      else response.end('ready');
    });
    const bench = new NodeBench(httpRequestNode, { url, retry_count: 1 }, { clock });
    const answer = bench.outputs();
    await eventually('the wait has begun', () => bench.logs.length === 1);
    expect(bench.logs[0]?.message).toBe('The server answered 503; asking again in 7 s');
    await clock.advance(7000);
    expect(await answer).toMatchObject({ response_body: 'ready' });
  });

  test('attempts of the engine count against retry_count', async () => {
    const { url, seen } = await serve((_seen, response) => response.writeHead(503).end());
    const bench = new NodeBench(httpRequestNode, { url, retry_count: 2, retry_delay: 0 });
    expect(await bench.runWith({ attempt: 2 })).toMatchObject({ outputs: { status_code: 503 } });
    expect(seen).toHaveLength(2);
  });

  test('of the statuses, only 429 has a POST asked again', async () => {
    const { url, seen } = await serve(({ url: path }, response) => response.writeHead(Number(path.slice(1))).end());
    const post = (status: number): Promise<JsonObject> =>
      ask({ url: `${url}/${status}`, method: 'POST', retry_count: 1, retry_delay: 0 });
    expect(await post(503)).toMatchObject({ status_code: 503 });
    expect(await post(429)).toMatchObject({ status_code: 429 });
    expect(seen.map(({ url: path }) => path)).toEqual(['/503', '/429', '/429']);
  });

  test('the limit of the node covers every answer and wait', () => {
    const limit = (config: JsonObject): number | undefined =>
      httpRequestNode.timeoutMs?.(httpRequestNode.params.parse({ url: 'http://x', ...config }));
    expect(limit({ timeout: 5 })).toBe(5000);
    expect(limit({ timeout: 5, retry_count: 2 })).toBe(15_000 + 120_000);
  });
});
