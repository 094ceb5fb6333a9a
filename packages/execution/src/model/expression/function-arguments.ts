/** What a function of expressions is, and how it reads its arguments. */
import type { JsonValue } from '../../json.ts';
import { kindOf } from '../value-text.ts';
import { ExpressionFault } from './expression-fault.ts';
import { asNumber } from './python-values.ts';
import type { Workload } from './workload.ts';

/** Pure: its result depends on its arguments alone. A method's object is its first argument. */
export interface ExpressionFunction {
  /** The fewest and the most arguments. */
  readonly counts: readonly [number, number];
  run(args: readonly JsonValue[], work: Workload): JsonValue;
}

export function textArgument(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw new ExpressionFault(`text is needed, not ${kindOf(value)}`);
  return value;
}

export function numberArgument(value: JsonValue | undefined): number {
  const number = asNumber(value ?? null);
  if (number === undefined) throw new ExpressionFault(`a number is needed, not ${kindOf(value)}`);
  return number;
}

/** A list; text counts as the list of its characters, an object as the list of its keys. */
export function listArgument(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  if (typeof value === 'string') return Array.from(value);
  if (typeof value === 'object' && value !== null) return Object.keys(value);
  throw new ExpressionFault(`a list is needed, not ${kindOf(value)}`);
}
