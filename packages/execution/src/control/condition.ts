/**
 * The truth of a node's `condition`, or else of its `expression`. A value that came through a connection is
 * data: it is weighed, never evaluated as an expression.
 */
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import { evaluateCondition } from '../model/expression.ts';
import { isTruthy } from '../model/value-text.ts';
import type { ControlContext } from './control-type.ts';

export interface ConditionParams {
  readonly condition: JsonValue | undefined;
  readonly expression: string;
}

/** @throws NodeError `INVALID_INPUT` when neither is given, `EXPRESSION_ERROR` when it cannot be evaluated */
export function conditionHolds(ctx: ControlContext<ConditionParams>): boolean {
  const { condition, expression } = ctx.params;
  if (condition !== undefined && ctx.visit.isFromConnection('condition')) return isTruthy(condition);
  if (condition !== undefined && condition !== '') return evaluateCondition(condition, ctx.scope);
  if (expression.trim() !== '') return evaluateCondition(expression, ctx.scope);
  if (condition === '') return false;
  throw new NodeError('It needs a "condition" or an "expression", and has neither.', {
    code: 'INVALID_INPUT',
    errorType: 'ValueError',
  });
}
