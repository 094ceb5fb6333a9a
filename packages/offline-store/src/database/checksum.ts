/** A row's checksum: finds damage by chance, not by intent. */
import { crc32 } from 'node:zlib';

/** CRC-32 over the row's columns, in order; `null` and the empty string differ. */
export function rowChecksum(columns: readonly (string | number | null)[]): number {
  let text = '';
  for (const column of columns) text += column === null ? '\u0000\u001f' : `${column}\u001f`;
  return textChecksum(text);
}

/**
 * CRC-32 of a row's columns as one text, each with U+001F behind it, `null` as U+0000. A long text goes in by parts, which
 * spares a copy of it.
 *
 * @param before the checksum of the text in front. Default: none.
 */
export function textChecksum(text: string, before = 0): number {
  return crc32(text, before);
}
