/**
 * Takes secrets out of what is about to be written (I8): known values wherever they stand in a text, in the forms in
 * which they are usually written (`SecretValues`), and whatever is stored under a key that tells of a secret.
 */

import * as must from '../arguments.ts';
import { hidden, type JsonValue, type PlainJsonRules, toPlainJson } from './plain-json.ts';
import { SecretValues } from './secret-values.ts';
import { TellingKeys } from './telling-keys.ts';

export interface RedactOptions {
  /** Secret values. An empty one is ignored. */
  readonly values?: readonly string[];
  /** Keys whose values are secret, beside the usual ones; case, `_`, `-`, `.` and the like do not matter. */
  readonly keys?: readonly string[];
  /** Texts that look like a secret, wherever they stand, such as `/\bsk-[a-z0-9]{32}\b/`. They must end quickly on any text. */
  readonly patterns?: readonly RegExp[];
  /** Take more out of a text; after the values and before the patterns. They must not throw. */
  readonly rules?: readonly RedactRule[];
}

/** UTF-16 units; see `PlainJsonRules.overlap`. A text that was escaped twice for a URL is five times as long. */
const [shortestOverlap, longestOverlap, escapedLength] = [1_024, 65_536, 6];

/** Answers with the text, without what it knows to be secret. */
export type RedactRule = (text: string) => string;

/**
 * @example
 * const redactor = new Redactor({ values: ['s3cret'] });
 * redactor.text('key s3cret refused') // 'key [redacted] refused'
 * redactor.json({ password: 'x', note: 'y' }) // { password: '[redacted]', note: 'y' }
 */
export class Redactor {
  readonly #values = new SecretValues();
  readonly #keys: TellingKeys;
  readonly #patterns: readonly RegExp[];
  readonly #textRules: RedactRule[];
  readonly #jsonRules: PlainJsonRules = {
    text: (text) => this.text(text),
    hides: (key) => this.#keys.tells(key),
    overlap: () => Math.min(longestOverlap, shortestOverlap + this.#values.longest * escapedLength),
  };

  /** @throws ArgumentError, as the methods that take a text or a function */
  constructor(options: RedactOptions = {}) {
    requireOptions('options', options);
    this.#keys = new TellingKeys(options.keys);
    this.#patterns = (options.patterns ?? []).map(
      ({ source, flags }) => new RegExp(source, `${flags.replace(/[gy]/g, '')}g`),
    );
    this.#textRules = [...(options.rules ?? [])];
    for (const value of options.values ?? []) this.addValue(value);
  }

  /** Takes more out of a text, from now on. */
  addRule(rule: RedactRule): void {
    must.aFunction('rule', rule);
    this.#textRules.push(rule);
  }

  /** Makes one more value secret, from now on. */
  addValue(value: string): void {
    must.text('value', value);
    this.#values.add(value);
  }

  text(text: string): string {
    if (typeof text !== 'string') must.text('text', text);
    // Before the rules: what they take out of the middle of a secret would hide the rest from being found.
    const known = this.#values.replaceIn(text, hidden);
    let clean = known;
    for (const rule of this.#textRules) clean = rule(clean);
    if (typeof clean !== 'string') must.refuse('rules', 'functions that answer with a text', clean);
    for (const pattern of this.#patterns) clean = clean.replace(pattern, hidden);
    return clean;
  }

  /**
   * Plain JSON of anything, without secrets. Never throws. Bounded: 8 levels, 200 items of each part, 10,000 values and
   * 256 Ki characters in all, 16 Ki of one text; what was cut says so, as in `[12 more]`.
   */
  json(value: unknown): JsonValue {
    return toPlainJson(value, this.#jsonRules);
  }
}

const requireOptions = must.options({
  values: must.optional(must.listOf(must.text)),
  keys: must.optional(must.listOf(must.text)),
  patterns: must.optional(
    must.listOf((argument, value) => value instanceof RegExp || must.refuse(argument, 'a RegExp', value)),
  ),
  rules: must.optional(must.listOf(must.aFunction)),
});

export function asRedactor(given: Redactor | RedactOptions | undefined): Redactor {
  return given instanceof Redactor ? given : new Redactor(given);
}
