/** Finds the head of a secret where a text was cut: at the text's end, or before an ellipsis. */

/** Shorter heads may be anything. In UTF-16 units. */
const MIN_HEAD = 8;
/** A shorter text was not cut. */
const MIN_TEXT = 40;
/** So far back from a cut, and at so many cuts (the last ones), heads are looked for. */
const [MAX_HEAD, MAX_CUTS] = [4_096, 50];
const cuts = /\.{3}|\u2026|$/g;

export class SecretHeads {
  /** By their first characters. */
  readonly #forms = new Map<string, string[]>();

  add(form: string): void {
    if (form.length <= MIN_HEAD) return;
    const head = form.slice(0, MIN_HEAD);
    this.#forms.set(head, [...(this.#forms.get(head) ?? []), form]);
  }

  replaceIn(text: string, by: string): string {
    if (this.#forms.size === 0 || text.length < MIN_TEXT) return text;
    let copied = 0;
    let result = '';
    for (const { index: end } of [...text.matchAll(cuts)].slice(-MAX_CUTS)) {
      const tail = text.slice(Math.max(copied, end - MAX_HEAD), end);
      const length = this.#headAtEndOf(tail);
      if (length === 0) continue;
      result += text.slice(copied, end - length) + by;
      copied = end;
    }
    return copied === 0 ? text : result + text.slice(copied);
  }

  /** The length of the longest one. */
  #headAtEndOf(tail: string): number {
    let longest = 0;
    for (const [head, forms] of this.#forms) {
      for (let at = tail.indexOf(head); at >= 0; at = tail.indexOf(head, at + 1)) {
        const found = tail.slice(at);
        if (!forms.some((form) => form.startsWith(found))) continue;
        longest = Math.max(longest, found.length);
        break;
      }
    }
    return longest;
  }
}
