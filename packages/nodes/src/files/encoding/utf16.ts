/** UTF-16: `utf-16` with a byte order mark (little-endian without one), `utf-16-le` and `utf-16-be` without. */
import type { Codec } from './codec.ts';
import { undecodable, unencodable } from './fallbacks.ts';

export type ByteOrder = 'marked' | 'little' | 'big';

export function utf16Codec(order: ByteOrder): Codec {
  return {
    encode(text, { errors, atStart }) {
      const whole = text.isWellFormed()
        ? text
        : text.replace(/\p{Surrogate}/gu, (half, index: number) => unencodable(half, index, 'utf-16', errors));
      const bytes = Buffer.from(order === 'marked' && atStart ? `\ufeff${whole}` : whole, 'utf16le');
      return order === 'big' ? bytes.swap16() : bytes;
    },
    decode(bytes, errors) {
      const { body, skipped } = littleEndian(Buffer.from(bytes), order);
      const even = body.length - (body.length % 2);
      const units = body.toString('utf16le', 0, even);
      const text = units.isWellFormed()
        ? units
        : units.replace(/\p{Surrogate}/gu, (half, index: number) =>
            undecodable(Buffer.from(half, 'utf16le'), skipped + index * 2, 'utf-16', errors),
          );
      return even === body.length ? text : text + undecodable(body.subarray(even), skipped + even, 'utf-16', errors);
    },
  };
}

function littleEndian(bytes: Buffer, order: ByteOrder): { body: Buffer; skipped: number } {
  const first = bytes.length >= 2 ? bytes.readUInt16LE(0) : 0;
  const skipped = order === 'marked' && (first === 0xfeff || first === 0xfffe) ? 2 : 0;
  const body = bytes.subarray(skipped);
  if (order !== 'big' && !(skipped === 2 && first === 0xfffe)) return { body, skipped };
  body.subarray(0, body.length - (body.length % 2)).swap16();
  return { body, skipped };
}
