/**
 * Takes secrets out of what is about to be written (I8): known values wherever they stand in a text, also
 * URL-encoded or escaped as in JSON, and whatever is stored under a key that tells of a secret.
 */

import * as must from '../arguments.ts';
import { hidden, type JsonValue, type PlainJsonRules, toPlainJson } from './plain-json.ts';
import { urlForms } from './url-forms.ts';

export interface RedactOptions {
  /** Secret values. An empty one is ignored. */
  readonly values?: readonly string[];
  /** Keys whose values are secret, beside the usual ones; case, `_` and `-` do not matter. */
  readonly keys?: readonly string[];
  /** Texts that look like a secret, wherever they stand, such as `/\bsk-[a-z0-9]{32}\b/`. They must end quickly on any text. */
  readonly patterns?: readonly RegExp[];
  /** Take more out of a text; before the values and patterns. They must not throw. */
  readonly rules?: readonly RedactRule[];
}

/** Answers with the text, without what it knows to be secret. */
export type RedactRule = (text: string) => string;

const usualKeys =
  /password|passwd|passphrase|secret|token|apikey|servicekey|anonkey|accesskey|privatekey|authorization|cookie|credential/;

/**
 * @example
 * const redactor = new Redactor({ values: ['s3cret'] });
 * redactor.text('key s3cret refused') // 'key [redacted] refused'
 * redactor.json({ password: 'x', note: 'y' }) // { password: '[redacted]', note: 'y' }
 */
export class Redactor {
  readonly #values = new Set<string>();
  readonly #keys: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];
  readonly #textRules: RedactRule[];
  #pattern: RegExp | null = null;
  readonly #jsonRules: PlainJsonRules = {
    text: (text) => this.text(text),
    hides: (key) => usualKeys.test(fold(key)) || this.#keys.has(fold(key)),
  };

  /** @throws ArgumentError, as the methods that take a text or a function */
  constructor(options: RedactOptions = {}) {
    requireOptions('options', options);
    this.#keys = new Set((options.keys ?? []).map(fold));
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
    if (value === '' || this.#values.has(value)) return;
    for (const form of [value, ...urlForms(value), JSON.stringify(value).slice(1, -1)]) this.#values.add(form);
    // Longest first, so that a secret that contains another leaves no rest.
    const alternatives = [...this.#values].sort((a, b) => b.length - a.length).map(escapePattern);
    this.#pattern = new RegExp(alternatives.join('|'), 'g');
  }

  text(text: string): string {
    if (typeof text !== 'string') must.text('text', text);
    const ruled = this.#textRules.reduce((clean, rule) => rule(clean), text);
    if (typeof ruled !== 'string') must.refuse('rules', 'functions that answer with a text', ruled);
    const known = this.#pattern === null ? ruled : ruled.replace(this.#pattern, hidden);
    return this.#patterns.reduce((clean, pattern) => clean.replace(pattern, hidden), known);
  }

  /** Plain JSON of anything, without secrets. Never throws. */
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

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function fold(key: string): string {
  return key.toLowerCase().replaceAll(/[_\-\s]/g, '');
}
