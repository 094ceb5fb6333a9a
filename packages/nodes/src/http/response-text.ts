/** The body of an answer as text: unpacked, then decoded by its charset. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { NodeError } from '../errors.ts';

const unpackers = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
} as const;

/** Undoes the content encodings, last one first; an unknown one leaves the bytes as they are. */
export async function unpacked(bytes: Buffer, contentEncoding: string, maxBytes: number): Promise<Buffer> {
  let body = bytes;
  const encodings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  for (const encoding of encodings.toReversed()) {
    if (body.length === 0 || encoding === 'identity') continue;
    try {
      body = await unpackOnce(body, encoding, maxBytes);
    } catch (error) {
      throw isTooLarge(error) ? responseTooLarge(maxBytes) : error;
    }
  }
  return body;
}

/** @param encoding the node's choice, or "" for what the server says (UTF-8 if it says nothing) */
export function decoded(bytes: Buffer, contentType: string, encoding: string): string {
  if (encoding !== '') return new TextDecoder(encoding).decode(bytes);
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1];
  const canDecode = charset !== undefined && isKnown(charset);
  return new TextDecoder(canDecode ? charset : 'utf-8').decode(bytes);
}

export function responseTooLarge(maxBytes: number): NodeError {
  return new NodeError(`The answer is larger than ${maxBytes} bytes: raise max_response_size, or ask for less`, {
    code: 'HTTP_RESPONSE_TOO_LARGE',
  });
}

async function unpackOnce(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const limits = { maxOutputLength: maxBytes };
  if (encoding === 'deflate') {
    const hasHeader = ((body[0] ?? 0) & 0x0f) === 8;
    return hasHeader ? promisify(inflate)(body, limits) : promisify(inflateRaw)(body, limits);
  }
  const unpack = unpackers[encoding as keyof typeof unpackers];
  return unpack === undefined ? body : unpack(body, limits);
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

/** @throws NodeError `ENCODING_UNKNOWN` */
export function checkEncoding(encoding: string): void {
  if (encoding === '' || isKnown(encoding)) return;
  throw new NodeError(`There is no encoding "${encoding}": leave response_encoding empty, or use utf-8`, {
    code: 'ENCODING_UNKNOWN',
    errorType: 'LookupError',
  });
}

function isKnown(encoding: string): boolean {
  try {
    return new TextDecoder(encoding).encoding !== '';
  } catch {
    return false;
  }
}
