/**
 * Finds known secrets in texts, in the forms of `writtenForms` and under layers of escapes. One pass over a text,
 * however many secrets there are, and one more for each layer that it has; to add a secret costs the same each time.
 */
import { type Span, TextIndex } from './text-index.ts';
import { isEscaped, placesIn, unescaped } from './unescaped.ts';
import { mostLayers, writtenForms } from './written-forms.ts';

/** In UTF-16 units; forms that are shorter than both are looked for one by one. */
const [longHead, shortHead] = [8, 4];

export class SecretValues {
  readonly #forms = new Set<string>();
  #long: TextIndex | null = null;
  #short: TextIndex | null = null;
  readonly #shortest: string[] = [];
  #longest = 0;

  /** UTF-16 units of the longest form. */
  get longest(): number {
    return this.#longest;
  }

  add(secret: string): void {
    if (secret === '' || this.#forms.has(secret)) return;
    for (const form of writtenForms(secret)) this.#index(form);
  }

  replaceIn(text: string, by: string): string {
    if (this.#forms.size === 0) return text;
    const spans: Span[] = [];
    this.#findIn(text, spans);
    if (isEscaped(text)) this.#findInLayers(text, spans);
    return spans.length === 0 ? text : replaced(text, spans, by);
  }

  #findInLayers(text: string, spans: Span[]): void {
    let outer = text;
    let layer = unescaped(text);
    let toText = (span: Span): Span => span;
    for (let layers = 1; layer !== outer && layers <= mostLayers; layers += 1) {
      toText = through(outer, toText);
      const found: Span[] = [];
      this.#findIn(layer, found);
      for (const span of found) spans.push(toText(span));
      outer = layer;
      layer = unescaped(layer);
    }
  }

  #index(form: string): void {
    if (this.#forms.has(form)) return;
    this.#forms.add(form);
    this.#longest = Math.max(this.#longest, form.length);
    if (form.length >= longHead) {
      this.#long ??= new TextIndex(longHead);
      this.#long.add(form);
    } else if (form.length >= shortHead) {
      this.#short ??= new TextIndex(shortHead);
      this.#short.add(form);
    } else this.#shortest.push(form);
  }

  #findIn(text: string, spans: Span[]): void {
    this.#long?.spansIn(text, spans);
    this.#short?.spansIn(text, spans);
    for (const form of this.#shortest) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length)) {
        spans.push([at, at + form.length]);
      }
    }
  }
}

/** From a layer to the text, by way of the layer around it; that one is looked at again only when something is found. */
function through(outer: string, toText: (span: Span) => Span): (span: Span) => Span {
  let places: ReturnType<typeof placesIn> | null = null;
  return ([start, end]) => {
    places ??= placesIn(outer);
    return toText(places(start, end));
  };
}

/** Spans that overlap are replaced as one, so that nothing of either is left. */
function replaced(text: string, spans: readonly Span[], by: string): string {
  let result = '';
  let copied = 0;
  for (const [start, end] of [...spans].sort((one, other) => one[0] - other[0] || other[1] - one[1])) {
    if (start >= copied) result += text.slice(copied, start) + by;
    copied = Math.max(copied, end);
  }
  return result + text.slice(copied);
}
