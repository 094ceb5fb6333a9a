/** Fills the `{name}` fields of a template, as Python's `str.format` does. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { dict, list, type Param, param, text } from '../params/index.ts';
import type { JsonObject, JsonValue, NodeType } from '../ports.ts';
import { formatText } from './format-text.ts';

export const formatStringNode: NodeType = defineNode({
  type: 'FormatStringNode',
  category: 'data',
  description: 'Fills {name} fields of the template from variables: {total:.2f}, {user.name}, {items[0]}.',
  params: z.object({ template: text(''), variables: fieldValues() }),
  outputs: ['result'],
  effect: () => 'pure',
  async run(ctx) {
    return { outputs: { result: formatText(ctx.params.template, ctx.params.variables) } };
  },
});

/** An object for `{name}` fields; a list serves `{0}` and `{}`. */
function fieldValues(): Param<JsonObject | readonly JsonValue[]> {
  return param<JsonObject | readonly JsonValue[]>((value) => {
    const asList = list().safeParse(value);
    if (asList.success && asList.data.length > 0) return { value: asList.data };
    const asDict = dict().safeParse(value);
    if (asDict.success) return { value: asDict.data };
    return asList.success
      ? { value: asList.data }
      : { problem: asDict.error.issues[0]?.message ?? 'must be an object' };
  });
}
