/**
 * What to do about errors: OnErrorNode protects a body, ErrorRecoveryNode decides about the error at hand (or, outside
 * of a catch, about those to come), LogErrorNode puts one down in the log.
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { toText } from '../model/value-text.ts';
import type { NodeType } from '../node-contract.ts';
import { anything, flag, integer } from './control-params.ts';
import { defineControl } from './control-type.ts';
import { publishedError } from './published-error.ts';

export const onErrorNode: NodeType = defineControl({
  type: 'OnErrorNode',
  description: 'Runs `protected_body`; an error in it leads to `on_error`. `finally` follows in any case.',
  params: z.object({}),
  exits: ['protected_body', 'on_error', 'finally'],
  outputs: ['error_message', 'error_type', 'error_node', 'stack_trace'],
  run: () => ({ exit: 'protected_body', control: { op: 'open_try' } }),
});

export const recoveryStrategies = ['stop', 'continue', 'retry', 'restart', 'fallback'] as const;

/** Variables by which the strategy for errors to come is kept, as the original names them. */
export const RECOVERY_STRATEGY = '_error_recovery_strategy';
export const RECOVERY_RETRIES = '_error_recovery_max_retries';

export const errorRecoveryNode: NodeType = defineControl({
  type: 'ErrorRecoveryNode',
  description: 'Decides about the error that a catch has taken; elsewhere, about errors that no region takes.',
  params: z.object({ strategy: z.enum(recoveryStrategies).default('stop'), max_retries: integer(3) }),
  exits: ['exec_out', 'fallback'],
  outputs: [],
  run({ params, visit }) {
    const { strategy, max_retries: retries } = params;
    if (strategy === 'restart' || (strategy === 'fallback' && visit.caughtError === null)) {
      throw new NodeError(
        strategy === 'restart'
          ? 'A workflow cannot be restarted from inside: what it has done would be done again.'
          : 'There is no error to fall back from: it stands in no catch body.',
        { code: 'INVALID_INPUT', errorType: 'ValueError' },
      );
    }
    if (visit.caughtError !== null) {
      if (strategy === 'continue' || strategy === 'fallback') {
        return { exit: strategy === 'continue' ? 'exec_out' : 'fallback' };
      }
      return { exit: null, control: { op: 'recover', strategy, max_retries: retries } };
    }
    return {
      exit: 'exec_out',
      variables: { [RECOVERY_STRATEGY]: strategy, [RECOVERY_RETRIES]: retries },
    };
  },
});

const logLevels = ['debug', 'info', 'warning', 'error', 'critical'] as const;

export const logErrorNode: NodeType = defineControl({
  type: 'LogErrorNode',
  description: 'Writes an error to the log as a record; in a catch body, what is not given is taken from its error.',
  params: z.object({
    error_message: anything(),
    error_type: anything(),
    context: anything(),
    level: z.enum(logLevels).default('error'),
    include_stack_trace: flag(false),
  }),
  outputs: ['log_entry'],
  run(ctx) {
    const { error_message, error_type, context, level, include_stack_trace: includesTrace } = ctx.params;
    const caught = ctx.visit.caughtError === null ? null : publishedError(ctx.visit.caughtError);
    const entry: JsonObject = {
      message:
        error_message === undefined || error_message === null ? (caught?.error_message ?? '') : toText(error_message),
      error_type:
        error_type === undefined || error_type === null ? (caught?.error_type ?? 'Error') : toText(error_type),
      level,
      timestamp: new Date(ctx.clock.now()).toISOString(),
      ...(context === undefined || context === null ? {} : { context }),
      ...(includesTrace && caught !== null ? { stack_trace: caught.stack_trace } : {}),
    };
    ctx.log.log(level, `${String(entry.error_type)}: ${String(entry.message)}`, entry);
    return { exit: 'exec_out', outputs: { log_entry: entry } };
  },
});
