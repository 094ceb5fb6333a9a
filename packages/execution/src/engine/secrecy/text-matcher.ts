/**
 * Finds any of many texts inside a text, in one pass whatever their number: a rolling hash of each place is looked up
 * among the hashes of the beginnings (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987).
 */

/** Texts shorter than this are looked for one by one. In UTF-16 units. */
const WINDOW = 6;
/** A part of a text of which this much, from any multiple of it on, is there is found. In UTF-16 units. */
const PIECE = 24;
/** Shorter texts are found as a whole only; of longer ones than the second, no parts are looked for. */
const [MIN_PIECED, MAX_PIECED] = [64, 64 * 1024];
const BASE = 16_777_619;
/** The weight of the unit that leaves the window. */
const LEAVING = Array.from({ length: WINDOW - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);

export interface Match {
  readonly start: number;
  readonly text: string;
}

/**
 * @example
 * const matcher = new TextMatcher();
 * matcher.add('hunter22');
 * matcher.isIn('Bearer hunter22'); // true
 * matcher.replaceIn('Bearer hunter22', '***'); // 'Bearer ***'
 */
export class TextMatcher {
  readonly #all = new Set<string>();
  /** Where in a longer text a piece of it stands. */
  readonly #pieces = new Map<string, { readonly whole: string; readonly offset: number }>();
  /** Longest first. */
  #short: string[] = [];
  /** By the hash of their beginnings. */
  readonly #byHash = new Map<number, Beginning>();
  /** Says of most hashes at once that nothing begins with them. */
  readonly #maybe = new Uint8Array(1 << 16);

  get size(): number {
    return this.#all.size;
  }

  /** An empty text is ignored. */
  add(text: string): void {
    if (text === '' || this.#all.has(text)) return;
    this.#all.add(text);
    if (text.length < WINDOW) {
      this.#short = longestFirst([...this.#short, text]);
      return;
    }
    this.#index(text);
  }

  /** Adds a text of which parts are found, too: what was cut out of it, if it is long enough. */
  addWithParts(text: string): void {
    this.add(text);
    if (text.length < MIN_PIECED || text.length > MAX_PIECED) return;
    for (let offset = 0; offset + PIECE <= text.length; offset += PIECE) {
      const piece = text.slice(offset, offset + PIECE);
      if (this.#all.has(piece) || this.#pieces.has(piece)) continue;
      this.#pieces.set(piece, { whole: text, offset });
      this.#index(piece);
    }
  }

  isIn(text: string): boolean {
    return this.#all.size > 0 && this.#next(text, 0, this.#short.length > 0) !== null;
  }

  /** Matches that do not overlap, from the left; at one place the longest. */
  *matchesIn(text: string): Generator<Match> {
    let match = this.#next(text, 0, true);
    while (match !== null) {
      yield match;
      match = this.#next(text, match.start + match.text.length, true);
    }
  }

  replaceIn(text: string, by: string): string {
    let copied = 0;
    let result = '';
    for (const { start, text: found } of this.matchesIn(text)) {
      result += text.slice(copied, start) + by;
      copied = start + found.length;
    }
    return copied === 0 ? text : result + text.slice(copied);
  }

  #next(text: string, from: number, withShort: boolean): Match | null {
    const long = this.#nextLong(text, from);
    if (!withShort) return long;
    let first = long;
    for (const short of this.#short) {
      const start = text.indexOf(short, from);
      if (start >= 0 && (first === null || start < first.start)) first = { start, text: short };
    }
    return first;
  }

  #index(text: string): void {
    const hash = hashAt(text, 0);
    this.#maybe[hash >>> 16] = 1;
    const beginning = this.#byHash.get(hash) ?? new Beginning();
    this.#byHash.set(hash, beginning);
    beginning.add(text);
  }

  /** A piece, and what stands before and behind it of the text that it is of. */
  #extended(text: string, match: Match, from: number): Match {
    const piece = this.#all.has(match.text) ? undefined : this.#pieces.get(match.text);
    if (piece === undefined) return match;
    const { whole, offset } = piece;
    let before = 0;
    while (match.start - before > from && text[match.start - before - 1] === whole[offset - before - 1]) before += 1;
    let length = match.text.length;
    while (offset + length < whole.length && text[match.start + length] === whole[offset + length]) length += 1;
    const start = match.start - before;
    return { start, text: text.slice(start, match.start + length) };
  }

  #nextLong(text: string, from: number): Match | null {
    const last = text.length - WINDOW;
    if (from > last || this.#byHash.size === 0) return null;
    let hash = hashAt(text, from);
    for (let at = from; ; at += 1) {
      if (this.#maybe[hash >>> 16] === 1) {
        const found = this.#byHash.get(hash)?.longestAt(text, at);
        if (found !== undefined) return this.#extended(text, { start: at, text: found }, from);
      }
      if (at >= last) return null;
      const rest = hash - Math.imul(text.charCodeAt(at), LEAVING);
      hash = (Math.imul(rest, BASE) + text.charCodeAt(at + WINDOW)) >>> 0;
    }
  }
}

/** Texts whose beginnings have one hash: many, where all begin alike. */
class Beginning {
  readonly #byLength = new Map<number, Set<string>>();
  /** Longest first. */
  #lengths: number[] = [];

  add(text: string): void {
    const known = this.#byLength.get(text.length);
    if (known !== undefined) {
      known.add(text);
      return;
    }
    this.#byLength.set(text.length, new Set([text]));
    this.#lengths = [...this.#byLength.keys()].sort((a, b) => b - a);
  }

  longestAt(text: string, at: number): string | undefined {
    for (const length of this.#lengths) {
      const piece = text.slice(at, at + length);
      if (piece.length === length && this.#byLength.get(length)?.has(piece) === true) return piece;
    }
    return undefined;
  }
}

function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let index = at; index < at + WINDOW; index += 1) hash = (Math.imul(hash, BASE) + text.charCodeAt(index)) >>> 0;
  return hash;
}

function longestFirst(texts: string[]): string[] {
  return texts.sort((a, b) => b.length - a.length);
}
