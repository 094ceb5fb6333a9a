/**
 * The key that a robot signs its audit log with. Private keys are PEM files of their owner in a folder outside the log,
 * `audit-<number>-<key id>.pem`, with a line before the key that says who had it made; the highest number signs. The log's own folder has `audit-keys.json`: all public
 * keys, and for each after the first the statement that hands over to it, signed by the old key and the new one.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as must from '../arguments.ts';
import { AuditError, messageOf } from '../errors.ts';
import { isCode, replaceFile, syncFolder } from '../files/durable-file.ts';
import type { ChainHead } from './chain-line.ts';
import { parseObject, type RotationFacts, rotationText } from './signed-records.ts';

export interface AuditSigner {
  readonly keyId: string;
  /** The 32 bytes, base64. */
  readonly publicKey: string;
  /** Who had it made; null for a robot's first key, and where nobody is named. */
  readonly madeBy: string | null;
  /** Base64. */
  sign(text: string): string;
}

export interface AuditKeyRing {
  readonly current: AuditSigner;
  /** Former keys, oldest first. */
  readonly older: readonly AuditSigner[];
}

export interface KnownKey {
  readonly key_id: string;
  readonly public_key: string;
  /** Null for the first key. */
  readonly rotation: (RotationFacts & { readonly old_signature: string | null; readonly new_signature: string }) | null;
}

export interface KeyHistory {
  readonly v: 1;
  readonly robot_id: string;
  /** Oldest first. */
  readonly keys: readonly KnownKey[];
}

const keyFileName = /^audit-(\d{4,})-([0-9a-f]{16})\.pem$/;
/** Text before a PEM block is an explanation (RFC 7468, section 2). */
const madeByLabel = 'Made-By: ';
const madeByLine = /^Made-By: (.+)$/m;
export const keyHistoryName = 'audit-keys.json';

/**
 * The keys of a folder; folder and a first key are made when they are missing.
 *
 * @throws AuditError `AUDIT_KEY_WRONG` when a file does not hold the key that its name says
 */
export function openAuditKeys(folder: string): AuditKeyRing {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const files = listKeyFiles(folder);
  const signers = files.map(({ path, id }) => readSigner(path, id));
  const current = signers.pop() ?? addAuditKey(folder);
  return { current, older: signers };
}

/**
 * Adds a key to the folder. It signs from the next start of the writer on, which also writes down the hand-over.
 *
 * @param madeBy who asks for it: the actor of the hand-over's entry. Default: nobody is named
 * @returns the new key
 * @throws ArgumentError
 */
export function addAuditKey(folder: string, madeBy: string | null = null): AuditSigner {
  must.filledText('folder', folder);
  must.nullable(must.text)('madeBy', madeBy);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const number = (listKeyFiles(folder).at(-1)?.number ?? 0) + 1;
  const { privateKey } = generateKeyPairSync('ed25519');
  const name = madeBy === null ? null : nameOf(madeBy);
  const signer = asSigner(privateKey, name);
  const path = join(folder, `audit-${String(number).padStart(4, '0')}-${signer.keyId}.pem`);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(path, name === null ? pem : `${madeByLabel}${name}\n${String(pem)}`, {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  });
  syncFolder(folder);
  return signer;
}

/** The name of a public key: the first 16 hex digits of the SHA-256 of its 32 bytes. */
export function keyIdOf(publicKey: string): string {
  return hash('sha256', Buffer.from(publicKey, 'base64'), 'hex').slice(0, 16);
}

/** False also for a key or a signature that is none. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    return verify(null, Buffer.from(text, 'utf8'), keyObjectOf(publicKey), Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/**
 * @param publicKey its 32 bytes, base64
 * @throws ArgumentError for what is no such key
 */
export function publicKeyPem(publicKey: string): string {
  must.text('publicKey', publicKey);
  if (Buffer.from(publicKey, 'base64').length !== 32)
    must.refuse('publicKey', 'the 32 bytes of an Ed25519 key in base64', publicKey);
  return keyObjectOf(publicKey).export({ type: 'spki', format: 'pem' }) as string;
}

/**
 * With a robot's own keys, those that it once signed to have taken over from. The former may be gone and so have vouched for
 * nothing; whoever does not have one of the own keys cannot add to them.
 *
 * @param keys the 32 bytes of each, base64
 * @throws AuditError as `readKeyHistory`
 */
