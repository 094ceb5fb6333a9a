/** A row's checksum: finds damage by chance, not by intent. */
import { crc32 } from 'node:zlib';

/** CRC-32 over the row's columns, in order; `null` and the empty string differ. */
export function rowChecksum(columns: readonly (string | number | null)[]): number {
  let value = 0;
  for (const column of columns) {
    value = crc32(column === null ? '\u0000' : String(column), value);
    value = crc32('\u001f', value);
  }
  return value;
}
