/** `audit-tombstone.json`: stands for every segment that retention has removed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuditError } from '../errors.ts';
import { isCode, replaceFile } from '../files/durable-file.ts';
import { isHash } from './chain-line.ts';
import { parseObject, type Tombstone } from './signed-records.ts';

export const tombstoneName = 'audit-tombstone.json';

/**
 * Null when nothing was removed.
 *
 * @throws AuditError `AUDIT_UNREADABLE` when the file is no tombstone
 */
export function readTombstone(folder: string): Tombstone | null {
  const path = join(folder, tombstoneName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  const value = parseObject(text);
  const isTombstone =
    value !== null &&
    [value.first_seq, value.last_seq, value.entries, value.last_segment].every(Number.isSafeInteger) &&
    isHash(value.last_hash) &&
    Array.isArray(value.earlier_files);
  if (!isTombstone) throw new AuditError('AUDIT_UNREADABLE', `${path} is no tombstone; restore it from a copy`);
  return value as unknown as Tombstone;
}

export function writeTombstone(folder: string, tombstone: Tombstone): void {
  replaceFile(join(folder, tombstoneName), `${JSON.stringify(tombstone, null, 2)}\n`);
}
