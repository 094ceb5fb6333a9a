/** Nodes that look at elements: text, attribute, waiting for one. They leave no trace. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice, filledText, flag, text } from '../params/index.ts';
import { highlight } from './highlight.ts';
import { onElement } from './page-action.ts';
import { elementParams, ownLimitMs } from './page-params.ts';
import type { NodeType } from './ports.ts';

export const extractTextNode: NodeType = defineNode({
  type: 'ExtractTextNode',
  aliases: ['BrowserGetTextNode'],
  category: 'browser',
  description: 'Reads the text of an element, and stores it in a variable.',
  params: z.object({
    ...elementParams,
    variable_name: text('extracted_text'),
    use_inner_text: flag(false),
    strict: flag(false),
    trim_whitespace: flag(true),
  }),
  outputs: ['text'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'pure',
  async run(ctx) {
    const { variable_name: name, use_inner_text: visibleOnly, trim_whitespace: trim } = ctx.params;
    const what = { action: 'read the text of', effect: 'pure' } as const;
    const { value } = await onElement(ctx, what, async (element, limits) =>
      // biome-ignore lint/performance/useDomNodeTextContent: the rendered text is what use_inner_text asks for
      visibleOnly ? element.innerText(limits) : ((await element.textContent(limits)) ?? ''),
    );
    const read = trim ? value.trim() : value;
    if (name !== '') ctx.variables.set(name, read);
    return { outputs: { text: read } };
  },
});

export const getAttributeNode: NodeType = defineNode({
  type: 'GetAttributeNode',
  category: 'browser',
  description: 'Reads an attribute of an element (null when it has none), and stores it in a variable.',
  params: z.object({
    ...elementParams,
    attribute: filledText(),
    variable_name: text('attribute_value'),
    strict: flag(false),
  }),
  outputs: ['value'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'pure',
  async run(ctx) {
    const { attribute, variable_name: name } = ctx.params;
    const what = { action: `read the attribute "${attribute}" of`, effect: 'pure' } as const;
    const { value } = await onElement(ctx, what, (element, limits) => element.getAttribute(attribute, limits));
    if (name !== '') ctx.variables.set(name, value);
    return { outputs: { value } };
  },
});

export const waitForElementNode: NodeType = defineNode({
  type: 'WaitForElementNode',
  category: 'browser',
  description: 'Waits until an element is visible, hidden, attached or detached; fails when that takes too long.',
  params: z.object({
    ...elementParams,
    state: choice(['visible', 'hidden', 'attached', 'detached'], 'visible'),
    strict: flag(false),
    highlight_on_find: flag(false),
  }),
  outputs: ['page', 'found'],
  outputsFrom: 'world',
  unbounded: true,
  timeoutMs: ownLimitMs,
  effect: () => 'pure',
  async run(ctx) {
    const { state, highlight_on_find: show } = ctx.params;
    const what = { action: `wait for ${state}`, effect: 'pure' } as const;
    const { open } = await onElement(ctx, what, async (element, limits) => {
      await element.waitFor({ ...limits, state });
      if (show && (state === 'visible' || state === 'attached')) await highlight(element, limits);
    });
    return { outputs: { page: open.reference, found: true } };
  },
});
