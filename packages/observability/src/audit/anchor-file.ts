/**
 * Anchors: checkpoints that are kept outside the robot's reach (in the database, with an auditor). As a file they are
 * JSON: `{"v":1,"robot_id","source","exported_at","anchors":[...],"public_keys":[...]}`, newest anchor last.
 */
import { createPublicKey } from 'node:crypto';
import * as must from '../arguments.ts';
import { AuditError, messageOf } from '../errors.ts';
import { isHash } from './chain-line.ts';
import { type CheckpointFacts, parseObject, type Signature } from './signed-records.ts';

export type Anchor = CheckpointFacts & Signature;

export interface AnchorFile {
  readonly v: 1;
  readonly robot_id: string;
  /** `database`: kept where the robot cannot change them. `folder`: read off the log's own checkpoints. */
  readonly source: 'database' | 'folder';
  readonly exported_at: string;
  readonly anchors: readonly Anchor[];
  /** The 32 bytes of each, base64. */
  readonly public_keys: readonly string[];
}

/** @throws ArgumentError */
export function anchorFileText(file: AnchorFile): string {
  requireFile('file', file);
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** @throws AuditError `AUDIT_UNREADABLE` when the text is no file of anchors */
export function parseAnchorFile(text: string, name: string): AnchorFile {
  must.text('text', text);
  must.text('name', name);
  const value = parseObject(text);
  const isFile =
    value !== null &&
    value.v === 1 &&
    Array.isArray(value.anchors) &&
    value.anchors.every(isAnchor) &&
    Array.isArray(value.public_keys) &&
    value.public_keys.every((key) => typeof key === 'string');
  if (!isFile) throw new AuditError('AUDIT_UNREADABLE', `${name} is no file of audit anchors`);
  return value as unknown as AnchorFile;
}

/**
 * Public keys from PEM (one or several), or from the JSON of `audit-keys.json` or of a file of anchors.
 *
 * @returns the 32 bytes of each, base64
 * @throws AuditError `AUDIT_UNREADABLE` when there is none in the text
 */
export function parsePublicKeys(text: string, name: string): readonly string[] {
  must.text('text', text);
  must.text('name', name);
  const value = parseObject(text);
  if (value !== null) {
    const keys = Array.isArray(value.public_keys)
      ? value.public_keys
      : Array.isArray(value.keys)
        ? value.keys.map((key: { public_key?: unknown } | null) => key?.public_key)
        : [];
    if (keys.length > 0 && keys.every((key) => typeof key === 'string')) return keys;
    throw new AuditError('AUDIT_UNREADABLE', `${name} holds no public key`);
  }
  const blocks = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0) throw new AuditError('AUDIT_UNREADABLE', `${name} holds no public key in PEM or JSON`);
  return blocks.map((pem) => {
    try {
      const key = createPublicKey(pem);
      const { x } = key.export({ format: 'jwk' });
      if (key.asymmetricKeyType === 'ed25519' && x !== undefined) return Buffer.from(x, 'base64url').toString('base64');
    } catch (error) {
      throw new AuditError('AUDIT_UNREADABLE', `${name} holds a public key that is none: ${messageOf(error)}`, error);
    }
    throw new AuditError('AUDIT_UNREADABLE', `${name} holds a key that is not Ed25519`);
  });
}

const requireFile = must.shape({
  v: must.oneOf([1]),
  robot_id: must.text,
  source: must.oneOf(['database', 'folder']),
  exported_at: must.text,
  anchors: must.listOf(must.object),
  public_keys: must.listOf(must.text),
});

function isAnchor(value: unknown): value is Anchor {
  if (typeof value !== 'object' || value === null) return false;
  const { robot_id, segment, seq, hash, at, key_id, signature } = value as Partial<Record<keyof Anchor, unknown>>;
  const isTextOrNull = (text: unknown): boolean => text === null || typeof text === 'string';
  return (
    typeof robot_id === 'string' &&
    Number.isSafeInteger(segment) &&
    Number.isSafeInteger(seq) &&
    isHash(hash) &&
    typeof at === 'string' &&
    isTextOrNull(key_id) &&
    isTextOrNull(signature)
  );
}
