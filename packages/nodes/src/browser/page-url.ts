/** URLs: what a user writes into a node, and how much of one may be shown in a message. */
import { NodeError } from '../errors.ts';

const HAS_SCHEME = /^([a-z][a-z0-9+.-]*:\/\/|(about|blob|chrome|data|edge|view-source):)/i;

/**
 * The URL to open: `https://` is put before one that has no scheme.
 *
 * @throws {NodeError} URL_INVALID when no URL can be read from the text, or when it is a script.
 */
export function completeUrl(text: string): string {
  const trimmed = text.trim();
  if (/^javascript:/i.test(trimmed)) {
    throw new NodeError('A javascript: URL cannot be opened.', { code: 'URL_INVALID' });
  }
  const candidate = HAS_SCHEME.test(trimmed) ? trimmed : `https://${trimmed}`;
  if (trimmed === '' || !URL.canParse(candidate)) {
    throw new NodeError(`"${showUrl(trimmed)}" is not a URL.`, { code: 'URL_INVALID' });
  }
  return candidate;
}

/** A URL for people to read: without credentials, query and fragment, which may carry secrets (I8). */
export function showUrl(url: string): string {
  if (!URL.canParse(url)) return (url.split(/[?#]/)[0] ?? '').slice(0, 200);
  const parsed = new URL(url);
  if (parsed.protocol === 'data:') return 'data:…';
  const hidden = parsed.search !== '' || parsed.hash !== '' ? '…' : '';
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return `${parsed.href.slice(0, 200)}${hidden}`;
}
