/** The functions and methods that expressions may call: a fixed list of pure ones. */
import type { JsonValue } from '../../json.ts';
import { parseJsonText } from '../json-depth.ts';
import { isJsonObject, isTruthy, kindOf, toText } from '../value-text.ts';
import { ExpressionFault } from './expression-fault.ts';
import { type ExpressionFunction, listArgument, numberArgument, textArgument } from './function-arguments.ts';
import { arithmetic, charactersOf, finite, isEqual, keyText, order } from './python-values.ts';
import { roundHalfEven } from './round-half-even.ts';
import { textFunctions, textMethods } from './text-functions.ts';
import { MAX_ITEMS, tooLarge, type Workload } from './workload.ts';

const NUMBER_TEXT = /^[+-]?(\d+(_\d+)*\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const length: ExpressionFunction = { counts: [1, 1], run: ([value]) => lengthOf(value ?? null) };
const str: ExpressionFunction = { counts: [1, 1], run: ([value]) => pythonText(value ?? null) };
const round: ExpressionFunction = {
  counts: [1, 2],
  run: ([value, digits]) => roundHalfEven(numberArgument(value), digits === undefined ? 0 : numberArgument(digits)),
};

/** Functions by name, as in `len(items)`. */
export const functions: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ...textFunctions,
  ['len', length],
  ['length', length],
  ['str', str],
  ['string', str],
  ['int', { counts: [1, 1], run: ([value]) => Math.trunc(toNumber(value ?? null, true)) }],
  ['float', { counts: [1, 1], run: ([value]) => toNumber(value ?? null, false) }],
  ['bool', { counts: [0, 1], run: ([value]) => isTruthy(value ?? null) }],
  ['list', { counts: [0, 1], run: ([value], work) => work.made([...listArgument(value === undefined ? [] : value)]) }],
  ['tuple', { counts: [0, 1], run: ([value], work) => work.made([...listArgument(value === undefined ? [] : value)]) }],
  ['abs', { counts: [1, 1], run: ([value]) => Math.abs(numberArgument(value)) }],
  ['round', round],
  ['floor', { counts: [1, 1], run: ([value]) => Math.floor(numberArgument(value)) }],
  ['ceil', { counts: [1, 1], run: ([value]) => Math.ceil(numberArgument(value)) }],
  ['min', { counts: [1, 100], run: (args, work) => extreme(args, -1, work) }],
  ['max', { counts: [1, 100], run: (args, work) => extreme(args, 1, work) }],
  ['sum', { counts: [1, 2], run: ([items, start], work) => sum(listArgument(items), start ?? 0, work) }],
  ['any', { counts: [1, 1], run: ([items]) => listArgument(items).some(isTruthy) }],
  ['all', { counts: [1, 1], run: ([items]) => listArgument(items).every(isTruthy) }],
  ['sorted', { counts: [1, 2], run: ([items, reverse], work) => sorted(listArgument(items), reverse, work) }],
  ['reversed', { counts: [1, 1], run: ([items], work) => work.made(listArgument(items).toReversed()) }],
  ['range', { counts: [1, 3], run: (args, work) => range(args.map(numberArgument), work) }],
  ['first', { counts: [1, 1], run: ([items]) => listArgument(items)[0] ?? null }],
  ['last', { counts: [1, 1], run: ([items]) => listArgument(items).at(-1) ?? null }],
  ['coalesce', { counts: [0, 100], run: (args) => args.find((value) => value !== null) ?? null }],
  ['type', { counts: [1, 1], run: ([value]) => pythonType(value ?? null) }],
  ['json', { counts: [1, 1], run: ([value], work) => work.made(JSON.stringify(work.made(value ?? null))) }],
  ['parse_json', { counts: [1, 1], run: ([text], work) => work.made(parsedJson(textArgument(text))) }],
]);

const listMethods: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ['count', { counts: [2, 2], run: ([items, item], work) => countOf(listArgument(items), item ?? null, work) }],
  ['index', { counts: [2, 2], run: ([items, item], work) => positionOf(listArgument(items), item ?? null, work) }],
]);

