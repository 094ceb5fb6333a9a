/** Takes secrets out of what leaves a run (I8). */

export type Redact = (text: string) => string;

/**
 * A copy of JSON whose texts are redacted, keys included; the same value without a redactor.
 *
 * @example
 * redacted({ token: 's3cret' }, (text) => text.replaceAll('s3cret', '***')); // { token: '***' }
 */
export function redacted<T>(value: T, redact: Redact | undefined): T {
  return redact === undefined ? value : (clean(value, redact) as T);
}

function clean(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => clean(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), clean(item, redact)]));
}
