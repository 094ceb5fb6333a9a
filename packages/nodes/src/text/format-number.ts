/** Numbers in the presentation types of Python's format specifications. */
import { fixedText } from '../values/half-even.ts';
import type { FormatSpec } from './format-spec.ts';

export interface NumberText {
  readonly sign: string;
  readonly digits: string;
}

/** @param invalid makes the error for a type that does not suit the number */
export function numberText(value: number, spec: FormatSpec, invalid: (problem: string) => Error): NumberText {
  const negative = value < 0;
  const digits = grouped(magnitudeText(Math.abs(value), spec, invalid), spec);
  return { sign: negative ? '-' : spec.sign === '-' ? '' : spec.sign, digits };
}

function magnitudeText(value: number, spec: FormatSpec, invalid: (problem: string) => Error): string {
  const precision = spec.precision ?? 6;
  switch (spec.type) {
    case '':
      return spec.precision === null ? String(value) : general(value, spec.precision, spec.alternate);
    case 'f':
    case 'F':
      return fixedText(value, precision);
    case '%':
      return `${fixedText(value * 100, precision)}%`;
    case 'e':
    case 'E':
      return cased(exponential(value, precision), spec.type);
    case 'g':
    case 'G':
    case 'n':
      return cased(general(value, precision, spec.alternate), spec.type);
    default:
      return integerText(value, spec, invalid);
  }
}

const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16, d: 10 };

function integerText(value: number, spec: FormatSpec, invalid: (problem: string) => Error): string {
  if (!Number.isInteger(value)) throw invalid(`needs a whole number, but the value is ${value}`);
  if (spec.precision !== null) throw invalid('has decimals, but its type is for whole numbers');
  if (spec.type === 'c') {
    if (value > 0x10ffff) throw invalid(`needs the code of a character, but the value is ${value}`);
    return String.fromCodePoint(value);
  }
  const text = BigInt(value).toString(RADIX[spec.type] ?? 10);
  const prefixed = spec.alternate && spec.type !== 'd' ? `0${spec.type}${text}` : text;
  return spec.type === 'X' ? prefixed.toUpperCase() : prefixed;
}

/** `1.5e+06`: Python writes at least two digits of exponent. */
function exponential(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The shorter of fixed and exponential notation, with `precision` significant digits. */
function general(value: number, precision: number, keepZeros: boolean): string {
  const significant = Math.max(precision, 1);
  const exponent = value === 0 ? 0 : Number(value.toExponential(significant - 1).split('e')[1]);
  const fixed = exponent >= -4 && exponent < significant;
  const text = fixed ? fixedText(value, significant - 1 - exponent) : exponential(value, significant - 1);
  if (keepZeros) return text;
  return text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
}

function cased(text: string, type: string): string {
  return type === 'E' || type === 'G' ? text.toUpperCase() : text;
}

function grouped(text: string, spec: FormatSpec): string {
  if (spec.grouping === '') return text;
  const size = 'boxX'.includes(spec.type) && spec.type !== '' ? 4 : 3;
  const [, prefix = '', whole = '', rest = ''] = /^(0[boxX])?([0-9a-fA-F]+)(.*)$/s.exec(text) ?? [];
  const every = new RegExp(`\\B(?=([0-9a-fA-F]{${size}})+$)`, 'g');
  return prefix + whole.replace(every, spec.grouping) + rest;
}
