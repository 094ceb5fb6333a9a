/** Nodes that load pages: open a URL, go back and forward, reload, wait for a page to be loaded. */

import type { Page } from 'playwright-core';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { filledText, flag, text } from '../params/index.ts';
import { abortable } from './abortable.ts';
import { openUrl } from './open-url.ts';
import { onPage } from './page-action.ts';
import { failureShotParams, type LoadState, ownLimitMs, pageParams, waitUntil } from './page-params.ts';
import { completeUrl, showUrl } from './page-url.ts';
import type { NodeType } from './ports.ts';

export const goToUrlNode: NodeType = defineNode({
  type: 'GoToURLNode',
  aliases: ['BrowserNavigateNode'],
  category: 'browser',
  description: 'Opens a URL in the page; https:// is assumed when it has no scheme.',
  params: z.object({
    ...pageParams,
    ...failureShotParams,
    url: filledText(),
    wait_until: waitUntil,
    referer: text(''),
    ignore_https_errors: flag(false),
  }),
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'idempotent',
  async run(ctx) {
    const { referer, wait_until: waitUntil, ignore_https_errors: ignoreHttpsErrors } = ctx.params;
    const url = completeUrl(ctx.params.url);
    const what = { action: 'open the page', effect: 'idempotent', url } as const;
    const { open, value: response } = await onPage(ctx, what, async (page, limits, { session }) => {
      if (ignoreHttpsErrors) await abortable(ignoreCertificates(page), limits.signal);
      return openUrl({ ctx, session, page }, url, { ...limits, waitUntil, ...(referer === '' ? {} : { referer }) });
    });
    const status = response?.status() ?? 0;
    if (status >= 400) ctx.log.log('warning', `${showUrl(url)} answered with HTTP status ${status}.`, { status });
    return { outputs: { page: open.reference } };
  },
});

/** Chromium alone can be told so for one page; elsewhere it is a matter of LaunchBrowserNode. */
async function ignoreCertificates(page: Page): Promise<void> {
  if (page.context().browser()?.browserType().name() !== 'chromium') return;
  const session = await page.context().newCDPSession(page);
  await session.send('Security.setIgnoreCertificateErrors', { ignore: true });
}

const historyParams = z.object({ ...pageParams, wait_until: waitUntil });

/** Going back twice is not going back once: none of these is repeated blindly. */
export const goBackNode: NodeType = defineNode({
  type: 'GoBackNode',
  category: 'browser',
  description: 'Goes back one page in the history.',
  params: historyParams,
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'effect',
  async run(ctx) {
    const { wait_until: waitUntil } = ctx.params;
    const what = { action: 'go back', effect: 'effect' } as const;
    const { open } = await onPage(ctx, what, (page, limits) => page.goBack({ ...limits, waitUntil }));
    return { outputs: { page: open.reference } };
  },
});

export const goForwardNode: NodeType = defineNode({
  type: 'GoForwardNode',
  category: 'browser',
  description: 'Goes forward one page in the history.',
  params: historyParams,
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'effect',
  async run(ctx) {
    const { wait_until: waitUntil } = ctx.params;
    const what = { action: 'go forward', effect: 'effect' } as const;
    const { open } = await onPage(ctx, what, (page, limits) => page.goForward({ ...limits, waitUntil }));
    return { outputs: { page: open.reference } };
  },
});

/** Reloading may send a form once more. */
export const refreshPageNode: NodeType = defineNode({
  type: 'RefreshPageNode',
  category: 'browser',
  description: 'Loads the page again.',
  params: historyParams,
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'effect',
  async run(ctx) {
    const { wait_until: waitUntil } = ctx.params;
    const what = { action: 'reload', effect: 'effect' } as const;
    const { open } = await onPage(ctx, what, (page, limits) => page.reload({ ...limits, waitUntil }));
    return { outputs: { page: open.reference } };
  },
});

export const waitForNavigationNode: NodeType = defineNode({
  type: 'WaitForNavigationNode',
  category: 'browser',
  description: 'Waits until the page has reached a state of loading.',
  params: z.object({ ...pageParams, ...failureShotParams, wait_until: waitUntil }),
  outputs: ['page'],
  outputsFrom: 'world',
  unbounded: true,
  timeoutMs: ownLimitMs,
  effect: () => 'pure',
  async run(ctx) {
    const state = loadStateOf(ctx.params.wait_until);
    const what = { action: 'wait for the page', effect: 'pure' } as const;
    const { open } = await onPage(ctx, what, (page, limits) => page.waitForLoadState(state, limits));
    return { outputs: { page: open.reference } };
  },
});

/** A page that is there has been committed already; the next state to wait for is its document. */
function loadStateOf(state: LoadState): Exclude<LoadState, 'commit'> {
  return state === 'commit' ? 'domcontentloaded' : state;
}
