import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpRequestNode } from '../src/http/http-request-node.ts';
import type { JsonObject } from '../src/ports.ts';
import { NodeBench, problemsOf } from './context.ts';
import { ask, echo, hangUp } from './http-bench.ts';
import { closedPort, serve } from './http-server.ts';

describe('asking', () => {
  test('the answer comes as text, as JSON, and with its status and headers', async () => {
    const { url } = await serve(echo);
    expect(await ask({ url: `${url}/a` })).toEqual({
      response_body: '{"method":"GET","url":"/a","body":""}',
      response_json: { method: 'GET', url: '/a', body: '' },
      status_code: 200,
      response_headers: expect.objectContaining({ 'content-type': 'application/json' }),
      success: true,
      error: '',
    });
  });

  test.each([
    [404, false, 'HTTP 404'],
    [500, false, 'HTTP 500'],
    [204, true, ''],
  ])('status %d is an answer, too', async (status, success, error) => {
    const { url } = await serve((_seen, response) => response.writeHead(status).end());
    expect(await ask({ url })).toMatchObject({ status_code: status, success, error, response_json: null });
  });

  test('parameters join the address, lists as repetitions', async () => {
    const { url, seen } = await serve(echo);
    await ask({ url: `${url}/s?x=1#top`, params: '{"q": "a b&c", "tag": [1, 2], "none": null, "yes": true}' });
    expect(seen[0]?.url).toBe('/s?x=1&q=a+b%26c&tag=1&tag=2&yes=true');
  });

  test('headers are sent as given, from an object or JSON text', async () => {
    const { url, seen } = await serve(echo);
    await ask({ url, headers: { 'X-Number': 5, 'User-Agent': 'mine' } });
    await ask({ url, headers: '{"X-Number": "6"}' });
    expect(seen.map(({ headers }) => [headers['x-number'], headers['user-agent']])).toEqual([
      ['5', 'mine'],
      ['6', 'casare-robot'],
    ]);
  });

  test.each<[JsonObject, string, string | undefined]>([
    [{ body: { a: [1] } }, '{"a":[1]}', 'application/json'],
    [{ body: '{"a": 1}' }, '{"a": 1}', 'application/json'],
    [{ body: 'x', content_type: 'text/plain' }, 'x', 'text/plain'],
    [{ body: 'x', headers: { 'content-type': 'text/csv' } }, 'x', 'text/csv'],
    [
      { body: { a: 'b c', d: 1 }, content_type: 'application/x-www-form-urlencoded' },
      'a=b+c&d=1',
      'application/x-www-form-urlencoded',
    ],
    [{}, '', undefined],
  ])('the body %j is sent as %s', async (config, body, type) => {
    const { url, seen } = await serve(echo);
    await ask({ url, method: 'post', ...config });
    expect([seen[0]?.method, seen[0]?.body, seen[0]?.headers['content-type']]).toEqual(['POST', body, type]);
  });

  test('GET sends no body', async () => {
    const { url, seen } = await serve(echo);
    await ask({ url, body: { a: 1 } });
    expect(seen[0]?.body).toBe('');
  });

  test('a login in the address goes into a header and into nothing else', async () => {
    const { url, seen } = await serve(hangUp);
    const address = url.replace('//', '//ada:s%40cret@');
    const failure = await ask({ url: `${address}/x?key=hidden` }).catch((error: Error) => error.message);
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:s@cret').toString('base64')}`);
    expect(failure).toContain(`${url}/x closed the connection`);
    expect(failure).not.toMatch(/cret|hidden/);
  });

  test('packed answers are unpacked, and other charsets understood', async () => {
    const { url } = await serve((seen, response) => {
      if (seen.url === '/gzip') response.setHeader('Content-Encoding', 'gzip').end(gzipSync('packed'));
      else response.setHeader('Content-Type', 'text/plain; charset=iso-8859-1').end(Buffer.from([0xe9]));
    });
    expect((await ask({ url: `${url}/gzip` })).response_body).toBe('packed');
    expect((await ask({ url: `${url}/latin` })).response_body).toBe('é');
    expect((await ask({ url: `${url}/latin`, response_encoding: 'windows-1251' })).response_body).toBe('й');
  });

  test('what makes no sense is refused before anything is sent', async () => {
    const { url, seen } = await serve(echo);
    expect(problemsOf(httpRequestNode, { url: '', method: 'FETCH', headers: 'x: y', timeout: 0 })).toEqual([
      'url: is required, but is not set',
      'method: must be one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, but is "FETCH"',
      'headers: must be an object, such as {"name": "value"}, but is text that is not JSON',
      'timeout: must be at least 0.001, but is 0',
    ]);
    await expect(ask({ url: 'example.com' })).rejects.toMatchObject({ code: 'HTTP_URL_INVALID' });
    await expect(ask({ url: 'file:///etc/passwd' })).rejects.toMatchObject({ code: 'HTTP_URL_INVALID' });
    await expect(ask({ url, headers: { 'X-A': 'a\r\nX-B: b' } })).rejects.toMatchObject({
      code: 'HTTP_HEADER_INVALID',
    });
    await expect(ask({ url, response_encoding: 'klingon' })).rejects.toMatchObject({ code: 'ENCODING_UNKNOWN' });
    expect(seen).toEqual([]);
  });

  test.each([
    ['GET', 'pure'],
    ['HEAD', 'pure'],
    ['OPTIONS', 'pure'],
    ['POST', 'effect'],
    ['PUT', 'effect'],
    ['PATCH', 'effect'],
    ['DELETE', 'effect'],
  ])('%s is %s', (method, effect) => {
    expect(new NodeBench(httpRequestNode, { url: 'http://x', method }).effect).toBe(effect);
  });
});

