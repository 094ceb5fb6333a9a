/** Navigates a page to a URL. */
import type { Frame, Page, Response } from 'playwright-core';
import { settlesWithin } from './abortable.ts';
import type { Clock } from './ports.ts';

type GotoOptions = NonNullable<Parameters<Page['goto']>[1]>;

const ERROR_PAGE_LIMIT_MS = 1_000;

/**
 * Resolves with the answer that became the page. A failure is reported only when Chromium's error page has taken
 * the place of the page: until then it would break into the next navigation.
 */
export async function openUrl(page: Page, url: string, options: GotoOptions, clock: Clock): Promise<Response | null> {
  const errorPage = Promise.withResolvers<void>();
  const onNavigated = (frame: Frame): void => {
    if (frame === page.mainFrame() && frame.url().startsWith('chrome-error:')) errorPage.resolve();
  };
  page.on('framenavigated', onNavigated);
  try {
    return await page.goto(url, options);
  } catch (error) {
    if (bringsErrorPage(error)) await settlesWithin(ERROR_PAGE_LIMIT_MS, clock, errorPage.promise);
    throw error;
  } finally {
    page.off('framenavigated', onNavigated);
  }
}

function bringsErrorPage(error: unknown): boolean {
  return error instanceof Error && /net::ERR_(?!ABORTED)/.test(error.message);
}
