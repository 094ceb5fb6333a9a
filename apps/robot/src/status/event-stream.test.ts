import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventStream } from './event-stream.ts';

async function streaming(clock: ManualClock) {
  const stream = new EventStream(clock);
  const server = createServer((_request, response) => {
    if (!stream.add(response)) response.writeHead(503).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    stream.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<IncomingMessage> => {
    const outgoing = get({ host: '127.0.0.1', port, agent: false });
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    answer.on('error', () => undefined);
    return answer;
  };
  return { stream, open };
}

describe('the stream', () => {
  it('tells a new reader what is known, each only what it does not know, and no more than twenty', async () => {
    const { stream, open } = await streaming(new ManualClock());
    const first = await open();
    let told = '';
    first.setEncoding('utf8').on('data', (chunk) => (told += chunk));
    stream.send('status', '{"n":1}');
    stream.send('status', '{"n":1}');
    stream.send('status', '{"n":2}');
    await eventually('it is told', () => told.includes('"n":2'));
    expect(told).toBe('retry: 2000\n\nevent: status\ndata: {"n":1}\n\nevent: status\ndata: {"n":2}\n\n');
    const others = await Promise.all(Array.from({ length: 20 }, open));
    expect(others.filter(({ statusCode }) => statusCode === 503)).toHaveLength(1);
    expect(stream.readers).toBe(20);
    first.destroy();
    await eventually('there is room again', () => stream.readers === 19);
    const late = await open();
    let heard = '';
    late.setEncoding('utf8').on('data', (chunk) => (heard += chunk));
    await eventually('the late one is told, too', () => heard.includes('"n":2'));
  });

  it('tells a reader that was slow the newest of each kind, also of what does not change again', async () => {
    const { stream, open } = await streaming(new ManualClock());
    const reader = await open();
    const big = 'x'.repeat(10_000_000);
    for (let n = 0; n < 3; n += 1) {
      stream.send('status', `"${n}${big}"`);
      stream.send('details', `"details ${n}"`);
    }
    let told = '';
    reader.setEncoding('utf8').on('data', (chunk) => (told += chunk.replaceAll('x', '')));
    await eventually('it knows the newest', () => told.includes('"details 2"') && told.includes('data: "2"'));
    expect(told.match(/"(?:details )?[0-9]"/g)).toEqual(['"0"', '"details 2"', '"2"']);
  });

  it('buffers nothing for a reader that takes nothing, and lets it go', async () => {
    const clock = new ManualClock();
    const { stream, open } = await streaming(clock);
    await open();
    const big = 'x'.repeat(1_000_000);
    for (let n = 0; n < 100; n += 1) {
      stream.send('status', `"${n}${big}"`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(50e6);
    await clock.advance(30_001);
    stream.send('status', '"end"');
    await eventually('it is let go', () => stream.readers === 0);
  });
});
