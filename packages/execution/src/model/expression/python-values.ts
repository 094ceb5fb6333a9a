/** Python's rules for values: equality, order, arithmetic, membership, positions and slices. */
import type { JsonValue } from '../../json.ts';
import { stepInto } from '../reference-path.ts';
import { isJsonObject, kindOf } from '../value-text.ts';
import { ExpressionFault } from './expression-fault.ts';
import type { ArithmeticOperator, Comparison } from './syntax-tree.ts';
import { MAX_ITEMS, MAX_TEXT_LENGTH, tooLarge, type Workload } from './workload.ts';

/** A number, or a flag as 0 or 1; undefined for anything else. */
export function asNumber(value: JsonValue): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** Text by characters, not by UTF-16 units. */
export function charactersOf(text: string): readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text.split('');
}

/** Types stay apart (`'5'` is not `5`), but true and false are 1 and 0, as in Python. */
export function isEqual(a: JsonValue, b: JsonValue, work: Workload): boolean {
  work.spend(1);
  const left = asNumber(a);
  if (left !== undefined) return left === asNumber(b);
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item: JsonValue, index) => isEqual(item, b[index], work))
    );
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null, work))
  );
}

/** Below, at or above zero as `a` comes before, with or after `b`. */
export function order(a: JsonValue, b: JsonValue, work: Workload): number {
  work.spend(1);
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return left - right;
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : a < b ? -1 : 1;
  if (Array.isArray(a) && Array.isArray(b)) {
    const apart = a.findIndex((item: JsonValue, index) => index >= b.length || !isEqual(item, b[index], work));
    if (apart === -1) return a.length - b.length;
    return apart >= b.length ? 1 : order(a[apart], b[apart], work);
  }
  throw new ExpressionFault(`${kindOf(a)} and ${kindOf(b)} have no order`);
}

export function compare(operator: Comparison, a: JsonValue, b: JsonValue, work: Workload): boolean {
  switch (operator) {
    case '==':
      return isEqual(a, b, work);
    case '!=':
      return !isEqual(a, b, work);
    case 'is':
      return typeof a === typeof b && isEqual(a, b, work);
    case 'is not':
      return !(typeof a === typeof b && isEqual(a, b, work));
    case 'in':
      return contains(b, a, work);
    case 'not in':
      return !contains(b, a, work);
    case '<':
      return order(a, b, work) < 0;
    case '<=':
      return order(a, b, work) <= 0;
    case '>':
      return order(a, b, work) > 0;
    case '>=':
      return order(a, b, work) >= 0;
  }
}

export function contains(container: JsonValue, item: JsonValue, work: Workload): boolean {
  if (Array.isArray(container)) return container.some((member: JsonValue) => isEqual(member, item, work));
  if (isJsonObject(container)) return typeof item !== 'object' && Object.hasOwn(container, keyText(item));
  if (typeof container === 'string' && typeof item === 'string') return container.includes(item);
  if (typeof container === 'string') throw new ExpressionFault(`${kindOf(item)} cannot be in text`);
  throw new ExpressionFault(`nothing can be in ${kindOf(container)}`);
}

export function arithmetic(operator: ArithmeticOperator, a: JsonValue, b: JsonValue, work: Workload): JsonValue {
  const left = asNumber(a);
  const right = asNumber(b);
  if (left !== undefined && right !== undefined) return finite(calculate(operator, left, right));
  if (operator === '+' && typeof a === 'string' && typeof b === 'string') return work.made(a + b);
  if (operator === '+' && Array.isArray(a) && Array.isArray(b)) {
    if (a.length + b.length > MAX_ITEMS) throw tooLarge();
    return work.made([...a, ...b]);
  }
  if (operator === '*' && right !== undefined) return repeated(a, right, work);
  if (operator === '*' && left !== undefined) return repeated(b, left, work);
  throw new ExpressionFault(`"${operator}" does not work with ${kindOf(a)} and ${kindOf(b)}`);
}

function calculate(operator: ArithmeticOperator, a: number, b: number): number {
  if (b === 0 && (operator === '/' || operator === '//' || operator === '%')) {
    throw new ExpressionFault('a number is divided by zero');
  }
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%': {
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    }
  }
}

export function power(base: JsonValue, exponent: JsonValue): number {
  const [a, b] = [asNumber(base), asNumber(exponent)];
  if (a === undefined || b === undefined) {
    throw new ExpressionFault(`"**" does not work with ${kindOf(base)} and ${kindOf(exponent)}`);
  }
  if (a === 0 && b < 0) throw new ExpressionFault('a number is divided by zero');
  return finite(a ** b);
}

/** JSON has no infinity and no "not a number", so neither is a result. */
export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new ExpressionFault('the result is no number that can be written');
  return value;
}

function repeated(value: JsonValue, times: number, work: Workload): JsonValue {
  const isList = Array.isArray(value);
  if ((!isList && typeof value !== 'string') || !Number.isInteger(times)) {
    throw new ExpressionFault('"*" repeats text and lists, by a whole number');
  }
  const count = Math.max(0, times);
  const limit = isList ? MAX_ITEMS : MAX_TEXT_LENGTH;
  if (value.length > 0 && count > limit / value.length) throw tooLarge();
  if (!isList) return work.made(value.repeat(value.length === 0 ? 0 : count));
  const items = value.length === 0 ? [] : Array.from({ length: count }, () => value).flat(1);
  return work.made(items);
}

export function itemAt(value: JsonValue, index: JsonValue): JsonValue {
  if (isJsonObject(value)) {
    const found = stepInto(value, keyText(index));
    if (found === undefined) throw new ExpressionFault(`the object has no key "${keyText(index).slice(0, 60)}"`);
    return found;
  }
  if (!Array.isArray(value) && typeof value !== 'string') throw new ExpressionFault(`${kindOf(value)} has no items`);
  if (typeof index !== 'number' || !Number.isInteger(index)) {
    throw new ExpressionFault(`an item's position must be a whole number, not ${kindOf(index)}`);
  }
  const items: readonly JsonValue[] = typeof value === 'string' ? charactersOf(value) : value;
  const item = items.at(index);
  if (item === undefined || index < -items.length) throw new ExpressionFault(`there is no item ${index}`);
  return item;
}

type Bound = number | null;

export function sliceOf(value: JsonValue, start: Bound, stop: Bound, step: Bound, work: Workload): JsonValue {
  if (!Array.isArray(value) && typeof value !== 'string') throw new ExpressionFault(`${kindOf(value)} has no items`);
  const items: readonly JsonValue[] = typeof value === 'string' ? charactersOf(value) : value;
  const stride = step ?? 1;
  if (stride === 0) throw new ExpressionFault('a slice cannot have the step 0');
  const [lowest, highest] = stride > 0 ? [0, items.length] : [-1, items.length - 1];
  const clamp = (bound: Bound, fallback: number): number => {
    if (bound === null) return fallback;
    return Math.min(highest, Math.max(lowest, bound < 0 ? bound + items.length : bound));
  };
  const from = clamp(start, stride > 0 ? lowest : highest);
  const to = clamp(stop, stride > 0 ? highest : lowest);
  const picked: JsonValue[] = [];
  for (let at = from; stride > 0 ? at < to : at > to; at += stride) picked.push(items[at] ?? null);
  return work.made(typeof value === 'string' ? picked.join('') : picked);
}

/** Keys of JSON objects are text. */
export function keyText(key: JsonValue): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'object') throw new ExpressionFault(`a key must be text, not ${kindOf(key)}`);
  return String(key);
}
