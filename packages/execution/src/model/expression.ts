/**
 * Expressions and conditions of workflows: comparison, arithmetic, logic, membership, indexing and a fixed list of
 * pure functions, with Python's rules. Nothing is ever executed as code, and every evaluation is bounded in length,
 * depth, work and the size of what it makes.
 *
 * References are bound: the value of `{{x}}` takes part as a value, whatever it holds. A fault is an error, never
 * false.
 */
import type { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { evaluate } from './expression/evaluate.ts';
import { ExpressionFault, expressionError } from './expression/expression-fault.ts';
import { parseExpression } from './expression/parser.ts';
import { Workload } from './expression/workload.ts';
import type { ReferenceScope } from './reference-path.ts';
import { isFalseText, isTruthy } from './value-text.ts';

/**
 * The value of an expression.
 *
 * @throws NodeError `EXPRESSION_ERROR`, with the place in the text, when it cannot be parsed or evaluated.
 * @example
 * const scope = { lookup: (name) => (name === 'x' ? { found: true, value: 5 } : { found: false }) };
 * evaluateExpression('1 < {{x}} < 10 and x in [4, 5]', scope); // true
 */
export function evaluateExpression(text: string, scope: ReferenceScope): JsonValue {
  return withPlace(text, () => {
    const work = new Workload();
    return evaluate(parseExpression(text), scope, work);
  });
}

/**
 * The truth of a condition: a boolean as it is, a text as an expression, anything else by whether it is empty or 0.
 * The texts `"false"`, `"0"`, `"no"` and `""` are false, `"yes"` is true, and `"{{flag}}"` is that value's truth.
 *
 * @throws NodeError `EXPRESSION_ERROR` when the text cannot be evaluated.
 */
export function evaluateCondition(value: JsonValue, scope: ReferenceScope): boolean {
  if (typeof value !== 'string') return isTruthy(value);
  if (isFalseText(value)) return false;
  return isYes(value) || isTruthy(evaluateExpression(value, scope));
}

/** The fault that keeps a condition from being parsed; undefined when it has none. References are not looked up. */
export function conditionFault(text: string): NodeError | undefined {
  if (isFalseText(text) || isYes(text)) return undefined;
  try {
    parseExpression(text);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionFault) return expressionError(text, error);
    throw error;
  }
}

function isYes(text: string): boolean {
  return text.trim().toLowerCase() === 'yes';
}

function withPlace<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof ExpressionFault ? expressionError(text, error) : error;
  }
}
