/**
 * What is signed beside the chain, and the exact text of each that a signature covers: a JSON array that begins with
 * the kind of record and its version. Signatures are Ed25519 (RFC 8032), in base64.
 *
 * - a checkpoint says how far the chain had come; it stands in the segment, and as an anchor elsewhere
 * - a torn record admits bytes that a crash or a full disk left in the middle of a line
 * - a closed mark says that the writer stopped in order, and wrote nothing behind this entry
 * - an opened mark says that the writer goes on: behind a closed mark, or in a segment whose day is not that of its first entry
 * - a tombstone stands for all segments that retention has removed
 * - a rotation hands over from one key to the next, signed by both
 */

export interface Signature {
  /** Which key: the first 16 hex digits of the SHA-256 of its 32 public bytes. Null: not signed. */
  readonly key_id: string | null;
  readonly signature: string | null;
}

export interface CheckpointFacts {
  readonly robot_id: string;
  /** Number of the segment that holds the entry. */
  readonly segment: number;
  readonly seq: number;
  readonly hash: string;
  /** Wall-clock time, ISO 8601 in UTC. */
  readonly at: string;
}

export type Checkpoint = CheckpointFacts & Signature;

export interface TornFacts {
  readonly robot_id: string;
  readonly segment: number;
  /** The last entry before the torn bytes. */
  readonly seq: number;
  readonly hash: string;
  readonly bytes: number;
  /** SHA-256 of the torn bytes, without the line end behind them. */
  readonly sha256: string;
}

export type TornRecord = TornFacts & Signature;

export interface ClosedFacts {
  readonly robot_id: string;
  readonly segment: number;
  /** The last entry. */
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
}

export type ClosedMark = ClosedFacts & Signature;

export interface OpenedFacts {
  readonly robot_id: string;
  readonly segment: number;
  /** The day in the segment's name. */
  readonly day: string;
  /** The last entry before. */
  readonly seq: number;
  readonly hash: string;
  /** Signature of the closed mark that it stands behind; null when the writer was not closed in order before. */
  readonly after: string | null;
}

export type OpenedMark = OpenedFacts & Signature;

export interface TombstoneFacts {
  readonly robot_id: string;
  /** Of all entries that were removed since the chain began. */
  readonly first_seq: number;
  readonly first_hash: string;
  readonly last_seq: number;
  readonly last_hash: string;
  readonly entries: number;
  /** The segments 1 to this one are gone. */
  readonly last_segment: number;
  /** Files from before the chain that were removed, too. */
  readonly earlier_files: readonly string[];
  readonly at: string;
}

export type Tombstone = TombstoneFacts & Signature;

export interface RotationFacts {
  readonly robot_id: string;
  readonly old_key_id: string;
  readonly new_key_id: string;
  /** The 32 bytes of the new public key, base64. */
  readonly new_public_key: string;
  /** The last entry under the old key. */
  readonly seq: number;
  readonly at: string;
}

export const checkpointText = (facts: CheckpointFacts): string =>
  JSON.stringify(['casare-audit-checkpoint-1', facts.robot_id, facts.segment, facts.seq, facts.hash, facts.at]);

export const tornText = (facts: TornFacts): string =>
  JSON.stringify([
    'casare-audit-torn-1',
    facts.robot_id,
    facts.segment,
    facts.seq,
    facts.hash,
    facts.bytes,
    facts.sha256,
  ]);

export const closedText = (facts: ClosedFacts): string =>
  JSON.stringify(['casare-audit-closed-1', facts.robot_id, facts.segment, facts.seq, facts.hash, facts.at]);

export const openedText = (facts: OpenedFacts): string =>
  JSON.stringify([
    'casare-audit-opened-1',
    facts.robot_id,
    facts.segment,
    facts.day,
    facts.seq,
    facts.hash,
    facts.after,
  ]);

export const tombstoneText = (facts: TombstoneFacts): string =>
  JSON.stringify([
    'casare-audit-tombstone-1',
    facts.robot_id,
    facts.first_seq,
    facts.first_hash,
    facts.last_seq,
    facts.last_hash,
    facts.entries,
    facts.last_segment,
    facts.earlier_files,
    facts.at,
  ]);

export const rotationText = (facts: RotationFacts): string =>
  JSON.stringify([
    'casare-audit-key-rotation-1',
    facts.robot_id,
    facts.old_key_id,
    facts.new_key_id,
    facts.new_public_key,
    facts.seq,
    facts.at,
  ]);

export type SegmentRecord =
  | { readonly kind: 'checkpoint'; readonly facts: Checkpoint }
  | { readonly kind: 'torn'; readonly facts: TornRecord }
  | { readonly kind: 'closed'; readonly facts: ClosedMark }
  | { readonly kind: 'opened'; readonly facts: OpenedMark };

export function recordLine({ kind, facts }: SegmentRecord): string {
  return JSON.stringify({ v: 2, kind, ...facts });
}

/** Null when the line is no record of a segment. */
export function parseRecord(line: string): SegmentRecord | null {
  const value = parseObject(line);
  if (value === null || value.v !== 2) return null;
  const { kind, robot_id: robotId, segment, seq, hash, key_id: keyId, signature } = value;
  const isCommon =
    typeof robotId === 'string' &&
    Number.isSafeInteger(segment) &&
    Number.isSafeInteger(seq) &&
    typeof hash === 'string' &&
    isTextOrNull(keyId) &&
    isTextOrNull(signature);
  if (!isCommon) return null;
  const isWhole =
    ((kind === 'checkpoint' || kind === 'closed') && typeof value.at === 'string') ||
    (kind === 'torn' && Number.isSafeInteger(value.bytes) && typeof value.sha256 === 'string') ||
    (kind === 'opened' && typeof value.day === 'string' && isTextOrNull(value.after));
  // What else it says is covered by no signature.
  const fields = kind === 'checkpoint' || kind === 'closed' ? 9 : 10;
  if (!isWhole || Object.keys(value).length !== fields || JSON.stringify(value) !== line) return null;
  return { kind, facts: value } as unknown as SegmentRecord;
}

export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
