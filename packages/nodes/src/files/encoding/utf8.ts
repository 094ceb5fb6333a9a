/** UTF-8, with or without a byte order mark of its own (`utf-8-sig`). */
import type { Codec } from './codec.ts';
import { undecodable, unencodable } from './fallbacks.ts';

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

export function utf8Codec(options: { readonly mark: boolean }): Codec {
  return {
    encode(text, { errors, atStart }) {
      const whole = text.isWellFormed()
        ? text
        : text.replace(/\p{Surrogate}/gu, (half, index: number) => unencodable(half, index, 'utf-8', errors));
      const bytes = Buffer.from(whole, 'utf8');
      return options.mark && atStart ? Buffer.concat([MARK, bytes]) : bytes;
    },
    decode(bytes, errors) {
      const marked = options.mark && MARK.equals(bytes.subarray(0, 3));
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(marked ? 3 : 0);
      let text = '';
      let from = 0;
      for (const { start, end } of invalidSequences(body)) {
        text += body.toString('utf8', from, start);
        text += undecodable(body.subarray(start, end), start + (marked ? 3 : 0), 'utf-8', errors);
        from = end;
      }
      return text + body.toString('utf8', from);
    },
  };
}

/** Each longest run of bytes that starts a character but never completes it, as Unicode recommends. */
function* invalidSequences(bytes: Buffer): Generator<{ start: number; end: number }> {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] as number;
    if (lead < 0x80) {
      at += 1;
      continue;
    }
    const [length, low, high] = shapeOf(lead);
    let end = at + 1;
    while (end < at + length && end < bytes.length) {
      const byte = bytes[end] as number;
      const [from, to] = end === at + 1 ? [low, high] : [0x80, 0xbf];
      if (byte < from || byte > to) break;
      end += 1;
    }
    if (length === 0 || end < at + length) yield { start: at, end };
    at = end;
  }
}

/** Length of the character that a lead byte starts, and the range of its second byte. */
function shapeOf(lead: number): [length: number, low: number, high: number] {
  if (lead >= 0xc2 && lead <= 0xdf) return [2, 0x80, 0xbf];
  if (lead === 0xe0) return [3, 0xa0, 0xbf];
  if (lead === 0xed) return [3, 0x80, 0x9f];
  if (lead >= 0xe1 && lead <= 0xef) return [3, 0x80, 0xbf];
  if (lead === 0xf0) return [4, 0x90, 0xbf];
  if (lead >= 0xf1 && lead <= 0xf3) return [4, 0x80, 0xbf];
  return lead === 0xf4 ? [4, 0x80, 0x8f] : [0, 0, 0];
}
