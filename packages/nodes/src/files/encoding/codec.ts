/** What an encoding does. Code that cannot be encoded or decoded goes by `errors`, as in Python. */

export const errorsModes = ['strict', 'ignore', 'replace', 'backslashreplace', 'xmlcharrefreplace'] as const;
export type ErrorsMode = (typeof errorsModes)[number];

export interface EncodeOptions {
  readonly errors: ErrorsMode;
  /** True when the text starts its file: only then is a byte order mark written, by encodings that have one. */
  readonly atStart: boolean;
}

export interface Codec {
  /** @throws NodeError `ENCODING_FAILED` in `strict` mode */
  encode(text: string, options: EncodeOptions): Buffer;
  /** @throws NodeError `DECODING_FAILED` in `strict` mode */
  decode(bytes: Uint8Array, errors: ErrorsMode): string;
}
