/**
 * TypeTextNode. By default the field gets the text as its whole content, which is the same however often it is
 * done: `idempotent`. Text that is added to what is there, and text followed by Enter or Tab, is an `effect`.
 */

import type { Locator } from 'playwright-core';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { flag, integer, text } from '../params/index.ts';
import { fastLimit } from './click-element-node.ts';
import { onElement } from './page-action.ts';
import { elementParams, ownLimitMs } from './page-params.ts';
import type { EffectKind, NodeType } from './ports.ts';

const params = z.object({
  ...elementParams,
  text: text(''),
  fast_mode: flag(false),
  delay: integer({ fallback: 0, min: 0 }),
  clear_first: flag(true),
  press_sequentially: flag(false),
  force: flag(false),
  no_wait_after: flag(false),
  strict: flag(false),
  press_enter_after: flag(false),
  press_tab_after: flag(false),
});

type TypeParams = Readonly<z.output<typeof params>>;

const KEY_PAUSE_MS = 50;

export const typeTextNode: NodeType = defineNode({
  type: 'TypeTextNode',
  category: 'browser',
  description: 'Writes text into a field, replacing what is there unless clear_first is off.',
  params,
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: effectOf,
  async run(ctx) {
    const { fast_mode: fast, force, press_enter_after: enter, press_tab_after: tab } = ctx.params;
    const what = { action: 'type into', effect: effectOf(ctx.params) };
    const { open } = await onElement(ctx, what, async (element, { signal, timeout }) => {
      const limits = { signal, timeout: fast ? fastLimit(timeout) : timeout };
      const options = { ...limits, force: force || fast };
      const pause = keyPause(ctx.params);
      if (pause === null) await element.fill(ctx.params.text, options);
      else {
        if (replaces(ctx.params)) await element.fill('', options);
        else await placeCursorAtEnd(element, limits);
        await element.pressSequentially(ctx.params.text, { ...limits, delay: pause });
      }
      if (enter) await element.press('Enter', limits);
      if (tab) await element.press('Tab', limits);
    });
    return { outputs: { page: open.reference } };
  },
});

function effectOf(given: TypeParams): EffectKind {
  return replaces(given) && !given.press_enter_after && !given.press_tab_after ? 'idempotent' : 'effect';
}

/** Fast mode always sets the whole content at once. */
function replaces(given: TypeParams): boolean {
  return given.clear_first || given.fast_mode;
}

/** Ms between two keys; null when the text is set in one go. */
function keyPause(given: TypeParams): number | null {
  if (given.fast_mode) return null;
  if (given.delay > 0) return given.delay;
  if (given.press_sequentially) return KEY_PAUSE_MS;
  return given.clear_first ? null : 0;
}

/** What is used here of a field in the page. */
interface EditableField {
  readonly tagName: string;
  readonly type: string;
  readonly value: string;
  readonly isContentEditable: boolean;
  readonly ownerDocument: {
    getSelection(): { selectAllChildren(node: unknown): void; collapseToEnd(): void } | null;
  };
  focus(): void;
  setSelectionRange(start: number, end: number): void;
}

/** Where a person would go on writing. */
async function placeCursorAtEnd(element: Locator, limits: { signal: AbortSignal; timeout: number }): Promise<void> {
  await element.evaluate(
    (node) => {
      const field = node as unknown as EditableField;
      field.focus();
      if (field.isContentEditable) {
        const selection = field.ownerDocument.getSelection();
        selection?.selectAllChildren(field);
        selection?.collapseToEnd();
      }
      const hasCursor =
        field.tagName === 'TEXTAREA' || ['text', 'search', 'url', 'tel', 'password'].includes(field.type);
      if (hasCursor) field.setSelectionRange(field.value.length, field.value.length);
    },
    undefined,
    limits,
  );
}
