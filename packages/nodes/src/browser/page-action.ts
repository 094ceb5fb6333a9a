/**
 * The one way in which nodes act on a page: find it, do it under the node's time limit and abort signal,
 * turn Playwright's error into ours, and take the picture of the failure if one is asked for.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { BrowserOperation } from './error-meanings.ts';
import { translateBrowserError } from './error-rules.ts';
import { findPage, notePage, type OpenPage } from './open-page.ts';
import { FAILURE_SHOT_LIMIT_MS } from './page-params.ts';
import type { JsonValue, NodeContext } from './ports.ts';
import { normalizeSelector } from './selector.ts';

/** Parameters that decide how an action runs; see page-params.ts. */
export interface ActionParams {
  readonly page: JsonValue;
  readonly timeout: number;
  readonly screenshot_on_fail?: boolean;
  readonly screenshot_path?: string;
}

export interface ElementActionParams extends ActionParams {
  readonly selector: string;
  readonly anchor_config: JsonValue;
  readonly strict?: boolean;
}

/** How long an action may take (0: no limit of its own) and what stops it. Playwright's option names. */
export interface Limits {
  readonly timeout: number;
  readonly signal: AbortSignal;
}

type What = Pick<BrowserOperation, 'action' | 'effect' | 'url'>;

/** Acts on the node's page; resolves with the page and what `act` returned. */
export async function onPage<T>(
  ctx: NodeContext<ActionParams>,
  what: What & { readonly selector?: string },
  act: (page: Page, limits: Limits, open: OpenPage) => Promise<T>,
): Promise<{ readonly open: OpenPage; readonly value: T }> {
  ctx.signal.throwIfAborted();
  const open = await findPage(ctx, ctx.params.page);
  const { timeout } = ctx.params;
  await open.session.acts();
  try {
    const value = await act(open.page, { timeout, signal: ctx.signal }, open);
    await notePage(ctx, open);
    return { open, value };
  } catch (error) {
    ctx.signal.throwIfAborted();
    await notePage(ctx, open);
    const url = what.url ?? open.page.url();
    await photographFailure(ctx, open.page);
    throw translateBrowserError(error, { timeoutMs: timeout, attempt: ctx.attempt, ...what, url });
  }
}

/** Acts on the element that the node's selector names: the first one, or with `strict` the only one. */
export async function onElement<T>(
  ctx: NodeContext<ElementActionParams>,
  what: What,
  act: (element: Locator, limits: Limits, page: Page) => Promise<T>,
): Promise<{ readonly open: OpenPage; readonly value: T }> {
  const selector = normalizeSelector(ctx.params.selector);
  if (hasAnchor(ctx.params.anchor_config)) {
    ctx.log.log('warning', 'anchor_config is not supported: the selector alone decides.', { node_id: ctx.nodeId });
  }
  return onPage(ctx, { ...what, selector: ctx.params.selector.trim() }, (page, limits) => {
    const found = page.locator(selector);
    return act(ctx.params.strict === true ? found : found.first(), limits, page);
  });
}

function hasAnchor(config: JsonValue): boolean {
  return config !== null && config !== '' && config !== '{}' && JSON.stringify(config) !== '{}';
}

/** A picture that cannot be taken must not hide the failure it was to show. */
async function photographFailure(ctx: NodeContext<ActionParams>, page: Page): Promise<void> {
  if (ctx.params.screenshot_on_fail !== true || page.isClosed()) return;
  const wanted = ctx.params.screenshot_path ?? '';
  const path = ctx.resolvePath(wanted === '' ? `failure_${ctx.nodeId}.png` : wanted);
  try {
    const picture = await page.screenshot({ timeout: FAILURE_SHOT_LIMIT_MS, signal: ctx.signal });
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, picture);
    ctx.log.log('info', `The page at the failure: ${path}`, { path });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    ctx.log.log('warning', `No picture of the failure could be taken: ${reason}`, { path });
  }
}
