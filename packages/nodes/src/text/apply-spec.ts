/** Formats one value by a format specification. */
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../ports.ts';
import { kindOf } from '../values/kind-of.ts';
import { numericText } from '../values/numeric-text.ts';
import { textOf } from '../values/text-of.ts';
import { numberText } from './format-number.ts';
import { type FormatSpec, parseSpec } from './format-spec.ts';

const NUMERIC_TYPES = 'bcdeEfFgGnoxX%';

/**
 * @param field names the field in messages
 * @throws NodeError `FORMAT_SPEC_INVALID`
 */
export function applySpec(value: JsonValue, source: string, field: string): string {
  if (source === '') return textOf(value);
  const invalid = (problem: string): NodeError =>
    new NodeError(`In {${field}:${source}}, "${source}" ${problem}`, { code: 'FORMAT_SPEC_INVALID' });
  const spec = parseSpec(source, invalid);
  const number = numberFor(value, spec);
  if (number !== null) {
    const { sign, digits } = numberText(number, spec, invalid);
    return padded(sign, digits, spec, '>');
  }
  if (isNumeric(spec)) throw invalid(`needs a number, but the value is ${kindOf(value)}`);
  return padded('', cut(textOf(value), spec.precision), spec, '<');
}

/** The value as a number where the specification treats it as one; text counts only for numeric types. */
function numberFor(value: JsonValue, spec: FormatSpec): number | null {
  if (typeof value === 'number' && spec.type !== 's') return value;
  const wanted = isNumeric(spec) || spec.grouping !== '' || spec.align === '=';
  return wanted && typeof value === 'string' ? numericText(value) : null;
}

function isNumeric(spec: FormatSpec): boolean {
  return spec.type !== '' && NUMERIC_TYPES.includes(spec.type);
}

function cut(text: string, precision: number | null): string {
  return precision === null ? text : Array.from(text).slice(0, precision).join('');
}

function padded(sign: string, body: string, spec: FormatSpec, usual: '<' | '>'): string {
  const missing = spec.width - Array.from(sign + body).length;
  if (missing <= 0) return sign + body;
  const align = spec.align === '' ? usual : spec.align;
  if (align === '<') return sign + body + spec.fill.repeat(missing);
  if (align === '=') return sign + spec.fill.repeat(missing) + body;
  const left = align === '^' ? Math.floor(missing / 2) : missing;
  return spec.fill.repeat(left) + sign + body + spec.fill.repeat(missing - left);
}
