/**
 * Takes secrets out of a Playwright trace: known ones from all its texts, and cookies, credentials in headers and the
 * content of password fields whatever they are. Files that are no text are left out, because nobody can look into them.
 */
import { unzipSync, zipSync } from 'fflate';

const hidden = '[redacted]';
const tellingNames =
  /cookie|authorization|token|api[-_.]?key|passw|passphrase|secret|credential|(?<![a-z])(?:auth|pwd|jwt)(?![a-z])/i;
const strict = new TextDecoder('utf-8', { fatal: true });

/** @param maxBytes of everything in it, unpacked; null when it is larger */
export function redactTrace(zip: Uint8Array, redact: (text: string) => string, maxBytes: number): Uint8Array | null {
  let bytes = 0;
  let isTooLarge = false;
  const files = unzipSync(zip, {
    filter: ({ originalSize }) => {
      bytes += originalSize;
      isTooLarge ||= bytes > maxBytes;
      return !isTooLarge;
    },
  });
  if (isTooLarge) return null;
  const kept = Object.entries(files).flatMap(([name, content]) => {
    const text = decoded(content);
    if (text === null) return [];
    const clean = /\.(trace|network)$/.test(name) ? redactLines(text, redact) : redact(text);
    return [[redact(name), new TextEncoder().encode(clean)] as const];
  });
  return zipSync(Object.fromEntries(kept));
}

function decoded(content: Uint8Array): string | null {
  try {
    return strict.decode(content);
  } catch {
    return null;
  }
}

function redactLines(text: string, redact: (text: string) => string): string {
  return text
    .split('\n')
    .map((line) => {
      try {
        return JSON.stringify(clean(JSON.parse(line), redact));
      } catch (error) {
        // What is too deep to be walked through goes as a whole: its cookies and headers are known by their names only.
        return error instanceof SyntaxError ? redact(line) : '{}';
      }
    })
    .join('\n');
}

function clean(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => clean(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Record<string, unknown>;
  const isPassword = given.type === 'password' || given.TYPE === 'password';
  const isTelling = typeof given.name === 'string' && tellingNames.test(given.name);
  return Object.fromEntries(
    Object.entries(given).map(([key, item]) => {
      if (key === 'cookies') return [key, []];
      if (isTelling && key === 'value') return [key, hidden];
      if (isPassword && (key === '__playwright_value_' || key === 'value')) return [key, hidden];
      return [redact(key), clean(item, redact)];
    }),
  );
}
