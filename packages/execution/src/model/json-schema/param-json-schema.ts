/**
 * One config key as JSON Schema, from the zod schema of its parameter. Files may also hold text in the place of a
 * number, a flag or a structure, null or "" for "not set", and a template anywhere, so all of these are part of it.
 */
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../json.ts';
import { choicesOf, isRequired, kindsOf, type ParamKind, type ParamSchema, tryParse } from '../param-schema.ts';

/** A text that may hold a reference: `{{x}}`, `${x}`, `%x%`. */
const TEMPLATE: JsonObject = { type: 'string', pattern: '\\{\\{|\\$\\{|%' };
const NOT_SET: JsonObject = { enum: [null, ''] };

const loosely: Readonly<Record<ParamKind, readonly JsonObject[]>> = {
  text: [{ type: 'string' }],
  number: [{ type: 'number' }, { type: 'string', pattern: '^\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*$' }],
  flag: [
    { type: 'boolean' },
    { enum: [0, 1] },
    { type: 'string', pattern: anyCase(['true', 'yes', 'on', '1', 'false', 'no', 'off', '0']) },
  ],
  list: [{ type: 'array' }, { type: 'string', pattern: '^\\s*[\\[{]' }],
  object: [{ type: 'object' }, { type: 'string', pattern: '^\\s*[\\[{]' }],
  choice: [],
};

/** Schemas that read values by themselves say in their metadata what they are made for; they take other forms, too. */
const declared: Readonly<Record<string, readonly JsonObject[]>> = {
  text: [],
  number: [{ type: 'number' }, { type: 'string', pattern: '\\d' }],
  flag: loosely.flag,
  list: [{ type: ['array', 'string'] }],
  object: [{ type: ['object', 'string'] }],
};

/** The schema of what a config may hold under the parameter's name. */
export function paramJsonSchema(schema: ParamSchema): JsonObject {
  const notes = { ...described(schema), ...defaultOf(schema) };
  const forms = [...choiceForms(schema), ...kindForms(schema)];
  return forms.length === 0 ? notes : { ...notes, anyOf: [...forms, TEMPLATE, NOT_SET] };
}

function described(schema: ParamSchema): JsonObject {
  const description = z.globalRegistry.get(schema)?.description;
  return typeof description === 'string' ? { description } : {};
}

function choiceForms(schema: ParamSchema): readonly JsonObject[] {
  const choices = choicesOf(schema);
  if (choices.length === 0) return [];
  const synonyms = z.globalRegistry.get(schema)?.synonyms;
  const words = [...choices, ...(Array.isArray(synonyms) ? synonyms.map(String) : [])];
  return [{ enum: [...choices] }, { type: 'string', pattern: anyCase(words) }];
}

function kindForms(schema: ParamSchema): readonly JsonObject[] {
  const kind = z.globalRegistry.get(schema)?.kind;
  if (typeof kind === 'string') return declared[kind] ?? [];
  return [...kindsOf(schema)].flatMap((own) => (own === 'choice' ? [] : bounded(schema, loosely[own])));
}

function defaultOf(schema: ParamSchema): JsonObject {
  if (isRequired(schema)) return {};
  const verdict = tryParse(schema, undefined);
  const value = verdict.ok ? (verdict.value as JsonValue | undefined) : undefined;
  return value === undefined || value === null || JSON.stringify(value) === undefined ? {} : { default: value };
}

const limits = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'] as const;

/** The limits of a plain number go with it; those of a number inside a union are left to the validator. */
function bounded(schema: ParamSchema, forms: readonly JsonObject[]): readonly JsonObject[] {
  const plain = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonObject;
  const own = limits.flatMap((limit) => (typeof plain[limit] === 'number' ? [[limit, plain[limit]] as const] : []));
  return forms.map((form) => (form.type === 'number' ? { ...form, ...Object.fromEntries(own) } : form));
}

/** A pattern for words in whatever case, with blanks around them. */
function anyCase(words: readonly string[]): string {
  const letters = (word: string): string =>
    Array.from(word, (letter) =>
      /[a-z]/i.test(letter)
        ? `[${letter.toUpperCase()}${letter.toLowerCase()}]`
        : letter.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&'),
    ).join('');
  return `^\\s*(${words.map(letters).join('|')})\\s*$`;
}
