/** What stands for what cannot be encoded or decoded, by mode. */
import { NodeError } from '../../errors.ts';
import type { ErrorsMode } from './codec.ts';

/** @param character one that the encoding lacks, at `index` of the text */
export function unencodable(character: string, index: number, encoding: string, errors: ErrorsMode): string {
  const code = character.codePointAt(0) ?? 0;
  if (errors === 'ignore') return '';
  if (errors === 'replace') return '?';
  if (errors === 'backslashreplace') return escapeOf(code);
  if (errors === 'xmlcharrefreplace') return `&#${code};`;
  throw new NodeError(
    `${encoding} has no character U+${code.toString(16).toUpperCase().padStart(4, '0')} (position ${index} of the text): ` +
      'choose utf-8, or an errors mode other than strict',
    { code: 'ENCODING_FAILED', errorType: 'UnicodeEncodeError' },
  );
}

/** @param bytes ones that mean nothing in the encoding, at `offset` of the file */
export function undecodable(bytes: Uint8Array, offset: number, encoding: string, errors: ErrorsMode): string {
  if (errors === 'ignore') return '';
  if (errors === 'replace') return '\ufffd';
  if (errors === 'backslashreplace') return Array.from(bytes, (byte) => `\\x${hex(byte, 2)}`).join('');
  const shown = Array.from(bytes.subarray(0, 4), (byte) => `0x${hex(byte, 2)}`).join(' ');
  throw new NodeError(
    `The file is not ${encoding}: ${shown} at byte ${offset} means nothing there; ` +
      'choose its real encoding, or the errors mode replace',
    { code: 'DECODING_FAILED', errorType: 'UnicodeDecodeError' },
  );
}

function escapeOf(code: number): string {
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0');
}
