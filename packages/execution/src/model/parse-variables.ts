/** Reads the variables of a file: plain values, or definitions with a type whose default is brought into it. */
import type { JsonObject, JsonValue } from '../json.ts';
import { type FindingList, quoted } from './finding.ts';
import { parseJsonText } from './json-depth.ts';
import type { Speller } from './nearest.ts';
import { isJsonObject, kindOf } from './value-text.ts';

type VariableType = 'text' | 'flag' | 'whole' | 'number' | 'list' | 'object' | 'any';

const types: ReadonlyMap<string, VariableType> = new Map<string, VariableType>([
  ['String', 'text'],
  ['Boolean', 'flag'],
  ['Integer', 'whole'],
  ['Float', 'number'],
  ['List', 'list'],
  ['Dict', 'object'],
  ['Str', 'text'],
  ['Text', 'text'],
  ['FilePath', 'text'],
  ['Bool', 'flag'],
  ['Int', 'whole'],
  ['Int32', 'whole'],
  ['Int64', 'whole'],
  ['Number', 'number'],
  ['Double', 'number'],
  ['Decimal', 'number'],
  ['Array', 'list'],
  ['DataTable', 'list'],
  ['Object', 'object'],
  ['Dictionary', 'object'],
  ['Any', 'any'],
]);
const byLowerCase = new Map([...types].map(([name, type]) => [name.toLowerCase(), type]));
const definitionKeys = new Set(
  'name type data_type default_value value description scope required readonly read_only sensitive id'.split(' '),
);

/** Matches the names of the types, in whatever case. */
export function variableTypePattern(): string {
  const anyCase = (name: string): string =>
    name.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
  return `^(${[...byLowerCase.keys()].map(anyCase).join('|')})$`;
}

/**
 * Initial values by name, and whether those that the run is given fit them. The result has no prototype: a name such as
 * `constructor` is an ordinary one.
 */
export function parseVariables(
  source: JsonValue | undefined,
  given: JsonObject,
  findings: FindingList,
  speller: Speller,
): Readonly<Record<string, JsonValue>> {
  const variables: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of entriesOf(source, findings)) {
    variables[name] = isDefinition(value) ? initialValue(name, value, findings, speller) : value;
    if (isDefinition(value) && Object.hasOwn(given, name)) checkGiven(name, given[name] ?? null, value, findings);
  }
  return variables;
}

function entriesOf(source: JsonValue | undefined, findings: FindingList): readonly (readonly [string, JsonValue])[] {
  if (source === undefined || source === null) return [];
  if (isJsonObject(source)) return Object.entries(source);
  if (!Array.isArray(source)) {
    findings.error('INVALID_STRUCTURE', `"variables" must be an object of values by name, but is ${kindOf(source)}.`, {
      field: 'variables',
    });
    return [];
  }
  return source.flatMap((item: JsonValue, index): [string, JsonValue][] => {
    const name = isJsonObject(item) ? item.name : undefined;
    if (typeof name === 'string' && name !== '') return [[name, item]];
    findings.error('INVALID_VARIABLE', `variables[${index}] must be an object with a "name".`, {
      field: `variables[${index}]`,
    });
    return [];
  });
}

/** Whether an object would define a variable, were some of its keys written as they were meant. */
export function looksLikeDefinition(value: JsonObject, slips: ReadonlySet<string>): boolean {
  return Object.keys(value).every((key) => definitionKeys.has(key) || slips.has(key)) || isDefinition(value);
}

/** A plain object that merely has a key `type` is a value: a definition has a default, or nothing foreign in it. */
function isDefinition(value: JsonValue): value is JsonObject {
  if (!isJsonObject(value)) return false;
  if (Object.hasOwn(value, 'default_value')) return true;
  const type = value.type;
  return (
    typeof type === 'string' &&
    byLowerCase.has(type.toLowerCase()) &&
    Object.keys(value).every((key) => definitionKeys.has(key))
  );
}

function initialValue(name: string, definition: JsonObject, findings: FindingList, speller: Speller): JsonValue {
  const given = definition.default_value ?? definition.value ?? null;
  const typeName = definition.type ?? definition.data_type ?? 'Any';
  const field = `variables.${name.slice(0, 60)}`;
  const type = typeof typeName === 'string' ? byLowerCase.get(typeName.toLowerCase()) : undefined;
  if (type === undefined) {
    const suggestion = typeof typeName === 'string' ? speller.nearest(typeName, types.keys()) : null;
    const known = 'String, Boolean, Integer, Float, List and Dict';
    const shown = typeof typeName === 'string' ? quoted(typeName) : kindOf(typeName);
    findings.error('INVALID_VARIABLE', `Variable ${quoted(name)} has the unknown type ${shown}; known are ${known}.`, {
      field,
      suggestion,
    });
    return given;
  }
  const value = converted(given, type);
  if (value !== undefined) return value;
  findings.error(
    'INVALID_VARIABLE',
    `The default of variable ${quoted(name)} does not fit its type ${String(typeName)}: it is ${describe(given)}.`,
    { field, suggestion: `Write a default of the type ${String(typeName)}, or change the type.` },
  );
  return given;
}

/** A run takes what it is given as it is. */
function checkGiven(name: string, value: JsonValue, definition: JsonObject, findings: FindingList): void {
  const typeName = String(definition.type ?? definition.data_type ?? 'Any');
  const type = byLowerCase.get(typeName.toLowerCase());
  if (type === undefined || value === null || fits[type](value)) return;
  const what = typeof value === 'string' ? `the text ${quoted(value)}` : describe(value);
  findings.warning(
    'INVALID_VARIABLE',
    `The value that is given for variable ${quoted(name)} is not of its type ${typeName}: it is ${what}.`,
    { field: `variables.${name.slice(0, 60)}`, suggestion: `Give a value of the type ${typeName}.` },
  );
}

const fits: Readonly<Record<VariableType, (value: JsonValue) => boolean>> = {
  any: () => true,
  text: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
  whole: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  list: (value) => Array.isArray(value),
  object: isJsonObject,
};

/** The default in the variable's type; nothing and a blank mean "no value"; undefined when it does not fit. */
function converted(value: JsonValue, type: VariableType): JsonValue | undefined {
  if (type === 'any') return value;
  if (type === 'text') return asText(value);
  if (value === null || (typeof value === 'string' && value.trim() === '')) return null;
  switch (type) {
    case 'flag':
      return asFlag(value);
    case 'whole':
      return asNumber(value, true);
    case 'number':
      return asNumber(value, false);
    case 'list':
      return asStructure(value, (candidate) => Array.isArray(candidate));
    case 'object':
      return asStructure(value, isJsonObject);
  }
}

function asText(value: JsonValue): string | undefined {
  if (value === null) return '';
  return typeof value === 'object' ? undefined : String(value);
}

function asFlag(value: JsonValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'object' ? '' : String(value).trim().toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  return ['false', 'no', 'off', '0'].includes(word) ? false : undefined;
}

function asNumber(value: JsonValue, whole: boolean): number | undefined {
  const isNumberText = typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value);
  const number = isNumberText || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isFinite(number) && (!whole || Number.isInteger(number)) ? number : undefined;
}

function asStructure(value: JsonValue, isMeant: (value: JsonValue) => boolean): JsonValue | undefined {
  if (isMeant(value)) return value;
  if (typeof value !== 'string') return undefined;
  const parsed = parseJsonText(value);
  return parsed !== undefined && isMeant(parsed) ? parsed : undefined;
}

function describe(value: JsonValue): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'object' ? kindOf(value) : String(value);
}
