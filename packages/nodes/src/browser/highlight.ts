/** Frames an element for whoever watches; a page that does not let itself be painted on is no reason to fail. */
import type { Locator } from 'playwright-core';
import type { Limits } from './page-action.ts';

const OUTLINE = '3px solid #ff0000';
const SHOWN_MS = 300;

export async function highlight(element: Locator, limits: Limits): Promise<void> {
  await element.waitFor({ state: 'attached', ...limits });
  await element.evaluate(
    (node, { outline, shownMs }) => {
      const { style } = node as unknown as { readonly style: { outline: string } };
      const before = style.outline;
      style.outline = outline;
      setTimeout(() => {
        style.outline = before;
      }, shownMs);
    },
    { outline: OUTLINE, shownMs: SHOWN_MS },
    limits,
  );
}
