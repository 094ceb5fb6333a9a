/**
 * A text as it was before somebody escaped it: for a URL (`%2F`, `%2f`, `%u00e4`), in a string of JSON or JavaScript
 * (`\"`, `\/`, `\u00e4`, `\xe4`) or in HTML (`&quot;`, `&#34;`, `&#x22;`). One call takes off one layer.
 */

const escapes =
  /(?:%[\da-f]{2})+|%u[\da-f]{4}|\\(?:u[\da-f]{4}|u\{[\da-f]{1,6}\}|x[\da-f]{2}|["'\\/bfnrtv])|&(?:#\d{1,7}|#x[\da-f]{1,6}|amp|lt|gt|quot|apos|nbsp);/gi;
const named: Readonly<Record<string, string>> = {
  ...{ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&nbsp;': '\u00a0' },
  ...{ '\\b': '\b', '\\f': '\f', '\\n': '\n', '\\r': '\r', '\\t': '\t', '\\v': '\v' },
};

/** Whether something in a text may be escaped: quickly seen of most that are not. */
export function isEscaped(text: string): boolean {
  return text.includes('%') || text.includes('\\') || text.includes('&');
}

/** The same text when nothing in it is escaped. */
export function unescaped(text: string): string {
  return isEscaped(text) ? text.replace(escapes, meaningOf) : text;
}

/** Where parts of `unescaped(text)` stand in the text. */
export function placesIn(text: string): (start: number, end: number) => readonly [start: number, end: number] {
  const pieces = piecesOf(text);
  const pieceAt = (at: number): Piece => pieces[lastUpTo(pieces, at)] ?? { at: 0, start: 0, end: 0, isEscape: false };
  return (start, end) => {
    const [first, last] = [pieceAt(start), pieceAt(end - 1)];
    return [
      first.isEscape ? first.start : first.start + (start - first.at),
      last.isEscape ? last.end : last.start + (end - last.at),
    ];
  };
}

/** A part without escapes, or one escape. */
interface Piece {
  /** Where what it means begins in the text without escapes. */
  readonly at: number;
  readonly start: number;
  readonly end: number;
  readonly isEscape: boolean;
}

function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let copied = 0;
  const put = (units: number, end: number, isEscape: boolean): void => {
    if (end > copied) pieces.push({ at, start: copied, end, isEscape });
    at += units;
    copied = end;
  };
  for (const { 0: found, index } of text.matchAll(escapes)) {
    put(index - copied, index, false);
    if (!isBytes(found)) put(meaningOf(found).length, index + found.length, true);
    else for (const [meant, length] of charactersOf(found)) put(meant.length, copied + length, true);
  }
  put(text.length - copied, text.length, false);
  return pieces;
}

function meaningOf(found: string): string {
  if (found.length === 2) return named[found] ?? found.slice(1);
  if (isBytes(found)) return decodedBytes(found);
  const byName = named[found] ?? named[found.toLowerCase()];
  if (byName !== undefined) return byName;
  const [, hex] = /^(?:%u|\\u\{?|\\x|&#x)([\da-f]+)[};]?$/i.exec(found) ?? [];
  const code = hex === undefined ? Number(/^&#(\d+);$/.exec(found)?.[1] ?? Number.NaN) : Number.parseInt(hex, 16);
  if (Number.isNaN(code)) return found.slice(1);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
}

function isBytes(found: string): boolean {
  return found[0] === '%' && found[1] !== 'u' && found[1] !== 'U';
}

/** Bytes that are no UTF-8 are taken as characters of their own. */
function decodedBytes(run: string): string {
  if (run.length === 3) return String.fromCharCode(Number.parseInt(run.slice(1), 16));
  try {
    return decodeURIComponent(run);
  } catch {
    return unescapedBytes(run);
  }
}

function unescapedBytes(run: string): string {
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1');
}

/** Each with how much of the run means it. */
function charactersOf(run: string): readonly (readonly [meant: string, length: number])[] {
  const meant = decodedBytes(run);
  const isLatin1 = meant.length * 3 === run.length;
  return Array.from(meant, (character) => [character, isLatin1 ? 3 : 3 * Buffer.byteLength(character)] as const);
}

function lastUpTo(pieces: readonly Piece[], at: number): number {
  let [low, high] = [0, pieces.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((pieces[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
