/** Nodes on a running browser as a whole: closing it, opening one more tab. */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { anything, flag, integer, text } from '../params/index.ts';
import { abortable } from './abortable.ts';
import type { BrowserSession } from './browser-session.ts';
import { translateBrowserError } from './error-rules.ts';
import { bringBackPage, notePage, registerPage } from './open-page.ts';
import { openUrl } from './open-url.ts';
import { failureShotParams, ownLimitMs, pageParams, retryParams, waitUntil } from './page-params.ts';
import { completeUrl } from './page-url.ts';
import type { JsonValue, NodeContext, NodeType } from './ports.ts';

/** Closing what is closed already is no failure: the result is the same. */
export const closeBrowserNode: NodeType = defineNode({
  type: 'CloseBrowserNode',
  aliases: ['BrowserCloseNode'],
  category: 'browser',
  description: 'Closes a browser with all its pages; without a connected browser, the newest one.',
  params: z.object({
    ...retryParams,
    browser: anything(),
    timeout: integer({ fallback: 30_000, min: 0 }),
    force_close: flag(false),
  }),
  outputs: [],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: () => 'idempotent',
  async run(ctx) {
    const { browser } = ctx.params;
    // What a restart has closed already is not opened again to be closed.
    const session = ctx.resources.get<BrowserSession>('browser', isGiven(browser) ? browser : undefined);
    if (session === undefined) {
      if (await ctx.resources.close('browser', isGiven(browser) ? browser : undefined)) return {};
      ctx.log.log('warning', 'There is no open browser to close.');
      return {};
    }
    for (const page of session.pageReferences) await ctx.resources.close('page', page);
    await abortable(ctx.resources.close('browser', isGiven(browser) ? browser : undefined), ctx.signal);
    return {};
  },
});

export const newTabNode: NodeType = defineNode({
  type: 'NewTabNode',
  category: 'browser',
  description: 'Opens one more tab, which becomes the page that later nodes work on.',
  params: z.object({
    ...pageParams,
    ...failureShotParams,
    browser: anything(),
    tab_name: text('main'),
    url: text(''),
    wait_until: waitUntil,
  }),
  outputs: ['page'],
  outputsFrom: 'world',
  timeoutMs: ownLimitMs,
  effect: ({ url }) => (url === '' ? 'pure' : 'idempotent'),
  async run(ctx) {
    const url = ctx.params.url.trim() === '' ? null : completeUrl(ctx.params.url);
    const { tab_name: name, timeout, wait_until: waitUntil } = ctx.params;
    const session = await sessionOf(ctx, ctx.params.browser);
    const context = session?.context;
    if (session === undefined || context === undefined) throw noBrowser(ctx.params.browser);
    try {
      const page = await abortable(context.newPage(), ctx.signal);
      const open = registerPage(ctx, session, page, name === '' ? undefined : name);
      if (url !== null) await openUrl({ ctx, session, page }, url, { waitUntil, timeout, signal: ctx.signal });
      await notePage(ctx, open);
      return { outputs: { page: open.reference } };
    } catch (error) {
      ctx.signal.throwIfAborted();
      const what = { action: 'open a tab', effect: 'idempotent', timeoutMs: timeout } as const;
      throw translateBrowserError(error, url === null ? what : { ...what, url });
    }
  },
  async restore(lost, ctx) {
    for (const tab of lost) {
      const session = await ctx.resources.find<BrowserSession>('browser', tab.evidence.browser ?? null);
      const context = session?.context;
      if (session === undefined || context === undefined) throw noBrowser(tab.evidence.browser ?? null);
      await bringBackPage(ctx, session, await abortable(context.newPage(), ctx.signal), tab);
    }
  },
});

function sessionOf(ctx: NodeContext, browser: JsonValue): Promise<BrowserSession | undefined> {
  return ctx.resources.find<BrowserSession>('browser', isGiven(browser) ? browser : undefined);
}

function isGiven(reference: JsonValue): boolean {
  return reference !== null && reference !== '';
}

function noBrowser(reference: JsonValue): NodeError {
  return isGiven(reference)
    ? new NodeError(
        'The connected browser is gone: it was closed, or the robot was restarted, which an open browser does not outlive.',
        { code: 'PAGE_LOST', errorType: 'Error' },
      )
    : new NodeError('No browser is open: put a LaunchBrowserNode before this node.', {
        code: 'NO_PAGE',
        errorType: 'Error',
      });
}
