/** Nodes that choose an option and press a key. Both are effects: pages act on them at once. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { choice, filledText, flag, integer, text } from '../params/index.ts';
import { abortable } from './abortable.ts';
import { onElement, onPage } from './page-action.ts';
import { elementParams, ownLimitMs, pageParams } from './page-params.ts';
import type { NodeType } from './ports.ts';

export const selectDropdownNode: NodeType = defineNode({
  type: 'SelectDropdownNode',
  category: 'browser',
  description: 'Chooses an option of a drop-down list by value, label or index.',
  params: z.object({
    ...elementParams,
    value: filledText(),
    force: flag(false),
    no_wait_after: flag(false),
    strict: flag(false),
    select_by: choice(['value', 'label', 'index'], 'value'),
  }),
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'effect',
  async run(ctx) {
    const { value, force, select_by: by } = ctx.params;
    const option = by === 'index' ? { index: readIndex(value) } : { [by]: value };
    const what = { action: 'choose an option of', effect: 'effect' } as const;
    const { open } = await onElement(ctx, what, (element, limits) =>
      element.selectOption(option, { ...limits, force }),
    );
    return { outputs: { page: open.reference } };
  },
});

function readIndex(value: string): number {
  const index = Number(value);
  if (Number.isInteger(index) && index >= 0) return index;
  throw new NodeError(`With select_by "index", value must be a whole number from 0 on, but is "${value}".`, {
    code: 'INVALID_PARAMETER',
  });
}

export const pressKeyNode: NodeType = defineNode({
  type: 'PressKeyNode',
  category: 'browser',
  description: 'Presses a key, or a combination such as Control+A, on the page.',
  params: z.object({ ...pageParams, key: text('Enter'), delay: integer({ fallback: 0, min: 0 }) }),
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'effect',
  async run(ctx) {
    const { key, delay } = ctx.params;
    const what = { action: 'press a key on', effect: 'effect' } as const;
    const { open } = await onPage(ctx, what, (page, { signal }) =>
      abortable(page.keyboard.press(key, { delay }), signal),
    );
    return { outputs: { page: open.reference } };
  },
});
