import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from './phoenix-frames.ts';

const text = fc.string({ maxLength: 40 });

describe('a frame', () => {
  it('comes out as it went in', () => {
    const frames = fc.record({
      joinRef: fc.option(text),
      ref: fc.option(text),
      topic: text,
      event: text,
      payload: fc.jsonValue(),
    });
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(encodeFrame(frame))).toEqual(JSON.parse(JSON.stringify(frame)));
      }),
    );
  });

  it('in binary form is a broadcast', () => {
    const [topic, event, payload] = ['realtime:casare:robot:ä', 'jobs', '{"n":1}'].map((part) => Buffer.from(part));
    if (topic === undefined || event === undefined || payload === undefined) throw new Error('impossible');
    const bytes = Buffer.concat([
      Buffer.from([4, topic.length, event.length, 2, 1]),
      topic,
      event,
      Buffer.from('{}'),
      payload,
    ]);
    expect(decodeFrame(bytes)).toEqual({
      joinRef: null,
      ref: null,
      topic: 'realtime:casare:robot:ä',
      event: 'broadcast',
      payload: { type: 'broadcast', event: 'jobs', payload: { n: 1 } },
    });
  });

  it('is never made of anything else, and nothing makes the decoder throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array({ maxLength: 300 })), (data) => {
        const frame = decodeFrame(data);
        if (frame === undefined) return;
        expect(typeof frame.topic).toBe('string');
        expect(typeof frame.event).toBe('string');
      }),
      { numRuns: 500 },
    );
    for (const odd of ['', '[]', '[1,2,"t","e",{}]', '{"topic":"t","event":"e"}', '[null,null,1,"e",{}]', '[[[[[']) {
      expect(decodeFrame(odd)).toBeUndefined();
    }
    expect(decodeFrame(new Uint8Array([4, 200, 200, 0, 1, 65]))).toBeUndefined();
  });
});