export function ownKeys(logDir: string, keys: readonly string[]): readonly string[] {
  const own = new Map(keys.map((key) => [keyIdOf(key), key]));
  const known = readKeyHistory(join(logDir, keyHistoryName))?.keys ?? [];
  for (const { key_id: id, rotation } of known.toReversed()) {
    const key = own.get(id);
    const former = known.find(({ key_id }) => key_id === rotation?.old_key_id);
    if (key === undefined || rotation === null || former === undefined) continue;
    if (keyIdOf(former.public_key) !== former.key_id || rotation.new_key_id !== id) continue;
    if (isSignedBy(key, rotationText(rotation), rotation.new_signature)) own.set(former.key_id, former.public_key);
  }
  return [...own.values()];
}

export interface HandOver {
  readonly kind: 'rotated' | 'replaced';
  readonly rotation: RotationFacts;
  /** Who had the new key made; null where nobody is named. */
  readonly madeBy: string | null;
}

/**
 * Writes the hand-over into the log's `audit-keys.json` when the current key is new there.
 *
 * @returns what was found: the key of last time, a first key, a handed-over one, or one that the old key, which is
 * gone, could not vouch for
 */
export function recordKeys(
  logDir: string,
  robotId: string,
  keys: AuditKeyRing,
  head: ChainHead,
  at: string,
): { readonly kind: 'same' | 'first' } | HandOver {
  const path = join(logDir, keyHistoryName);
  const known = readKeyHistory(path)?.keys ?? [];
  const last = known.at(-1);
  const { current } = keys;
  if (last?.key_id === current.keyId) return { kind: 'same' };
  const write = (rotation: KnownKey['rotation']): void => {
    const key: KnownKey = { key_id: current.keyId, public_key: current.publicKey, rotation };
    const history: KeyHistory = { v: 1, robot_id: robotId, keys: [...known, key] };
    replaceFile(path, `${JSON.stringify(history, null, 2)}\n`);
  };
  if (last === undefined) {
    write(null);
    return { kind: 'first' };
  }
  const rotation: RotationFacts = {
    robot_id: robotId,
    old_key_id: last.key_id,
    new_key_id: current.keyId,
    new_public_key: current.publicKey,
    seq: head.seq,
    at,
  };
  const text = rotationText(rotation);
  const old = keys.older.find(({ keyId }) => keyId === last.key_id);
  write({ ...rotation, old_signature: old?.sign(text) ?? null, new_signature: current.sign(text) });
  return { kind: old === undefined ? 'replaced' : 'rotated', rotation, madeBy: current.madeBy };
}

/**
 * Null when there is no such file.
 *
 * @throws AuditError `AUDIT_KEY_WRONG` when it holds something else
 */
export function readKeyHistory(path: string): KeyHistory | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
  const value = parseObject(text);
  if (value === null || !Array.isArray(value.keys) || !value.keys.every(isKnownKey)) {
    throw new AuditError('AUDIT_KEY_WRONG', `${path} is no list of public keys; restore it from a copy`);
  }
  return value as unknown as KeyHistory;
}

function isKnownKey(value: unknown): value is KnownKey {
  if (typeof value !== 'object' || value === null) return false;
  const { key_id: keyId, public_key: publicKey, rotation } = value as Partial<Record<keyof KnownKey, unknown>>;
  return typeof keyId === 'string' && typeof publicKey === 'string' && typeof rotation === 'object';
}

interface KeyFile {
  readonly number: number;
  readonly id: string;
  readonly path: string;
}

function listKeyFiles(folder: string): KeyFile[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const [, number, id] = keyFileName.exec(name) ?? [];
      return number === undefined || id === undefined ? [] : [{ number: Number(number), id, path: join(folder, name) }];
    })
    .sort((a, b) => a.number - b.number);
}

function readSigner(path: string, id: string): AuditSigner {
  let signer: AuditSigner;
  try {
    const found = statSync(path);
    if (process.platform !== 'win32' && found.isFile() && (found.mode & 0o077) !== 0) chmodSync(path, 0o600);
    const text = readFileSync(path, 'utf8');
    signer = asSigner(createPrivateKey(text), madeByLine.exec(text)?.[1] ?? null);
  } catch (error) {
    throw new AuditError('AUDIT_KEY_WRONG', `${path} holds no private key: ${messageOf(error)}`, error);
  }
  if (signer.keyId === id) return signer;
  throw new AuditError(
    'AUDIT_KEY_WRONG',
    `${path} does not hold key ${id}; restore it from its copy in ${dirname(path)}`,
  );
}

/** One line, and short. */
function nameOf(madeBy: string): string {
  return madeBy.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 100);
}

function asSigner(privateKey: KeyObject, madeBy: string | null): AuditSigner {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined) throw new Error('it is no Ed25519 key');
  const publicKey = Buffer.from(x, 'base64url').toString('base64');
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    madeBy,
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), privateKey).toString('base64'),
  };
}

function keyObjectOf(publicKey: string): KeyObject {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
