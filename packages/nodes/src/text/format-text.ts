/** Python's `str.format` over JSON values. Values read as in {@link textOf}: `true`, and nothing for null. */
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../ports.ts';
import { isObject, kindOf } from '../values/kind-of.ts';
import { textOf } from '../values/text-of.ts';
import { applySpec } from './apply-spec.ts';
import { type FormatField, type FormatPart, parseTemplate } from './format-template.ts';

/**
 * @param values an object for `{name}` fields, or a list for `{}` and `{0}` fields
 * @throws NodeError `FORMAT_FIELD_MISSING`, `FORMAT_TEMPLATE_INVALID` or `FORMAT_SPEC_INVALID`
 *
 * @example
 * formatText('{user.name} owes {amount:,.2f}', { user: { name: 'Ada' }, amount: 1234.5 }); // 'Ada owes 1,234.50'
 */
export function formatText(template: string, values: JsonObject | readonly JsonValue[]): string {
  const positions = { next: 0 };
  const render = (parts: readonly FormatPart[]): string =>
    parts
      .map((part) => {
        if (typeof part === 'string') return part;
        const value = converted(part.conversion, fieldValue(part, values, positions));
        return applySpec(value, render(part.spec), part.source);
      })
      .join('');
  return render(parseTemplate(template));
}

function fieldValue(
  field: FormatField,
  values: JsonObject | readonly JsonValue[],
  positions: { next: number },
): JsonValue {
  const name = field.name === '' ? String(positions.next++) : field.name;
  let current = member(values, name);
  if (current === undefined) {
    throw new NodeError(`The template uses {${field.source}}, but there is no "${name}" ${among(values)}`, {
      code: 'FORMAT_FIELD_MISSING',
      errorType: 'KeyError',
    });
  }
  for (const step of field.path) {
    const next: JsonValue | undefined = member(current, step);
    if (next === undefined) {
      throw new NodeError(`The template uses {${field.source}}, but ${kindOf(current)} has no "${step}" there`, {
        code: 'FORMAT_FIELD_MISSING',
        errorType: 'KeyError',
      });
    }
    current = next;
  }
  return current;
}

function member(holder: JsonValue, key: string): JsonValue | undefined {
  if (Array.isArray(holder)) return /^\d+$/.test(key) ? (holder[Number(key)] as JsonValue | undefined) : undefined;
  return isObject(holder) && Object.hasOwn(holder, key) ? (holder[key] as JsonValue) : undefined;
}

function among(values: JsonObject | readonly JsonValue[]): string {
  if (Array.isArray(values)) return `among the ${values.length} values of the list`;
  const names = Object.keys(values);
  return names.length === 0 ? 'in variables, which is empty' : `in variables (${names.slice(0, 10).join(', ')})`;
}

function converted(conversion: string, value: JsonValue): JsonValue {
  if (conversion === '') return value;
  if (conversion === 's') return textOf(value);
  const quoted = JSON.stringify(value);
  return conversion === 'r' ? quoted : quoted.replace(/[^\x20-\x7e]/g, (character) => escaped(character));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
