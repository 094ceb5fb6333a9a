/**
 * Keys as files of their owner in a folder outside the store: `<number>-<key id>.key`, each the base64 text of
 * 32 random bytes. The highest number is the current key. A copy of the folder belongs into the backup, and
 * not beside the store's.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { translateStorageError } from '../database/storage-errors.ts';
import { keepFromOthers } from '../database/store-files.ts';
import { StoreError } from '../errors.ts';
import { keyBytes, keyIdOf, type SecretKey, type SecretKeys, secretKey } from './secret-keys.ts';

const fileName = /^(\d{4,})-([0-9a-f]{16})\.key$/;

interface KeyFile {
  readonly number: number;
  readonly path: string;
  readonly key: SecretKey;
}

/**
 * The keys of a folder; the folder and a first key are made when they are missing.
 *
 * @example
 * const keys = openKeyFolder('/var/lib/robot/keys');
 * const store = await openStore({ path: '/var/lib/robot/store.db', robotId: 'robot-123', keys });
 *
 * @throws StoreError `KEY_WRONG` when a file does not hold the key its name says; `STORE_ACCESS`
 */
export function openKeyFolder(folder: string): SecretKeys {
  checkFolder(folder);
  return reading(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = readKeys(folder);
    return toKeys(files.length > 0 ? files : [addKey(folder, 1)]);
  });
}

/** Adds a new key, which seals from now on once the store was given it (`store.useKeys`); older ones stay. */
export function rotateKeyFolder(folder: string): SecretKeys {
  checkFolder(folder);
  return reading(folder, () => {
    const files = readKeys(folder);
    const last = files.at(-1)?.number ?? 0;
    return toKeys([...files, addKey(folder, last + 1)]);
  });
}

/** Removes a key that nothing is sealed with any more (`store.sealedWith()`); the current one stays. */
export function removeKey(folder: string, keyId: string): void {
  checkFolder(folder);
  const files = reading(folder, () => readKeys(folder));
  const found = files.find(({ key }) => key.id === keyId);
  if (found === undefined) return;
  if (found === files.at(-1)) throw new StoreError('INVALID_ARGUMENT', `Key ${keyId} is the current one.`);
  rmSync(found.path);
}

/** @throws StoreError */
function reading<T>(folder: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw translateStorageError(error, `the folder of keys ${folder}`);
  }
}

function checkFolder(folder: string): void {
  if (typeof folder === 'string' && folder.trim() !== '') return;
  throw new StoreError('INVALID_ARGUMENT', 'The folder of keys is named by its path.');
}

function readKeys(folder: string): KeyFile[] {
  const files = readdirSync(folder).flatMap((name) => {
    const [, number, id] = fileName.exec(name) ?? [];
    return number === undefined || id === undefined ? [] : [readKey(join(folder, name), Number(number), id)];
  });
  return files.sort((a, b) => a.number - b.number);
}

function readKey(path: string, number: number, id: string): KeyFile {
  keepFromOthers(path);
  const bytes = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
  if (bytes.length !== keyBytes || keyIdOf(bytes) !== id) {
    throw new StoreError('KEY_WRONG', `${path} does not hold key ${id}: restore the file from its copy.`);
  }
  return { number, path, key: secretKey(bytes) };
}

function addKey(folder: string, number: number): KeyFile {
  const key = secretKey(randomBytes(keyBytes));
  const path = join(folder, `${String(number).padStart(4, '0')}-${key.id}.key`);
  const draft = `${path}.new`;
  writeFileSync(draft, `${Buffer.from(key.key).toString('base64')}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
  return { number, path, key };
}

function toKeys(files: readonly KeyFile[]): SecretKeys {
  const keys = files.map((file) => file.key);
  const current = keys.at(-1);
  if (current === undefined) throw new StoreError('KEY_MISSING', 'The folder holds no key.');
  return { current, older: keys.slice(0, -1) };
}
