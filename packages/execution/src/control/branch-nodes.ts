/** Nodes that choose between exits: IfNode and SwitchNode. */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { evaluateExpression } from '../model/expression.ts';
import { toText } from '../model/value-text.ts';
import type { NodeType } from '../node-contract.ts';
import { conditionHolds } from './condition.ts';
import { anything, list, text } from './control-params.ts';
import { type ControlContext, type ControlVisit, defineControl } from './control-type.ts';

export const ifNode: NodeType = defineControl({
  type: 'IfNode',
  description: 'Takes `true` or `false` by a condition.',
  params: z.object({ condition: anything(), expression: text() }),
  rawParams: ['condition', 'expression'],
  exits: ['true', 'false'],
  outputs: [],
  run: (ctx) => ({ exit: conditionHolds(ctx) ? 'true' : 'false' }),
});

const casesParam = list();

export const switchNode: NodeType = defineControl({
  type: 'SwitchNode',
  description: 'Takes the exit of the case that equals the value, or else `default`.',
  params: z.object({ cases: casesParam, value: anything(), expression: text() }),
  rawParams: ['expression'],
  exits: switchExits,
  outputs: [],
  run(ctx) {
    const { cases } = ctx.params;
    const value = switchedValue(ctx);
    const index = cases.findIndex((candidate) => caseText(candidate) === caseText(value));
    return { exit: index < 0 ? 'default' : exitOfCase(cases, index, ctx.visit) };
  },
});

interface SwitchParams {
  readonly value: JsonValue | undefined;
  readonly expression: string;
}

/** A value that turns out to be null is one like any other, unless there is an expression to take its place. */
function switchedValue(ctx: ControlContext<SwitchParams>): JsonValue {
  const { value, expression } = ctx.params;
  if (value !== undefined && value !== null) return value;
  if (expression.trim() !== '') return evaluateExpression(expression, ctx.scope);
  if (value === null && ctx.given('value')) return value;
  throw new NodeError('It needs a "value" or an "expression", and has neither.', {
    code: 'INVALID_INPUT',
    errorType: 'ValueError',
  });
}

/** `default`, and for each case every spelling of its exit: by value and by index. */
export function switchExits(config: JsonObject): readonly string[] {
  const read = casesParam.safeParse(config.cases);
  const cases = read.success ? read.data : [];
  const exits = cases.flatMap((candidate, index) => [...valueExits(candidate), `case_${index}`]);
  return [...new Set(['default', ...exits, 'exec_out'])];
}

/**
 * The designer names exits by value, other files by index. A file goes by index when it connects an index
 * that is no value of any case; then a case that is connected by its value all the same keeps that exit.
 */
function exitOfCase(cases: readonly JsonValue[], index: number, visit: ControlVisit): string {
  const byIndex = `case_${index}`;
  const byValue = valueExits(cases[index] ?? null);
  const connectedValue = byValue.find((exit) => visit.isConnected(exit));
  const allByValue = new Set(cases.flatMap(valueExits));
  const goesByIndex = cases.some((_, at) => visit.isConnected(`case_${at}`) && !allByValue.has(`case_${at}`));
  if (goesByIndex && visit.isConnected(byIndex)) return byIndex;
  return connectedValue ?? byValue[0] ?? byIndex;
}

function valueExits(value: JsonValue): readonly string[] {
  if (typeof value === 'boolean') return value ? ['case_true', 'case_True'] : ['case_false', 'case_False'];
  return [`case_${toText(value)}`];
}

/** Text as it is compared: Python's `True` and JSON's `true` are the same case. */
function caseText(value: JsonValue): string {
  const plain = toText(value);
  return /^(true|false)$/i.test(plain) ? plain.toLowerCase() : plain;
}
