/** Evaluates a parsed expression: a walk over a fixed list of tree nodes, nothing else. */
import type { JsonValue } from '../../json.ts';
import { lookupReference, type ReferenceScope, referenceText, stepInto } from '../reference-path.ts';
import { resolveAsText } from '../templates.ts';
import { isTruthy, kindOf } from '../value-text.ts';
import { ExpressionFault, placed } from './expression-fault.ts';
import type { ExpressionFunction } from './function-arguments.ts';
import { functions, lengthOf, methodOf } from './functions.ts';
import { arithmetic, asNumber, compare, itemAt, keyText, power, sliceOf } from './python-values.ts';
import type { Expression } from './syntax-tree.ts';
import type { Workload } from './workload.ts';

type Kind<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** @throws ExpressionFault when a value is unknown or does not fit an operation, or when a bound is passed. */
export function evaluate(expression: Expression, scope: ReferenceScope, work: Workload): JsonValue {
  const value = (part: Expression): JsonValue => evaluate(part, scope, work);
  work.spend(1);
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'text':
      return work.made(resolveAsText(expression.text, scope));
    case 'reference':
      return referred(expression, scope);
    case 'member':
      return placed(expression.at, () => member(value(expression.object), expression.name));
    case 'index':
      return placed(expression.at, () => itemAt(value(expression.object), value(expression.index)));
    case 'slice':
      return slice(expression, value, work);
    case 'call':
      return call(functions.get(expression.name), expression.name, expression.args.map(value), expression.at, work);
    case 'method':
      return method(expression, value, work);
    case 'list':
      return work.made(expression.items.map(value));
    case 'object':
      return work.made(Object.fromEntries(expression.entries.map(([key, item]) => [keyText(value(key)), value(item)])));
    case 'not':
      return !isTruthy(value(expression.operand));
    case 'sign':
      return signed(expression, value(expression.operand));
    case 'arithmetic':
      return expression.steps.reduce<JsonValue>(
        (left, { operator, operand, at }) => placed(at, () => arithmetic(operator, left, value(operand), work)),
        value(expression.first),
      );
    case 'power':
      return placed(expression.at, () => power(value(expression.base), value(expression.exponent)));
    case 'comparison':
      return comparison(expression, value, work);
    case 'logic':
      return logic(expression, value);
    case 'choice':
      return value(isTruthy(value(expression.test)) ? expression.whenTrue : expression.whenFalse);
  }
}

type Evaluate = (part: Expression) => JsonValue;

function referred({ reference, at }: Kind<'reference'>, scope: ReferenceScope): JsonValue {
  const found = lookupReference(reference, scope);
  if (found.found) return found.value;
  const last = reference.names.at(-1);
  if (last === 'length' && reference.names.length > 1 && reference.steps.length === 0) {
    const owner = lookupReference({ names: reference.names.slice(0, -1), steps: [] }, scope);
    if (owner.found) return placed(at, () => lengthOf(owner.value));
  }
  throw new ExpressionFault(`"${referenceText(reference).slice(0, 80)}" is unknown`, at);
}

function member(object: JsonValue, name: string): JsonValue {
  const found = Array.isArray(object) ? undefined : stepInto(object, name);
  if (found !== undefined) return found;
  if (name === 'length') return lengthOf(object);
  throw new ExpressionFault(`${kindOf(object)} has no "${name.slice(0, 60)}"`);
}

function slice(expression: Kind<'slice'>, value: Evaluate, work: Workload): JsonValue {
  const bound = (part: Expression | null): number | null => {
    const given = part === null ? null : value(part);
    if (given === null || Number.isInteger(asNumber(given))) return given === null ? null : (asNumber(given) ?? null);
    throw new ExpressionFault(`a slice needs whole numbers, not ${kindOf(given)}`);
  };
  const { object, start, stop, step, at } = expression;
  return placed(at, () => sliceOf(value(object), bound(start), bound(stop), bound(step), work));
}

function method(expression: Kind<'method'>, value: Evaluate, work: Workload): JsonValue {
  const { name, at } = expression;
  const object = value(expression.object);
  const found = methodOf(object, name);
  if (found === undefined) throw new ExpressionFault(`${kindOf(object)} has no method "${name.slice(0, 60)}"`, at);
  return call(found, name, [object, ...expression.args.map(value)], at, work);
}

function call(
  found: ExpressionFunction | undefined,
  name: string,
  args: readonly JsonValue[],
  at: number,
  work: Workload,
): JsonValue {
  if (found === undefined) throw new ExpressionFault(`there is no function "${name.slice(0, 60)}"`, at);
  const [fewest, most] = found.counts;
  if (args.length < fewest || args.length > most) {
    throw new ExpressionFault(`"${name}" is called with the wrong number of values`, at);
  }
  return placed(at, () => work.made(found.run(args, work)));
}

function signed({ operator, at }: Kind<'sign'>, operand: JsonValue): number {
  const number = asNumber(operand);
  if (number === undefined) throw new ExpressionFault(`"${operator}" does not work with ${kindOf(operand)}`, at);
  return operator === '-' ? 0 - number : number;
}

function comparison(expression: Kind<'comparison'>, value: Evaluate, work: Workload): boolean {
  let left = value(expression.first);
  for (const { operator, operand, at } of expression.steps) {
    const right = value(operand);
    if (!placed(at, () => compare(operator, left, right, work))) return false;
    left = right;
  }
  return true;
}

/** As in Python, the result is the operand that decided, and what follows it is not evaluated. */
function logic({ operator, operands }: Kind<'logic'>, value: Evaluate): JsonValue {
  let result: JsonValue = null;
  for (const operand of operands) {
    result = value(operand);
    if (isTruthy(result) === (operator === 'or')) return result;
  }
  return result;
}
