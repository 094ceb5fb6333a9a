/** ClickElementNode. A click is an effect: after a failure that leaves open whether it happened it is not repeated. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice, flag, integer, number, type Param, param } from '../params/index.ts';
import { highlight } from './highlight.ts';
import { onElement } from './page-action.ts';
import { elementParams, ownLimitMs } from './page-params.ts';
import type { NodeType } from './ports.ts';

const MODIFIERS = ['Alt', 'Control', 'Meta', 'Shift'] as const;
type Modifier = (typeof MODIFIERS)[number];

/** Longest wait, in ms, of a node in fast mode. */
export const FAST_MODE_LIMIT_MS = 5_000;

export const clickElementNode: NodeType = defineNode({
  type: 'ClickElementNode',
  category: 'browser',
  description: 'Clicks the first element that the selector matches, once it is visible, steady and enabled.',
  params: z.object({
    ...elementParams,
    fast_mode: flag(false),
    button: choice(['left', 'right', 'middle'], 'left'),
    click_count: integer({ fallback: 1, min: 1 }),
    delay: integer({ fallback: 0, min: 0 }),
    force: flag(false),
    position_x: number({ fallback: null }),
    position_y: number({ fallback: null }),
    modifiers: modifiers(),
    no_wait_after: flag(false),
    trial: flag(false),
    highlight_before_click: flag(false),
  }),
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: ({ trial }) => (trial ? 'pure' : 'effect'),
  async run(ctx) {
    const { params } = ctx;
    const what = { action: 'click', effect: params.trial ? 'pure' : 'effect' } as const;
    const { open } = await onElement(ctx, what, async (element, limits) => {
      if (params.highlight_before_click) await highlight(element, limits);
      const position = positionOf(params.position_x, params.position_y);
      await element.click({
        signal: limits.signal,
        timeout: params.fast_mode ? fastLimit(limits.timeout) : limits.timeout,
        button: params.button,
        clickCount: params.click_count,
        delay: params.delay,
        force: params.force || params.fast_mode,
        noWaitAfter: params.no_wait_after || params.fast_mode,
        modifiers: params.modifiers,
        trial: params.trial,
        ...(position === null ? {} : { position }),
      });
    });
    return { outputs: { page: open.reference } };
  },
});

export function fastLimit(timeoutMs: number): number {
  return timeoutMs === 0 ? FAST_MODE_LIMIT_MS : Math.min(timeoutMs, FAST_MODE_LIMIT_MS);
}

/** The designer writes 0, 0 for "not set": the middle of the element. */
function positionOf(x: number | null, y: number | null): { x: number; y: number } | null {
  return x === null || y === null || (x === 0 && y === 0) ? null : { x, y };
}

/** A list, or a text such as `Control, Shift`. */
function modifiers(): Param<Modifier[]> {
  return param((value) => {
    const given = Array.isArray(value) ? value : String(value ?? '').split(',');
    const words = given.map((word) => String(word).trim()).filter((word) => word !== '');
    const known = words.map((word) => MODIFIERS.find((name) => name.toLowerCase() === word.toLowerCase()));
    return known.includes(undefined)
      ? { problem: `must be a list of ${MODIFIERS.join(', ')}` }
      : { value: known as Modifier[] };
  });
}
