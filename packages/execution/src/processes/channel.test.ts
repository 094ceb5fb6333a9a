import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Channel, encodeFrame, FrameReader, FrameTooLargeError, maxFrameBytes } from './channel.ts';

interface Message {
  readonly type: string;
  readonly value?: unknown;
}

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat(40)), (values, cuts) => {
        const bytes = Buffer.concat(values.map((value) => encodeFrame({ type: 'x', value })));
        const reader = new FrameReader();
        const read: unknown[] = [];
        let at = 0;
        for (const cut of cuts) {
          read.push(...reader.read(bytes.subarray(at, at + cut)));
          at += cut;
        }
        read.push(...reader.read(bytes.subarray(at)));
        expect(read).toEqual(values.map((value) => JSON.parse(JSON.stringify({ type: 'x', value }))));
      }),
      { numRuns: 200 },
    );
  });

  it('are refused when they are too large, on both sides', () => {
    expect(() => encodeFrame({ type: 'x', value: 'x'.repeat(maxFrameBytes) })).toThrow(FrameTooLargeError);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(maxFrameBytes + 1);
    expect(() => [...new FrameReader().read(header)]).toThrow(FrameTooLargeError);
  });
});

describe('a channel', () => {
  it.each([
    ['is no JSON', Buffer.from([0, 0, 0, 1, 0x7b])],
    ['is no message', encodeFrame(['type'])],
  ])('breaks for good at what %s', async (_what, bytes) => {
    const seen: Message[] = [];
    const closed: (Error | null)[] = [];
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    new Channel<Message, Message>(stream, {
      onMessage: (message) => seen.push(message),
      onClosed: (reason) => closed.push(reason),
    });
    stream.push(Buffer.concat([encodeFrame({ type: 'first' }), bytes, encodeFrame({ type: 'second' })]));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(seen).toEqual([{ type: 'first' }]);
    expect(closed).toEqual([expect.any(Error)]);
  });

  it('that waits for the other side again and again keeps no listeners', async () => {
    const stream = new Duplex({
      highWaterMark: 1,
      read: () => undefined,
      write: (_bytes, _encoding, done) => setImmediate(done),
    });
    const channel = new Channel<Message, Message>(stream, { onMessage: () => undefined, onClosed: () => undefined });
    const listeners = (): number => stream.listenerCount('close') + stream.listenerCount('drain');
    const before = listeners();
    for (let turn = 0; turn < 3; turn += 1) {
      channel.send({ type: 'x' });
      await channel.drained();
    }
    expect(listeners()).toBe(before);
    channel.close();
  });
});
