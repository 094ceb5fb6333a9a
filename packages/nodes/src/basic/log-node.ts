/** Writes a line to the run's log. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { anything, choice, flag, text } from '../params/index.ts';
import type { JsonObject, NodeType, VariableScope } from '../ports.ts';
import { formatText } from '../text/format-text.ts';
import { textOf } from '../values/text-of.ts';

const levels = ['debug', 'info', 'warning', 'error', 'critical'] as const;

export const logNode: NodeType = defineNode({
  type: 'LogNode',
  category: 'utility',
  description: 'Writes a message, and optional data, to the log of the run.',
  params: z.object({
    message: text(''),
    data: anything(),
    level: choice(levels, 'critical', { warn: 'warning', fatal: 'critical' }),
    include_timestamp: flag(true),
    include_node_id: flag(true),
  }),
  outputs: [],
  effect: () => 'pure',
  async run(ctx) {
    const { message, data, level, include_timestamp, include_node_id } = ctx.params;
    const line = withVariables(message, ctx.variables);
    const fields: JsonObject = {
      ...(include_node_id ? { node_id: ctx.nodeId } : {}),
      ...(include_timestamp ? { logged_at: new Date(ctx.clock.now()).toISOString() } : {}),
    };
    ctx.log.log(level, data === null ? line : `${line} | Data: ${textOf(data)}`, fields);
    return {};
  },
});

/** Fills each `{name}` field that names a variable; any other brace stays as it is. */
function withVariables(message: string, variables: VariableScope): string {
  return message.replaceAll(/(?<!\{)\{[^{}]+\}(?!\})/g, (field) => {
    try {
      return formatText(field, variables.all());
    } catch {
      return field;
    }
  });
}
