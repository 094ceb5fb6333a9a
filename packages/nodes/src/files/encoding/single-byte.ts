/** Encodings of one byte per character: ASCII, Latin-1 and the code pages. */
import type { Codec } from './codec.ts';
import { undecodable, unencodable } from './fallbacks.ts';

/** @param characters what each of the 256 bytes means; null for nothing */
export function singleByteCodec(name: string, characters: readonly (string | null)[]): Codec {
  const bytesOf = new Map<string, number>();
  for (const [byte, character] of characters.entries()) {
    if (character !== null) bytesOf.set(character, byte);
  }
  const encodeAll = (text: string): number[] => Array.from(text, (character) => bytesOf.get(character) ?? 0x3f);
  return {
    encode(text, { errors }) {
      const bytes: number[] = [];
      let index = 0;
      for (const character of text) {
        const byte = bytesOf.get(character);
        if (byte === undefined) bytes.push(...encodeAll(unencodable(character, index, name, errors)));
        else bytes.push(byte);
        index += character.length;
      }
      return Buffer.from(bytes);
    },
    decode(bytes, errors) {
      const parts: string[] = [];
      for (const [offset, byte] of bytes.entries()) {
        parts.push(characters[byte] ?? undecodable(bytes.subarray(offset, offset + 1), offset, name, errors));
      }
      return parts.join('');
    },
  };
}

/** The first `count` code points; 128 make ASCII, 256 make Latin-1. */
export function firstCodePoints(count: number): (string | null)[] {
  return Array.from({ length: 256 }, (_, code) => (code < count ? String.fromCodePoint(code) : null));
}

/** The table of a code page that the platform can decode. */
export function tableOf(label: string): (string | null)[] {
  const decoder = new TextDecoder(label);
  return Array.from({ length: 256 }, (_, byte) => {
    const character = decoder.decode(Uint8Array.of(byte));
    return character === '\ufffd' ? null : character;
  });
}
