/**
 * ForLoopStartNode and its older form ForLoopNode: `body` for each element, then `completed`. What the loop
 * goes over is read once, when it is entered; ForLoopEndNode ends an iteration (loop-end-nodes.ts).
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import type { LoopSource } from './control-op.ts';
import { anything, integer, text } from './control-params.ts';
import { type ControlContext, type ControlResult, defineControl, type OpenLoop } from './control-type.ts';
import { elementAt, sizeOf, sourceOfItems, sourceOfRange } from './loop-source.ts';

/** How a form of the loop names its exits and ports. */
interface Names {
  readonly body: string;
  readonly item: string;
  readonly index: string;
  readonly key?: string;
}

interface RangeParams {
  readonly items: JsonValue | undefined;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const pairedNames: Names = { body: 'body', item: 'current_item', index: 'current_index', key: 'current_key' };
const olderNames: Names = { body: 'loop_body', item: 'item', index: 'index' };

export const forLoopStartNode: NodeType = defineControl({
  type: 'ForLoopStartNode',
  description: 'Runs `body` for each element of a list, an object, a text or a range, then `completed`.',
  params: z.object({
    mode: z.enum(['items', 'range']).optional(),
    items: anything(),
    list_var: text(),
    item_var: text('item'),
    start: integer(0),
    end: integer(10),
    step: integer(1),
    paired_end_id: text(),
  }),
  exits: ['body', 'completed'],
  outputs: ['current_item', 'current_index', 'current_key'],
  run(ctx) {
    const { mode, list_var: listVar, item_var: itemVar } = ctx.params;
    const isOlderRange = mode === undefined && listVar === '' && !ctx.given('items') && ctx.given('end');
    const isRange = mode === 'range' || isOlderRange;
    return enter(isRange ? rangeOf(ctx.params) : itemsOf(ctx, listVar), itemVar.trim(), pairedNames);
  },
  runAgain: (loop) => goOn(loop, pairedNames),
});

export const forLoopNode: NodeType = defineControl({
  type: 'ForLoopNode',
  description: 'The older for loop: `loop_body` for each element of `items` or a range, then `completed`.',
  params: z.object({ items: anything(), start: integer(0), end: integer(10), step: integer(1), item_var: text() }),
  exits: ['loop_body', 'completed'],
  outputs: ['item', 'index'],
  run: (ctx) => enter(ctx.given('items') ? itemsOf(ctx, '') : rangeOf(ctx.params), ctx.params.item_var, olderNames),
  runAgain: (loop) => goOn(loop, olderNames),
});

export function itemsOf(ctx: ControlContext<Pick<RangeParams, 'items'>>, listVar: string): LoopSource {
  const { items } = ctx.params;
  const isEmptyBesideListVar = items === '' && listVar !== '';
  if (items !== undefined && items !== null && !isEmptyBesideListVar) {
    const isUnknownReference = typeof items === 'string' && /^\{\{[^{}]*\}\}$/.test(items.trim());
    if (isUnknownReference) throw noItems(`"items" is ${items}, which nothing has set.`);
    return sourceOfItems(items);
  }
  if (listVar !== '') {
    const value = ctx.variables.get(listVar);
    if (value === undefined || value === null)
      throw noItems(`"list_var" names the variable "${listVar}", which is not set.`);
    return sourceOfItems(value);
  }
  throw noItems(ctx.given('items') ? '"items" is not set.' : 'It needs "items" or "list_var", and has neither.');
}

function rangeOf({ start, end, step }: RangeParams): LoopSource {
  if (step === 0) throw noItems('"step" must not be 0.');
  return sourceOfRange(start, end, step);
}

function noItems(message: string): NodeError {
  return new NodeError(message, { code: 'INVALID_INPUT', errorType: 'ValueError' });
}

function enter(source: LoopSource, itemVar: string, names: Names): ControlResult {
  if (sizeOf(source) === 0) return { exit: 'completed', control: { op: 'close_loop' } };
  const name = itemVar === '' ? null : itemVar;
  return {
    ...iteration({ source, index: 0, itemVar: name }, names),
    control: { op: 'open_loop', source, item_var: name },
  };
}

function goOn(loop: OpenLoop, names: Names): ControlResult {
  const index = loop.index + 1;
  if (index >= sizeOf(loop.source)) return { exit: 'completed', control: { op: 'close_loop' } };
  return { ...iteration({ ...loop, index }, names), control: { op: 'next' } };
}

function iteration({ source, index, itemVar }: OpenLoop, names: Names): ControlResult {
  const { item, key } = elementAt(source, index);
  return {
    exit: names.body,
    outputs: { [names.item]: item, [names.index]: index, ...(names.key === undefined ? {} : { [names.key]: key }) },
    ...(itemVar === null
      ? {}
      : {
          variables: {
            [itemVar]: item,
            [`${itemVar}_index`]: index,
            ...(key === null ? {} : { [`${itemVar}_key`]: key }),
          },
        }),
  };
}
