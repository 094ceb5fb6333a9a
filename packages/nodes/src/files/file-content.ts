/** Between the `content` of a node and the bytes of a file. */
import { NodeError } from '../errors.ts';
import type { ErrorsMode } from './encoding/codec.ts';
import { codecFor } from './encoding/codec-for.ts';

export interface ContentOptions {
  readonly encoding: string;
  /** Content is base64 text of the bytes. */
  readonly binary_mode: boolean;
  readonly errors: ErrorsMode;
}

/** @throws NodeError `CONTENT_NOT_BASE64`, `ENCODING_FAILED` or `ENCODING_UNKNOWN` */
export function bytesOf(content: string, options: ContentOptions, atStart: boolean): Buffer {
  if (!options.binary_mode) return codecFor(options.encoding).encode(content, { errors: options.errors, atStart });
  const compact = content.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact) || compact.replace(/=+$/, '').length % 4 === 1) {
    throw new NodeError('In binary_mode, content must be base64 text: switch binary_mode off to write plain text', {
      code: 'CONTENT_NOT_BASE64',
    });
  }
  return Buffer.from(compact, 'base64');
}

/** @throws NodeError `DECODING_FAILED` or `ENCODING_UNKNOWN` */
export function contentOf(bytes: Buffer, options: ContentOptions): string {
  return options.binary_mode ? bytes.toString('base64') : codecFor(options.encoding).decode(bytes, options.errors);
}
