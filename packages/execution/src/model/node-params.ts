/**
 * Reads a node's parameters: what designer files and templates hold (numbers as text, null or "" for "not set") is
 * brought into the form that the type's schema asks for, and what does not fit is answered in plain words.
 */
import type { JsonObject, JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import { findNonJson } from './json-check.ts';
import { parseJsonText } from './json-depth.ts';
import { problemOf, quotedValue } from './param-problems.ts';
import { choicesOf, isRequired, kindsOf, type ParamSchema, paramsOf, takesAnyParam, tryParse } from './param-schema.ts';
import { kindOf, toText } from './value-text.ts';

export interface ParamProblem {
  readonly param: string;
  /** Words that follow the parameter's name: "must be a number, but is text". */
  readonly problem: string;
  /** True when the parameter is required and has no value at all. */
  readonly isMissing: boolean;
}

export type ParamsReading =
  | { readonly ok: true; readonly params: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problems: readonly ParamProblem[] };

/**
 * The parameters of a node whose connections and templates are resolved. `values` may hold more keys than the type
 * knows; null and "" count as "not set" where the schema refuses them.
 */
export function readParams(type: NodeType, values: JsonObject): ParamsReading {
  const input = new Map<string, unknown>();
  const problems: ParamProblem[] = [];
  for (const [param, schema] of paramsOf(type)) {
    const reading = readParam(schema, Object.hasOwn(values, param) ? values[param] : undefined, 'resolved');
    if (reading.state === 'fits') input.set(param, reading.value);
    else if (reading.state === 'unfit') problems.push({ param, problem: reading.problem, isMissing: false });
    else if (isRequired(schema)) problems.push({ param, problem: 'is required, but is not set', isMissing: true });
  }
  if (takesAnyParam(type)) {
    for (const [key, value] of Object.entries(values))
      if (!Object.hasOwn(type.params.shape, key)) input.set(key, value);
  }
  if (problems.length > 0) return { ok: false, problems };
  const whole = tryParse(type.params, Object.fromEntries(input));
  if (whole.ok) return { ok: true, params: whole.value as Record<string, unknown> };
  const [issue] = whole.issues;
  const [param = 'parameters', ...path] = issue?.path ?? [];
  const problem = problemOf(issue === undefined ? [] : [{ ...issue, path }], undefined, kindOf);
  return { ok: false, problems: [{ param: String(param), problem, isMissing: false }] };
}

export type ParamReading =
  | { readonly state: 'fits'; readonly value: JsonValue }
  | { readonly state: 'absent' }
  | { readonly state: 'unfit'; readonly problem: string; readonly value: JsonValue };

/**
 * One value in the form that its schema takes.
 *
 * @param stage `written`: the value stands in the file, so a number where text is meant is a mistake; `resolved`: it
 *   may come from a connection or template, so it is written as text.
 */
export function readParam(
  schema: ParamSchema,
  value: JsonValue | undefined,
  stage: 'written' | 'resolved',
): ParamReading {
  if (value === undefined) return { state: 'absent' };
  if (stage === 'written' && value === '' && isRequired(schema) && kindsOf(schema).has('text'))
    return { state: 'absent' };
  const asIs = tryParse(schema, value);
  if (asIs.ok) return { state: 'fits', value };
  if (value === null || value === '') return { state: 'absent' };
  for (const candidate of candidates(value, schema, stage)) {
    if (tryParse(schema, candidate).ok) return { state: 'fits', value: candidate };
  }
  return { state: 'unfit', problem: problemOf(asIs.issues, value, stage === 'written' ? quotedValue : kindOf), value };
}

const NUMBER_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const YES = new Set(['true', 'yes', 'on', '1']);
const NO = new Set(['false', 'no', 'off', '0']);

/** The value in other forms that mean the same, most likely first. */
function candidates(value: JsonValue, schema: ParamSchema, stage: 'written' | 'resolved'): JsonValue[] {
  const kinds = kindsOf(schema);
  const found: JsonValue[] = [];
  const text = typeof value === 'string' ? value.trim() : '';
  const word = typeof value === 'number' ? String(value) : text.toLowerCase();
  if (kinds.has('number') && NUMBER_TEXT.test(text)) found.push(Number(text));
  if (kinds.has('flag') && YES.has(word)) found.push(true);
  if (kinds.has('flag') && NO.has(word)) found.push(false);
  if (kinds.has('list') || kinds.has('object')) found.push(...parsedStructure(text));
  if (kinds.has('choice')) found.push(...choicesOf(schema).filter((choice) => choice.toLowerCase() === word));
  if (kinds.has('text') && stage === 'resolved') found.push(...asText(value));
  return found;
}

/** Live objects, functions and bytes are no text, whatever could be made of them. */
function asText(value: unknown): string[] {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return [value.toISOString()];
  if (typeof value === 'bigint') return [String(value)];
  return findNonJson(value) === null ? [toText(value as JsonValue)] : [];
}

function parsedStructure(text: string): JsonValue[] {
  if (!/^[[{]/.test(text)) return [];
  const parsed = parseJsonText(text);
  return parsed === undefined ? [] : [parsed];
}
