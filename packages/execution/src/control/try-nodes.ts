/**
 * Try regions: TryNode runs `try_body` (exit `exec_out` afterwards), CatchNode takes the errors of its try,
 * FinallyNode runs whatever happened. The older TryNode has the exits `success` and `catch` of its own.
 */
import { z } from 'zod';
import type { RunError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { text } from './control-params.ts';
import { defineControl } from './control-type.ts';
import { errorTypeOf, publishedError } from './published-error.ts';

export const tryNode: NodeType = defineControl({
  type: 'TryNode',
  description: 'Runs `try_body`; its errors go to its CatchNode, and its FinallyNode runs in any case.',
  params: z.object({ paired_catch_id: text(), paired_finally_id: text() }),
  exits: ['exec_out', 'try_body', 'success', 'catch'],
  outputs: ['error_message', 'error_type'],
  run: () => ({ exit: 'try_body', control: { op: 'open_try' } }),
});

export const catchNode: NodeType = defineControl({
  type: 'CatchNode',
  description: 'Runs `catch_body` for an error of its try, if `error_types` (empty: any) names it.',
  params: z.object({ paired_try_id: text(), paired_finally_id: text(), error_types: text() }),
  exits: ['catch_body'],
  outputs: ['error_message', 'error_type', 'stack_trace'],
  run({ params, visit }) {
    const error = visit.offeredError;
    if (error === null) return { exit: null, control: { op: 'end_path' } };
    if (!isNamed(error, params.error_types)) return { exit: null, control: { op: 'not_caught' } };
    const published = publishedError(error);
    return { exit: 'catch_body', outputs: published, variables: published, control: { op: 'caught' } };
  },
});

export const finallyNode: NodeType = defineControl({
  type: 'FinallyNode',
  description: 'Runs `finally_body` when its try and catch are over, however they ended.',
  params: z.object({ paired_try_id: text() }),
  exits: ['finally_body'],
  outputs: ['had_error'],
  run({ visit }) {
    const published = { had_error: visit.hadError };
    return { exit: 'finally_body', outputs: published, variables: published, control: { op: 'finally' } };
  },
});

const anyError = new Set(['*', 'Exception', 'Error']);

/** A comma list of error types or codes; Python's and JavaScript's base classes name every error. */
function isNamed(error: RunError, errorTypes: string): boolean {
  const names = errorTypes
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) return true;
  return names.some((name) => anyError.has(name) || name === errorTypeOf(error) || name === error.code);
}
