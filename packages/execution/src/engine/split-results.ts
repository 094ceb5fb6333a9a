/** What a workflow sees of the lanes that ran side by side, once they are over. */
import { elementAt } from '../control/loop-source.ts';
import { errorTypeOf } from '../control/published-error.ts';
import type { RunError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Items } from './frames.ts';
import { variablesIn } from './lane-values.ts';
import type { Lane } from './run-state.ts';

/** The names that a parallel loop sets for its body, like a for loop: `item`, `item_index`, `item_key`. */
export function itemVariables(items: Items, index: number): JsonObject {
  const { itemVar } = items;
  if (itemVar === null) return {};
  const { item, key } = elementAt(items.source, index);
  return { [itemVar]: item, [`${itemVar}_index`]: index, ...(key === null ? {} : { [`${itemVar}_key`]: key }) };
}

/** One entry of `results`: what came of an item. `scope`: that of the loop. */
export function itemResult(items: Items, lane: Lane, scope: string): JsonObject {
  const index = lane.origin?.index ?? 0;
  const { item, key } = elementAt(items.source, index);
  const given = new Set(Object.keys(itemVariables(items, index)));
  const error = lane.end.kind === 'failed' ? lane.end.error : lane.passedOver;
  return {
    index,
    item,
    ...(key === null ? {} : { key }),
    success: error === null && lane.end.kind === 'ended',
    variables: Object.fromEntries([...variablesIn(scope, lane.variables)].filter(([name]) => !given.has(name))),
    output: lane.lastOutputs === null ? {} : (lane.outputs.get(lane.lastOutputs) ?? {}),
    ...errorPart(lane, error),
  };
}

function errorPart(lane: Lane, error: RunError | null): JsonObject {
  if (error !== null) return { error: error.message, error_type: errorTypeOf(error), error_code: error.code };
  return lane.end.kind === 'stopped'
    ? { error: 'It was stopped because another item failed.', error_type: 'StoppedError', error_code: 'STOPPED' }
    : {};
}