describe('redirects', () => {
  test('are followed; after a POST with GET, and with 307 as they were', async () => {
    const { url, seen } = await serve(({ url: path, method, body }, response) => {
      if (path === '/302' || path === '/307') response.writeHead(Number(path.slice(1)), { location: '/end' }).end();
      else response.end(`${method} ${body}`);
    });
    expect((await ask({ url: `${url}/302`, method: 'POST', body: 'x' })).response_body).toBe('GET ');
    expect(seen[1]?.headers['content-type']).toBeUndefined();
    expect((await ask({ url: `${url}/307`, method: 'POST', body: 'x' })).response_body).toBe('POST x');
  });

  test('to another site take no login and no cookie along', async () => {
    const other = await serve(echo);
    const { url } = await serve((_seen, response) => response.writeHead(302, { location: `${other.url}/x` }).end());
    await ask({ url, headers: { Authorization: 'secret', Cookie: 'a=b', 'X-Kept': '1' } });
    expect(other.seen[0]?.headers).toMatchObject({ 'x-kept': '1' });
    expect(other.seen[0]?.headers).not.toHaveProperty('authorization');
    expect(other.seen[0]?.headers).not.toHaveProperty('cookie');
  });

  test('are answers like any other when they are not to be followed', async () => {
    const { url, seen } = await serve((_seen, response) => response.writeHead(302, { location: '/x' }).end());
    expect(await ask({ url, follow_redirects: 'false' })).toMatchObject({ status_code: 302, success: false });
    expect(seen).toHaveLength(1);
  });

  test('end at their limit', async () => {
    const { url, seen } = await serve((_seen, response) => response.writeHead(302, { location: '/again' }).end());
    await expect(ask({ url, max_redirects: 3 })).rejects.toMatchObject({ code: 'HTTP_TOO_MANY_REDIRECTS' });
    expect(seen).toHaveLength(4);
  });
});

describe('certificates and proxies', () => {
  test('a certificate that nobody vouches for is refused unless verify_ssl is off', async () => {
    const { url, seen } = await serve(echo, { tls: true });
    await expect(ask({ url, method: 'POST' })).rejects.toMatchObject({
      code: 'HTTP_CERTIFICATE_INVALID',
      category: 'permanent',
      ambiguous: false,
    });
    expect(seen).toEqual([]);
    expect(await ask({ url, verify_ssl: 'false' })).toMatchObject({ status_code: 200 });
  });

  test('plain requests go through a proxy', async () => {
    const proxy = await serve((seen, response) => response.end(`asked for ${seen.url}`));
    const outputs = await ask({ url: 'http://shop.invalid/a?b=1', proxy: proxy.url.replace('//', '//user:pass@') });
    expect(outputs.response_body).toBe('asked for http://shop.invalid/a?b=1');
    expect(proxy.seen[0]?.headers['proxy-authorization']).toBe(`Basic ${btoa('user:pass')}`);
  });

  test('secure requests go through a tunnel of a proxy', async () => {
    const target = await serve(echo, { tls: true });
    const proxy = await serve(echo);
    const tunnels: string[] = [];
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const upstream = connect(Number(new URL(target.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [upstream, socket]) end.on('error', () => upstream.destroy());
    });
    expect(await ask({ url: target.url, proxy: proxy.url, verify_ssl: false })).toMatchObject({ status_code: 200 });
    expect(tunnels).toEqual([new URL(target.url).host]);
  });

  test('a proxy that never answers is given up in time', async () => {
    const clock = new ManualClock();
    const proxy = await serve(echo);
    let arrived = false;
    proxy.server.on('connect', (_request, socket) => {
      arrived = true;
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
    });
    const asking = expect(ask({ url: 'https://shop.invalid/', proxy: proxy.url }, { clock })).rejects.toMatchObject({
      code: 'HTTP_TIMEOUT',
    });
    await eventually('the proxy was asked', () => arrived);
    await clock.advance(30_000);
    await asking;
  });

  test('a proxy that refuses is named, and nothing has happened', async () => {
    const proxy = await serve(echo);
    proxy.server.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Login\r\n\r\n'));
    await expect(
      ask({ url: 'https://shop.invalid/', method: 'POST', proxy: proxy.url, timeout: 5 }),
    ).rejects.toMatchObject({ code: 'HTTP_PROXY_FAILED', category: 'permanent', ambiguous: false });
    const gone = `http://127.0.0.1:${await closedPort()}`;
    await expect(ask({ url: 'http://shop.invalid/', proxy: gone })).rejects.toMatchObject({
      code: 'HTTP_CONNECTION_REFUSED',
    });
    await expect(ask({ url: 'http://shop.invalid/', proxy: 'nonsense' })).rejects.toMatchObject({
      code: 'HTTP_PROXY_INVALID',
    });
  });
});
