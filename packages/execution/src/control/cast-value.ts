/** SetVariableNode's casts, after the original: a value that cannot be cast stays as it is, with a warning. */
import type { JsonValue } from '../json.ts';

/** `String`, the designer's default in every file, casts nothing. */
export const variableTypes = [
  'String',
  'Boolean',
  'Int32',
  'Integer',
  'Float',
  'Object',
  'Array',
  'List',
  'Dict',
  'FilePath',
  'DataTable',
] as const;

export type VariableType = (typeof variableTypes)[number];

export type Cast = { readonly value: JsonValue } | { readonly problem: string };

/** @example castValue('a, b', 'List') // { value: ['a', 'b'] } */
export function castValue(value: JsonValue, type: VariableType): Cast {
  if (value === null) return { value };
  switch (type) {
    case 'String':
      return { value };
    case 'FilePath':
      return { value: typeof value === 'string' ? value : JSON.stringify(value) };
    case 'Boolean':
      return { value: asBoolean(value) };
    case 'Int32':
    case 'Integer':
      return asNumber(value, type, true);
    case 'Float':
      return asNumber(value, type, false);
    case 'Object':
    case 'Dict':
      return asObject(value, type);
    case 'Array':
    case 'List':
      return { value: asList(value) };
    case 'DataTable':
      return typeof value === 'string' ? (parsed(value) ?? { problem: notJson(type) }) : { value };
  }
}

function asBoolean(value: JsonValue): boolean {
  if (typeof value === 'string') return ['true', '1', 'yes', 'on'].includes(value.trim().toLowerCase());
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function asNumber(value: JsonValue, type: VariableType, whole: boolean): Cast {
  const number =
    typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : typeof value === 'number'
          ? value
          : Number.NaN;
  const spelledWhole = typeof value !== 'string' || Number.isInteger(number);
  if (!Number.isFinite(number) || (whole && !spelledWhole)) return { problem: `is no ${type}` };
  return { value: whole ? Math.trunc(number) : number };
}

function asObject(value: JsonValue, type: VariableType): Cast {
  if (typeof value === 'string') return parsed(value) ?? { problem: notJson(type) };
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { value: isObject ? value : { value } };
}

function asList(value: JsonValue): readonly JsonValue[] | JsonValue {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  if (typeof value !== 'string') return [value];
  const read = parsed(value);
  if (read !== undefined) return read.value;
  const parts = value.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

function parsed(source: string): { readonly value: JsonValue } | undefined {
  try {
    return { value: JSON.parse(source) as JsonValue };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function notJson(type: VariableType): string {
  return `is not the JSON text of a ${type}`;
}

/** The variable as a number to count with: text that spells one and flags count, too. */
export function asCount(value: JsonValue): number | undefined {
  const cast = asNumber(value, 'Float', false);
  return 'value' in cast ? (cast.value as number) : undefined;
}
