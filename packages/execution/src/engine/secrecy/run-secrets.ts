/**
 * What one run knows to be secret (I8): the values that secrets were resolved to, in the forms in which they are
 * usually written, and what nodes have made of them. A value of the run is secret if it holds one of these texts; it
 * does not matter by which way it came there (a template, a connection, a loop, a branch, the world).
 *
 * A derived text is known as long as a value of the run holds it, so that their number is bounded by the run's state.
 */
import type { JsonValue } from '../../json.ts';
import { SecretHeads } from './secret-heads.ts';
import { HIDDEN, partAt, type SecretPath } from './secret-path.ts';
import { TextMatcher } from './text-matcher.ts';
import { writtenForms } from './written-forms.ts';

/** Shorter texts cannot be told from ordinary ones: they are sealed where a node gave them, but not followed. */
const MIN_FOLLOWED_CHARS = 6;
/** More parts of one value than this are sealed as one. */
const MAX_PARTS = 50;
const FIRST_LIMIT = 1_000;
const MAX_DEPTH = 1_000;

export class RunSecrets {
  #matcher = new TextMatcher();
  readonly #heads = new SecretHeads();
  readonly #resolved = new Set<string>();
  #derived = new Set<string>();
  /** So many derived texts are kept before those that no value holds are forgotten. */
  #limit = FIRST_LIMIT;
  /** Grows with the texts: what was found to be without secrets need not be so for ever. */
  #version = 0;
  readonly #looked = new WeakMap<object, { readonly version: number; readonly holds: boolean }>();

  get isEmpty(): boolean {
    return this.#matcher.size === 0;
  }

  /** True when it is time for `forgetUnless`. */
  get isCrowded(): boolean {
    return this.#derived.size > this.#limit;
  }

  /** A secret that was resolved, however short. */
  learn(value: string): void {
    if (this.#resolved.has(value)) return;
    this.#resolved.add(value);
    this.#version += 1;
    for (const form of writtenForms(value)) {
      this.#matcher.addWithParts(form);
      this.#heads.add(form);
    }
  }

  /** Texts inside of a value that was made of secrets. */
  learnDerived(value: unknown): void {
    for (const text of textsIn(value)) {
      if (text.length < MIN_FOLLOWED_CHARS || this.#derived.has(text) || this.#resolved.has(text)) continue;
      this.#derived.add(text);
      this.#version += 1;
      for (const form of derivedForms(text)) this.#matcher.add(form);
    }
  }

  /** Whether any text, number or key in it holds a secret. Asking again about the same object costs nothing. */
  holds(value: unknown): boolean {
    if (this.isEmpty) return false;
    if (typeof value !== 'object' || value === null) return this.#isSecret(value);
    const known = this.#looked.get(value);
    if (known?.version === this.#version || known?.holds === true) return known.holds;
    const holds = this.#isAnySecret(value, 0);
    this.#looked.set(value, { version: this.#version, holds });
    return holds;
  }

  /** The secret parts of a value, beginning with `at`. */
  partsOf(value: unknown, at: SecretPath): readonly SecretPath[] {
    return this.isEmpty ? [] : this.#partsOf(value, at, 0);
  }

  /**
   * As `partsOf`, but the outermost values stay apart, so that a variable does not hide its neighbours. A path would tell
   * a name that is secret itself: then all of them are one part.
   */
  partsOfEach(values: object, at: SecretPath): readonly SecretPath[] {
    if (this.isEmpty) return [];
    const isList = Array.isArray(values);
    if (!isList && Object.keys(values).some((key) => this.#isSecret(key))) return [at];
    return Object.entries(values).flatMap(([key, value]) => [
      ...this.partsOf(value, [...at, isList ? Number(key) : key]),
    ]);
  }

  redact(text: string): string {
    return this.#heads.replaceIn(this.#matcher.replaceIn(text, HIDDEN), HIDDEN);
  }

  /**
   * Learns what the marks of an earlier session's entries tell, as far as the state that they led to still holds it.
   *
   * @param state asked for only when there are marks
   */
  recall(entries: readonly { readonly secret?: readonly SecretPath[] }[], state: () => unknown): void {
    const marked = new Set<string>();
    for (const entry of entries) {
      for (const path of entry.secret ?? []) {
        if (!isOfResource(path)) for (const text of textsIn(partAt(entry, path))) marked.add(text);
      }
    }
    if (marked.size > 0) for (const text of textsIn(state())) if (marked.has(text)) this.learnDerived(text);
  }

  /** Forgets the derived texts that this value, the whole state of the run, holds no more. */
  forgetUnless(state: unknown): void {
    const alive = new Set<string>();
    const texts = new TextMatcher();
    for (const text of this.#derived) texts.add(text);
    for (const text of textsIn(state)) for (const match of texts.matchesIn(text)) alive.add(match.text);
    this.#derived = alive;
    this.#limit = Math.max(FIRST_LIMIT, 2 * alive.size);
    this.#matcher = new TextMatcher();
    for (const value of this.#resolved) for (const form of writtenForms(value)) this.#matcher.addWithParts(form);
    for (const text of alive) for (const form of derivedForms(text)) this.#matcher.add(form);
  }

  #isSecret(value: unknown): boolean {
    if (typeof value === 'string') return this.#matcher.isIn(value);
    return typeof value === 'number' && this.#matcher.isIn(String(value));
  }

  #isAnySecret(value: unknown, depth: number): boolean {
    if (typeof value !== 'object' || value === null) return this.#isSecret(value);
    if (depth > MAX_DEPTH) return false;
    if (Array.isArray(value)) return value.some((item) => this.#isAnySecret(item, depth + 1));
    return Object.entries(value).some(([key, item]) => this.#isSecret(key) || this.#isAnySecret(item, depth + 1));
  }

  #partsOf(value: unknown, at: SecretPath, depth: number): readonly SecretPath[] {
    if (typeof value !== 'object' || value === null) return this.#isSecret(value) ? [at] : [];
    if (depth > MAX_DEPTH || !this.#isAnySecret(value, depth)) return [];
    const parts: SecretPath[] = [];
    for (const [key, item] of Object.entries(value)) {
      if (!Array.isArray(value) && this.#isSecret(key)) return [at];
      parts.push(...this.#partsOf(item, [...at, Array.isArray(value) ? Number(key) : key], depth + 1));
      if (parts.length > MAX_PARTS) return [at];
    }
    return parts;
  }
}

/** Browser state and the like is always sealed, but its texts (names of hosts, say) are no secrets of the workflow. */
function isOfResource(path: SecretPath): boolean {
  return path.at(-1) === 'sealed' && path.at(-3) === 'resources';
}

function derivedForms(text: string): readonly string[] {
  return [text, encodeURIComponent(text.toWellFormed()), JSON.stringify(text).slice(1, -1)];
}

/** All texts in it, keys left out. */
export function* textsIn(value: unknown, depth = 0): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number') yield String(value);
  else if (typeof value === 'object' && value !== null && depth <= MAX_DEPTH) {
    for (const item of Object.values(value as Record<string, JsonValue>)) yield* textsIn(item, depth + 1);
  }
}
