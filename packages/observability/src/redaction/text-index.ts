/**
 * Finds any of many texts inside a text, most of which it need not look at: the shift rule of Wu and Manber, "A fast
 * algorithm for multi-pattern searching" (1994). Texts can be added at any time, each at the cost of its own beginning.
 */

export type Span = readonly [start: number, end: number];

const hashes = 1 << 16;
/** In UTF-16 units. */
const block = 3;

export class TextIndex {
  readonly #head: number;
  readonly #texts = new Set<string>();
  /** By the hash of the block that ends a head: how far the next place is at which a head can end. */
  readonly #shifts: Uint8Array;
  /** By the same hash, where the shift is 0: how long the texts are; longest first. */
  readonly #lengths = new Map<number, readonly number[]>();

  /** @param head UTF-16 units of the shortest text; the longer, the faster. At least 3. */
  constructor(head: number) {
    this.#head = head;
    this.#shifts = new Uint8Array(hashes).fill(head - block + 1);
  }

  add(text: string): void {
    if (this.#texts.has(text)) return;
    this.#texts.add(text);
    for (let end = block; end <= this.#head; end += 1) {
      const hash = hashAt(text, end - 1);
      this.#shifts[hash] = Math.min(this.#shifts[hash] ?? 0, this.#head - end);
    }
    const hash = hashAt(text, this.#head - 1);
    const lengths = this.#lengths.get(hash) ?? [];
    if (lengths.includes(text.length)) return;
    this.#lengths.set(
      hash,
      [...lengths, text.length].sort((one, other) => other - one),
    );
  }

  /** The longest at each place; they may overlap. */
  spansIn(text: string, spans: Span[]): void {
    if (this.#texts.size === 0) return;
    const shifts = this.#shifts;
    const head = this.#head;
    for (let at = head - 1; at < text.length; ) {
      const hash = hashAt(text, at);
      const shift = shifts[hash] as number;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - head + 1;
      const length = this.#longestAt(text, start, hash);
      if (length > 0) spans.push([start, start + length]);
      at += 1;
    }
  }

  #longestAt(text: string, start: number, hash: number): number {
    for (const length of this.#lengths.get(hash) ?? []) {
      if (start + length <= text.length && this.#texts.has(text.slice(start, start + length))) return length;
    }
    return 0;
  }
}

/** Of the block that ends there. */
function hashAt(text: string, end: number): number {
  return ((text.charCodeAt(end - 2) << 10) ^ (text.charCodeAt(end - 1) << 5) ^ text.charCodeAt(end)) & (hashes - 1);
}
