/** The keys that seal secret values; they live outside the store (I8). */
import { createHash } from 'node:crypto';
import { StoreError } from '../errors.ts';
import { refuseSlips, secretKeysNames } from '../option-names.ts';

export interface SecretKey {
  /** Names the key in the records it sealed: `keyIdOf(key)`. */
  readonly id: string;
  /** 32 bytes, for AES-256. */
  readonly key: Uint8Array;
}

/** `current` seals; `older` ones are there to open what they sealed before a rotation. */
export interface SecretKeys {
  readonly current: SecretKey;
  readonly older?: readonly SecretKey[];
}

export const keyBytes = 32;

/**
 * The first 16 hexadecimal digits of the key's SHA-256: tells keys apart, says nothing about their bytes.
 *
 * @throws StoreError `INVALID_ARGUMENT`
 */
export function keyIdOf(key: Uint8Array): string {
  if (!(key instanceof Uint8Array)) throw new StoreError('INVALID_ARGUMENT', 'keyIdOf takes the bytes of a key.');
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/**
 * A key from its 32 bytes, or from their base64 text as a keyring or an environment variable gives it.
 *
 * @throws StoreError `KEY_WRONG` when it is not 32 bytes long
 */
export function secretKey(key: Uint8Array | string): SecretKey {
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw new StoreError('INVALID_ARGUMENT', `secretKey takes ${keyBytes} bytes, or their base64 text.`);
  }
  const bytes = typeof key === 'string' ? Buffer.from(key.trim(), 'base64') : key;
  if (bytes.length !== keyBytes) {
    throw new StoreError('KEY_WRONG', `A key has ${keyBytes} bytes, this one has ${bytes.length}.`);
  }
  return { id: keyIdOf(bytes), key: bytes };
}

/** @throws StoreError `KEY_WRONG` when a key is not the one its id names */
export function checkKeys(keys: SecretKeys): SecretKeys {
  if (keys?.current === undefined)
    throw new StoreError('INVALID_ARGUMENT', 'keys are what openKeyFolder returns, or { current: secretKey(...) }.');
  refuseSlips(keys, 'keys', secretKeysNames);
  for (const { id, key } of [keys.current, ...(keys.older ?? [])]) {
    if (!(key instanceof Uint8Array) || key.length !== keyBytes || keyIdOf(key) !== id) {
      throw new StoreError('KEY_WRONG', `The key named ${id} is damaged or another key: restore it from its copy.`);
    }
  }
  return keys;
}