const objectMethods: ReadonlyMap<string, ExpressionFunction> = new Map<string, ExpressionFunction>([
  ['get', { counts: [2, 3], run: ([object, key, fallback]) => valueAt(object, key, fallback) }],
  ['keys', { counts: [1, 1], run: ([object]) => Object.keys(object as object) }],
  ['values', { counts: [1, 1], run: ([object]) => Object.values(object as Record<string, JsonValue>) }],
  ['items', { counts: [1, 1], run: ([object]) => Object.entries(object as Record<string, JsonValue>) }],
]);

/** The method that a value has under this name; undefined when there is none. */
export function methodOf(value: JsonValue, name: string): ExpressionFunction | undefined {
  if (typeof value === 'string') return textMethods.get(name);
  if (Array.isArray(value)) return listMethods.get(name);
  return isJsonObject(value) ? objectMethods.get(name) : undefined;
}

export function lengthOf(value: JsonValue): number {
  if (typeof value === 'string') return charactersOf(value).length;
  if (Array.isArray(value)) return value.length;
  if (isJsonObject(value)) return Object.keys(value).length;
  throw new ExpressionFault(`${kindOf(value)} has no length`);
}

/** As Python's `str` writes it: `True`, `None`. */
function pythonText(value: JsonValue): string {
  if (value === null) return 'None';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : toText(value);
}

function pythonType(value: JsonValue): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

function toNumber(value: JsonValue, whole: boolean): number {
  if (typeof value !== 'string') return numberArgument(value);
  const text = value.trim();
  const isNumber = NUMBER_TEXT.test(text) && (!whole || /^[+-]?[\d_]+$/.test(text));
  if (!isNumber) throw new ExpressionFault(`the text is no ${whole ? 'whole ' : ''}number`);
  return finite(Number(text.replaceAll('_', '')));
}

function extreme(args: readonly JsonValue[], sign: 1 | -1, work: Workload): JsonValue {
  const items = args.length === 1 ? listArgument(args[0]) : args;
  const [first, ...rest] = items;
  if (first === undefined) throw new ExpressionFault('an empty list has no smallest or largest item');
  return rest.reduce<JsonValue>((best, item) => (order(item, best, work) * sign > 0 ? item : best), first);
}

function sum(items: readonly JsonValue[], start: JsonValue, work: Workload): JsonValue {
  return items.reduce<JsonValue>((total, item) => {
    work.spend(1);
    return arithmetic('+', numberArgument(total), numberArgument(item), work);
  }, start);
}

function sorted(items: readonly JsonValue[], reverse: JsonValue | undefined, work: Workload): JsonValue {
  const list = work.made(items.toSorted((a, b) => order(a, b, work)));
  return isTruthy(reverse ?? false) ? list.toReversed() : list;
}

function range(bounds: readonly number[], work: Workload): JsonValue {
  const [start, stop] = bounds.length === 1 ? [0, bounds[0] ?? 0] : [bounds[0] ?? 0, bounds[1] ?? 0];
  const step = bounds[2] ?? 1;
  if (![start, stop, step].every(Number.isInteger)) throw new ExpressionFault('a range needs whole numbers');
  if (step === 0) throw new ExpressionFault('a range cannot have the step 0');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > MAX_ITEMS) throw tooLarge();
  return work.made(Array.from({ length: count }, (_, index) => start + index * step));
}

function countOf(items: readonly JsonValue[], item: JsonValue, work: Workload): number {
  return items.filter((candidate) => isEqual(candidate, item, work)).length;
}

function positionOf(items: readonly JsonValue[], item: JsonValue, work: Workload): number {
  const position = items.findIndex((candidate) => isEqual(candidate, item, work));
  if (position === -1) throw new ExpressionFault('the item is not in the list');
  return position;
}

function valueAt(object: JsonValue | undefined, key: JsonValue | undefined, fallback: JsonValue = null): JsonValue {
  const name = keyText(key ?? null);
  return isJsonObject(object) && Object.hasOwn(object, name) ? (object[name] ?? null) : fallback;
}

function parsedJson(text: string): JsonValue {
  const value = parseJsonText(text);
  if (value === undefined) throw new ExpressionFault('the text is not JSON');
  return value;
}
