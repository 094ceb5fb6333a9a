/**
 * The frames that Supabase Realtime speaks: the Phoenix channels protocol, serializer version 2.0.0 (a JSON array
 * `[join_ref, ref, topic, event, payload]`), and the binary form in which a broadcast may arrive.
 */
export interface PhoenixFrame {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

export const PROTOCOL_VERSION = '2.0.0';

export function encodeFrame({ joinRef, ref, topic, event, payload }: PhoenixFrame): string {
  return JSON.stringify([joinRef, ref, topic, event, payload]);
}

/** Undefined for whatever is no frame. */
export function decodeFrame(data: string | Uint8Array): PhoenixFrame | undefined {
  try {
    return typeof data === 'string' ? textFrame(JSON.parse(data)) : broadcastFrame(data);
  } catch {
    return undefined;
  }
}

function textFrame(parts: unknown): PhoenixFrame | undefined {
  if (!Array.isArray(parts) || parts.length !== 5) return undefined;
  const [joinRef, ref, topic, event, payload] = parts as readonly unknown[];
  if (typeof topic !== 'string' || typeof event !== 'string') return undefined;
  if (!isRef(joinRef) || !isRef(ref)) return undefined;
  return { joinRef, ref, topic, event, payload };
}

function isRef(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

/** One byte of kind, one each for the lengths of topic, event and metadata, one of encoding; then these and the payload. */
const BROADCAST_KIND = 4;
const HEADER_BYTES = 5;
const JSON_ENCODING = 1;

function broadcastFrame(bytes: Uint8Array): PhoenixFrame | undefined {
  const [kind, topicBytes = 0, eventBytes = 0, metadataBytes = 0, encoding] = bytes;
  const payloadAt = HEADER_BYTES + topicBytes + eventBytes + metadataBytes;
  if (kind !== BROADCAST_KIND || bytes.length < payloadAt) return undefined;
  const text = (from: number, to: number): string =>
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, to));
  const topic = text(HEADER_BYTES, HEADER_BYTES + topicBytes);
  const event = text(HEADER_BYTES + topicBytes, HEADER_BYTES + topicBytes + eventBytes);
  const payload: unknown = encoding === JSON_ENCODING ? JSON.parse(text(payloadAt, bytes.length)) : null;
  return { joinRef: null, ref: null, topic, event: 'broadcast', payload: { type: 'broadcast', event, payload } };
}
