/** Navigates a page to a URL, as far as the operator's permissions let it. */
import type { Frame, Page, Request, Response } from 'playwright-core';
import { settlesWithin } from './abortable.ts';
import type { BrowserSession } from './browser-session.ts';
import { guardFiles, isFileUrl, requireUrl } from './page-access.ts';
import type { NodeContext } from './ports.ts';

type GotoOptions = NonNullable<Parameters<Page['goto']>[1]>;

export interface PageVisit {
  readonly ctx: Pick<NodeContext, 'access' | 'resolvePath' | 'clock'>;
  readonly session: Pick<BrowserSession, 'guard'>;
  readonly page: Page;
}

const ERROR_PAGE_LIMIT_MS = 1_000;

/**
 * Resolves with the answer that became the page. A failure is reported only when Chromium's error page has taken
 * the place of the page: until then it would break into the next navigation.
 *
 * @throws NodeError `PERMISSION_DENIED`, also when a redirect leads to a forbidden place; Playwright's errors
 */
export async function openUrl(visit: PageVisit, url: string, options: GotoOptions): Promise<Response | null> {
  const { ctx, page } = visit;
  await requireUrl(ctx, url);
  if (isFileUrl(url)) await guardFiles(ctx, page.context());
  const errorPage = Promise.withResolvers<void>();
  let last = url;
  const onNavigated = (frame: Frame): void => {
    if (frame === page.mainFrame() && frame.url().startsWith('chrome-error:')) errorPage.resolve();
  };
  const onRequest = (request: Request): void => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) last = request.url();
  };
  page.on('framenavigated', onNavigated);
  page.on('request', onRequest);
  try {
    return await page.goto(url, options);
  } catch (error) {
    if (bringsErrorPage(error)) await settlesWithin(ERROR_PAGE_LIMIT_MS, ctx.clock, errorPage.promise);
    throw explained(visit, last, error);
  } finally {
    page.off('framenavigated', onNavigated);
    page.off('request', onRequest);
  }
}

function bringsErrorPage(error: unknown): boolean {
  return error instanceof Error && /net::ERR_(?!ABORTED)/.test(error.message);
}

/** What Chromium calls a failure of the guard is no more than that: the guard knows the reason. */
function explained({ ctx, session }: PageVisit, lastUrl: string, error: unknown): unknown {
  const isOfGuard = error instanceof Error && /ERR_SOCKS_CONNECTION|NS_ERROR_(PROXY|CONNECTION)/.test(error.message);
  const failure = isOfGuard && URL.canParse(lastUrl) ? session.guard?.failureOf(new URL(lastUrl)) : undefined;
  if (failure === undefined) return error;
  const { code } = failure as NodeJS.ErrnoException;
  if (code === 'PERMISSION_DENIED') ctx.access.refuse(failure);
  (error as Error).message = (error as Error).message.replaceAll(/ERR_SOCKS_CONNECTION\w*/g, chromiumName(code));
  return error;
}

function chromiumName(code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'ERR_CONNECTION_REFUSED';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'ERR_NAME_NOT_RESOLVED';
    case 'ETIMEDOUT':
      return 'ERR_CONNECTION_TIMED_OUT';
    case 'ECONNRESET':
      return 'ERR_CONNECTION_RESET';
    default:
      return 'ERR_ADDRESS_UNREACHABLE';
  }
}
