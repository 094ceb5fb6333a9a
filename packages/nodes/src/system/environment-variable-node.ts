/**
 * EnvironmentVariableNode: reads the environment that the job's programs get, and sets variables for those that the
 * job starts from then on; nothing outside of the job sees them.
 */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { choice, filledText, text } from '../params/index.ts';
import type { NodeType } from '../ports.ts';
import {
  ENVIRONMENT_VARIABLE,
  inheritedEnvironment,
  isLoadingVariable,
  isPrivateVariable,
  jobEnvironment,
} from '../processes/child-environment.ts';

export const environmentVariableNode: NodeType = defineNode({
  type: 'EnvironmentVariableNode',
  category: 'system',
  description: "Reads an environment variable, or sets one for the job's own programs.",
  params: z.object({
    action: choice(['get', 'set'], 'get'),
    var_name: filledText(),
    value: text(''),
    scope: choice(['process', 'user', 'system'], 'process'),
  }),
  outputs: ['result_value', 'exists', 'success'],
  effect: () => 'pure',
  async run(ctx) {
    const { action, var_name: name, value, scope } = ctx.params;
    if (isPrivateVariable(name)) {
      throw new NodeError(`${name} belongs to the robot: use a secret, {{$secret:id}}, for what a workflow may know`, {
        code: 'ENVIRONMENT_PRIVATE',
        errorType: 'PermissionError',
      });
    }
    const own = jobEnvironment(ctx);
    if (action === 'get') {
      const all: Readonly<Record<string, string>> = { ...inheritedEnvironment(), ...own };
      const found = Object.hasOwn(all, name) ? all[name] : undefined;
      return { outputs: { result_value: found ?? '', exists: found !== undefined, success: true } };
    }
    if (scope !== 'process') {
      throw new NodeError(`scope "${scope}" cannot be set: a job changes nothing outside of itself; use "process"`, {
        code: 'ENVIRONMENT_SCOPE',
      });
    }
    if (/[=\0]/.test(name) || value.includes('\0')) {
      throw new NodeError(`${JSON.stringify(name)} cannot be the name of an environment variable`, {
        code: 'ENVIRONMENT_NAME',
      });
    }
    // Such a variable decides which code a program runs: who may not start any program may not set it.
    if (isLoadingVariable(name) && !ctx.access.areCommandsOpen) ctx.access.requireCommand('*');
    ctx.variables.set(ENVIRONMENT_VARIABLE, { ...own, [name]: value });
    return { outputs: { result_value: value, exists: true, success: true } };
  },
});
