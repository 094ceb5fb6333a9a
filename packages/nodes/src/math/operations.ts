/** The arithmetic of MathOperationNode, with Python's rules for signs and rounding. */
import { NodeError } from '../errors.ts';
import { roundHalfEven } from '../values/half-even.ts';

export const operationNames = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'floor_divide',
  'power',
  'modulo',
  'min',
  'max',
  'abs',
  'sqrt',
  'floor',
  'ceil',
  'round',
  'sin',
  'cos',
  'tan',
  'log',
  'log10',
  'exp',
  'negate',
] as const;

export type OperationName = (typeof operationNames)[number];

type Operation = (a: number, b: number) => number;

const operations: Readonly<Record<OperationName, Operation>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / nonZero(b),
  floor_divide: (a, b) => Math.round((a - modulo(a, b)) / b),
  power: (a, b) => a ** b,
  modulo,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  abs: (a) => Math.abs(a),
  sqrt: (a) => Math.sqrt(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: (a) => roundHalfEven(a, 0),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tan: (a) => Math.tan(a),
  log: (a, b) => (b === 0 ? Math.log(a) : logarithm(a, b)),
  log10: (a) => Math.log10(a),
  exp: (a) => Math.exp(a),
  negate: (a) => -a,
};

/** Other spellings. */
export const operationSynonyms: Readonly<Record<string, OperationName>> = {
  '+': 'add',
  plus: 'add',
  sum: 'add',
  '-': 'subtract',
  minus: 'subtract',
  sub: 'subtract',
  '*': 'multiply',
  '×': 'multiply',
  times: 'multiply',
  mul: 'multiply',
  '/': 'divide',
  '÷': 'divide',
  div: 'divide',
  '//': 'floor_divide',
  '**': 'power',
  '^': 'power',
  pow: 'power',
  '%': 'modulo',
  mod: 'modulo',
  absolute: 'abs',
  ceiling: 'ceil',
  ln: 'log',
  neg: 'negate',
};

/** @throws NodeError `DIVISION_BY_ZERO`, or `MATH_DOMAIN` when the result is no finite number */
export function calculate(name: OperationName, a: number, b: number): number {
  const result = operations[name](a, b);
  if (!Number.isFinite(result)) {
    throw new NodeError(`${name} of a=${a}, b=${b} has no finite result`, { code: 'MATH_DOMAIN' });
  }
  return Object.is(result, -0) ? 0 : result;
}

/** The remainder with the sign of the divisor. */
function modulo(a: number, b: number): number {
  const remainder = a % nonZero(b);
  return remainder !== 0 && remainder < 0 !== b < 0 ? remainder + b : remainder;
}

function logarithm(a: number, base: number): number {
  if (base === 10) return Math.log10(a);
  return base === 2 ? Math.log2(a) : Math.log(a) / Math.log(base);
}

function nonZero(divisor: number): number {
  if (divisor !== 0) return divisor;
  throw new NodeError('Division by zero: b is 0', { code: 'DIVISION_BY_ZERO', errorType: 'ZeroDivisionError' });
}
