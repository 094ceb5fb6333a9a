/** Finds the codec for an encoding's name, by Python's names and the web's. */
import { NodeError } from '../../errors.ts';
import type { Codec } from './codec.ts';
import { undecodable } from './fallbacks.ts';
import { firstCodePoints, singleByteCodec, tableOf } from './single-byte.ts';
import { utf8Codec } from './utf8.ts';
import { utf16Codec } from './utf16.ts';

const UNICODE: Readonly<Record<string, () => Codec>> = {
  utf8: () => utf8Codec({ mark: false }),
  utf8sig: () => utf8Codec({ mark: true }),
  utf16: () => utf16Codec('marked'),
  utf16le: () => utf16Codec('little'),
  utf16be: () => utf16Codec('big'),
  ascii: () => singleByteCodec('ascii', firstCodePoints(128)),
  usascii: () => singleByteCodec('ascii', firstCodePoints(128)),
  latin1: () => singleByteCodec('latin-1', firstCodePoints(256)),
  iso88591: () => singleByteCodec('latin-1', firstCodePoints(256)),
  l1: () => singleByteCodec('latin-1', firstCodePoints(256)),
};

const ONE_BYTE = /^(windows-125\d|windows-874|iso-8859-\d+|koi8-[ru]|ibm866|macintosh|x-mac-cyrillic)$/;

/** @throws NodeError `ENCODING_UNKNOWN` */
export function codecFor(name: string): Codec {
  const known = UNICODE[name.toLowerCase().replace(/[^a-z0-9]/g, '')];
  if (known !== undefined) return known();
  const label = webLabel(name);
  const canonical = canonicalName(label);
  if (canonical === null) {
    throw new NodeError(
      `There is no encoding "${name}": use utf-8, utf-16, latin-1, ascii, cp1252 or another code page`,
      {
        code: 'ENCODING_UNKNOWN',
        errorType: 'LookupError',
      },
    );
  }
  return ONE_BYTE.test(canonical) ? singleByteCodec(name, tableOf(label)) : readOnlyCodec(name, label);
}

/** `cp1252` and `iso8859_15` in the names that the web uses. */
function webLabel(name: string): string {
  const plain = name.trim().toLowerCase().replaceAll('_', '-');
  return plain
    .replace(/^cp(125\d|874)$/, 'windows-$1')
    .replace(/^cp866$/, 'ibm866')
    .replace(/^iso-?8859-?(\d+)$/, 'iso-8859-$1')
    .replace(/^mac-?roman$/, 'macintosh');
}

function canonicalName(label: string): string | null {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

/** Encodings of several bytes per character, which the platform can read but not write. */
function readOnlyCodec(name: string, label: string): Codec {
  return {
    encode() {
      throw new NodeError(`Text cannot be written as ${name}: use utf-8`, {
        code: 'ENCODING_UNKNOWN',
        errorType: 'LookupError',
      });
    },
    decode(bytes, errors) {
      if (errors === 'replace') return new TextDecoder(label, { ignoreBOM: true }).decode(bytes);
      try {
        return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        return undecodable(bytes, 0, name, 'strict');
      }
    },
  };
}
