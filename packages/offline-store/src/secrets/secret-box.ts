/**
 * Seals secret values: AES-256-GCM with a random nonce of 96 bits per record (NIST SP 800-38D, 8.2.2), the id
 * of its key in front. The associated data binds a record to its place, so that a sealed value which was
 * moved to another job or step does not open.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { StoreError } from '../errors.ts';
import { checkKeys, type SecretKey, type SecretKeys } from './secret-keys.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Where a sealed value belongs: it opens there and nowhere else. */
export interface SealedPlace {
  readonly jobId: string;
  readonly leaseToken: string;
  readonly seq: number;
}

/**
 * @example
 * const box = new SecretBox({ current: secretKey(randomBytes(32)) });
 * const place = { jobId: 'job-456', leaseToken: '17', seq: 3 };
 * box.open(box.seal('a cookie', place), place); // 'a cookie'
 */
export class SecretBox {
  #current: PreparedKey | null = null;
  #all: ReadonlyMap<string, PreparedKey> = new Map();

  /** @param keys null: nothing can be sealed or opened */
  constructor(keys: SecretKeys | null) {
    if (keys !== null) this.use(keys);
  }

  /** What is sealed from now on is sealed with `keys.current`. */
  use(keys: SecretKeys): void {
    const { current, older = [] } = checkKeys(keys);
    this.#current = prepared(current);
    this.#all = new Map([...older.map(prepared), this.#current].map((key) => [key.id, key]));
  }

  /** @throws StoreError `KEY_MISSING` when the box has no key */
  seal(text: string, place: SealedPlace): string {
    if (this.#current === null) {
      throw new StoreError('KEY_MISSING', 'A secret value is to be stored, but the store was opened without keys.');
    }
    const { id, key } = this.#current;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(associatedData(id, place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${id}:${sealed.toString('base64')}`;
  }

  /** @throws StoreError `KEY_MISSING` naming the key, `KEY_WRONG` when the value is not what was sealed here */
  open(sealed: string, place: SealedPlace): string {
    const id = sealedWith(sealed);
    const { key } = this.#find(id, place);
    const bytes = Buffer.from(sealed.slice(id.length + 1), 'base64');
    try {
      const nonce = bytes.subarray(0, nonceBytes);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(associatedData(id, place));
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const body = bytes.subarray(nonceBytes, bytes.length - tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (error) {
      const where = `job ${place.jobId}, seq ${place.seq}`;
      throw new StoreError(
        'KEY_WRONG',
        `The sealed value of ${where} does not open with key ${id}: it was changed, or belongs elsewhere.`,
        { cause: error },
      );
    }
  }

  #find(id: string, place: SealedPlace): PreparedKey {
    const found = this.#all.get(id);
    if (found !== undefined) return found;
    throw new StoreError(
      'KEY_MISSING',
      `The sealed value of job ${place.jobId}, seq ${place.seq}, needs key ${id}, which is not among the store's keys: put its file back from the copy and start again.`,
    );
  }
}

/** Made ready for the cipher once: from bytes that costs as much as a record's encryption, for each record. */
interface PreparedKey {
  readonly id: string;
  readonly key: KeyObject;
}

function prepared({ id, key }: SecretKey): PreparedKey {
  return { id, key: createSecretKey(key) };
}

/** The id of the key that a value was sealed with. */
export function sealedWith(sealed: string): string {
  return sealed.slice(0, Math.max(0, sealed.indexOf(':')));
}

function associatedData(keyId: string, place: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify(['casare-store', 1, keyId, place.jobId, place.leaseToken, place.seq]));
}
