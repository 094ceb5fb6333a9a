/** Nodes that read and write workflow variables. */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { asCount, castValue, variableTypes } from './cast-value.ts';
import { anything, number, variableName } from './control-params.ts';
import { defineControl } from './control-type.ts';

export const setVariableNode: NodeType = defineControl({
  type: 'SetVariableNode',
  description: 'Stores `value`, or else `default_value`, under a name.',
  params: z.object({
    variable_name: variableName(),
    value: anything(),
    default_value: anything(),
    variable_type: z.enum(variableTypes).default('String'),
  }),
  outputs: ['value'],
  run(ctx) {
    const { variable_name: name, variable_type: type } = ctx.params;
    const given = ctx.params.value ?? ctx.params.default_value ?? null;
    const cast = castValue(given, type);
    if ('problem' in cast) {
      ctx.log.log('warning', `The value for "${name}" ${cast.problem}; it is kept as it is.`);
    }
    const value = 'value' in cast ? cast.value : given;
    return { exit: 'exec_out', outputs: { value }, variables: { [name]: value } };
  },
});

export const getVariableNode: NodeType = defineControl({
  type: 'GetVariableNode',
  description: 'Reads a variable; `default_value` if there is none.',
  params: z.object({ variable_name: variableName(), default_value: anything() }),
  outputs: ['value'],
  run(ctx) {
    const value = ctx.variables.get(ctx.params.variable_name) ?? ctx.params.default_value ?? null;
    return { exit: 'exec_out', outputs: { value } };
  },
});

export const incrementVariableNode: NodeType = defineControl({
  type: 'IncrementVariableNode',
  description: 'Adds a number to a variable; a variable that does not exist counts as 0.',
  params: z.object({ variable_name: variableName(), increment: number(1) }),
  outputs: ['value'],
  run(ctx) {
    const { variable_name: name, increment } = ctx.params;
    const current = ctx.variables.get(name) ?? 0;
    const count = asCount(current);
    if (count === undefined) {
      throw new NodeError(`The variable "${name}" is not a number, so it cannot be incremented.`, {
        code: 'NOT_A_NUMBER',
        errorType: 'ValueError',
      });
    }
    const value = count + increment;
    return { exit: 'exec_out', outputs: { value }, variables: { [name]: value } };
  },
});
