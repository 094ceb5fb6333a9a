/**
 * Whose signatures count. Keys that the auditor brings (pinned) count, and every key that hands over to or from one of
 * them by a statement that both signed. Without a pinned key, those of the log's own folder have to do: then signatures
 * show that the log is of one piece, and not whose it is.
 */
import { isSignedBy, type KeyHistory, type KnownKey, keyIdOf } from './audit-keys.ts';
import { rotationText } from './signed-records.ts';

/** `none`: the log is not signed, or there is no key to check it with. */
export type KeyTrust = 'pinned' | 'folder' | 'none';

interface TrustedKey {
  readonly publicKey: string;
  /** It signs entries from this number on, up to that one. */
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What is wrong with a signature; null: nothing. */
export type SignatureFault = null | 'unsigned' | 'unknown-key' | 'retired-key' | 'bad-signature';

export class TrustedKeys {
  readonly trust: KeyTrust;
  readonly #keys: ReadonlyMap<string, TrustedKey>;

  /** @param pinned public keys, the 32 bytes of each in base64 */
  constructor(history: KeyHistory | null, pinned: readonly string[]) {
    const known = history?.keys ?? [];
    this.trust = pinned.length > 0 ? 'pinned' : known.length > 0 ? 'folder' : 'none';
    this.#keys = trustedOf(known, pinned);
  }

  get ids(): readonly string[] {
    return [...this.#keys.keys()];
  }

  fault(text: string, seq: number, keyId: string | null, signature: string | null): SignatureFault {
    if (keyId === null || signature === null) return this.trust === 'none' ? null : 'unsigned';
    const key = this.#keys.get(keyId);
    if (key === undefined) return 'unknown-key';
    if (!isSignedBy(key.publicKey, text, signature)) return 'bad-signature';
    return seq < key.fromSeq || seq > key.toSeq ? 'retired-key' : null;
  }
}

function trustedOf(known: readonly KnownKey[], pinned: readonly string[]): Map<string, TrustedKey> {
  const genuine = known.filter(({ key_id, public_key }) => keyIdOf(public_key) === key_id);
  const reached = new Set(pinned.length > 0 ? pinned.map(keyIdOf) : genuine.slice(0, 1).map(({ key_id }) => key_id));
  const handOvers = genuine.filter(isHandOver);
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const { key_id, rotation } of handOvers) {
      const { old_key_id: oldId } = rotation;
      if (reached.has(key_id)) reached.add(oldId);
      else if (reached.has(oldId)) reached.add(key_id);
    }
  }
  const keys = new Map<string, TrustedKey>();
  for (const publicKey of [...pinned, ...genuine.map(({ public_key }) => public_key)]) {
    const id = keyIdOf(publicKey);
    if (!reached.has(id) || keys.has(id)) continue;
    const fromSeq = handOvers.find(({ key_id }) => key_id === id)?.rotation.seq ?? 0;
    const toSeq = handOvers.find(({ rotation }) => rotation.old_key_id === id)?.rotation.seq ?? Number.MAX_SAFE_INTEGER;
    keys.set(id, { publicKey, fromSeq, toSeq });
  }
  return keys;

  function isHandOver(key: KnownKey): key is KnownKey & { readonly rotation: NonNullable<KnownKey['rotation']> } {
    const { rotation, public_key: publicKey, key_id: keyId } = key;
    const old = genuine.find(({ key_id }) => key_id === rotation?.old_key_id);
    if (rotation === null || old === undefined || rotation.old_signature === null) return false;
    const text = rotationText(rotation);
    return (
      rotation.new_key_id === keyId &&
      rotation.new_public_key === publicKey &&
      isSignedBy(old.public_key, text, rotation.old_signature) &&
      isSignedBy(publicKey, text, rotation.new_signature)
    );
  }
}
