/**
 * Says where a text stops being JSON. The engine's own messages name no place for some mistakes, and quote
 * the text around others, which must not happen to a file that may hold a key (I8).
 */

export interface TextPosition {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly expected: string;
}

const deepest = 100;
const blank = /[ \t\n\r]*/y;
const string = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Position of the first mistake; null when the text is JSON. */
export function jsonErrorPosition(text: string): TextPosition | null {
  const mistake = new Scanner(text).scan();
  if (mistake === null) return null;
  const before = text.slice(0, mistake.offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1, expected: mistake.expected };
}

class Mistake {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string) {
    this.offset = offset;
    this.expected = expected;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): Mistake | null {
    try {
      this.#value(0);
      this.#skip(blank);
      if (this.#at < this.#text.length) this.#fail('the end of the file');
      return null;
    } catch (error) {
      if (error instanceof Mistake) return error;
      throw error;
    }
  }

  #value(depth: number): void {
    if (depth > deepest) this.#fail('less nesting');
    if (this.#take('{')) this.#members(depth);
    else if (this.#take('[')) this.#items(depth);
    else if (!this.#skip(string) && !this.#skip(scalar)) this.#fail('a value');
  }

  #members(depth: number): void {
    if (this.#take('}')) return;
    do {
      this.#skip(blank);
      if (!this.#skip(string)) this.#fail('a name in double quotes');
      if (!this.#take(':')) this.#fail('":"');
      this.#value(depth + 1);
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('"," or "}"');
  }

  #items(depth: number): void {
    if (this.#take(']')) return;
    do this.#value(depth + 1);
    while (this.#take(','));
    if (!this.#take(']')) this.#fail('"," or "]"');
  }

  /** Passes blanks and then `mark`, if it is there. */
  #take(mark: string): boolean {
    this.#skip(blank);
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #fail(expected: string): never {
    throw new Mistake(this.#at, expected);
  }
}
