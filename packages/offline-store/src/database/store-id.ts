/** The identity of a store's file: what its file of marks refers to. */
import type Database from 'better-sqlite3';
import { StoreError } from '../errors.ts';
import { rowChecksum } from './checksum.ts';

/** @throws StoreError `STORE_CORRUPT` */
export function storeIdOf(db: Database.Database): string {
  const row = db
    .prepare<[], { value: string; crc: number }>("SELECT value, crc FROM meta WHERE name = 'store_id'")
    .get();
  if (row !== undefined && rowChecksum(['store_id', row.value]) === row.crc) return row.value;
  throw new StoreError('STORE_CORRUPT', 'The identity of the store is damaged.');
}
