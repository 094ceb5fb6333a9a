/**
 * Pages as resources of a job: registering one, and finding the one a node is to work on.
 *
 * A node without a connected page takes the newest page that is still open. Pages live as long as their job's run
 * in this process: after a restart of the robot a reference leads nowhere, and the node says so.
 */
import type { Page } from 'playwright-core';
import { NodeError } from '../errors.ts';
import { settlesWithin } from './abortable.ts';
import type { BrowserSession } from './browser-session.ts';
import { showUrl } from './page-url.ts';
import type { JsonObject, JsonValue, NodeContext } from './ports.ts';

export interface OpenPage {
  readonly page: Page;
  readonly session: BrowserSession;
  /** What data ports carry. */
  readonly reference: JsonObject;
}

type Scope = Pick<NodeContext, 'nodeId' | 'resources' | 'clock'>;

/** A page that does not close in time goes down with its browser. */
const PAGE_GRACE_MS = 1_000;

/** Makes a page known to the job; it is closed with the job at the latest. */
export function registerPage(ctx: Scope, session: BrowserSession, page: Page, name?: string): OpenPage {
  const entry: { -readonly [Key in keyof OpenPage]: OpenPage[Key] } = { page, session, reference: {} };
  const dispose = async (): Promise<void> => {
    if (session.context !== undefined && !page.isClosed()) await settlesWithin(PAGE_GRACE_MS, ctx.clock, page.close());
  };
  entry.reference = { ...ctx.resources.put('page', entry, dispose, name), opened_by: ctx.nodeId };
  session.pageReferences.push(entry.reference);
  return entry;
}

/**
 * The page that a reference names, or the newest open one without a reference.
 *
 * @throws {NodeError} PAGE_LOST, PAGE_CLOSED or NO_PAGE.
 */
export async function findPage(ctx: Scope, reference: JsonValue): Promise<OpenPage> {
  return reference === null || reference === '' ? newestOpenPage(ctx) : referencedPage(ctx, reference);
}

function referencedPage(ctx: Scope, reference: JsonValue): OpenPage {
  const found = ctx.resources.get<OpenPage>('page', reference);
  if (found === undefined) {
    throw new NodeError(
      `The page that ${openerOf(reference)} opened is gone. An open browser does not outlive a restart of the robot ` +
        'or a CloseBrowserNode: the job has to open the page again.',
      { code: 'PAGE_LOST', errorType: 'Error' },
    );
  }
  if (!found.page.isClosed()) return found;
  throw new NodeError(
    `The page that ${openerOf(reference)} opened (last at ${showUrl(found.page.url())}) has been closed.`,
    { code: 'PAGE_CLOSED', errorType: 'Error' },
  );
}

async function newestOpenPage(ctx: Scope): Promise<OpenPage> {
  let closed = 0;
  for (;;) {
    const newest = ctx.resources.get<OpenPage>('page');
    if (newest === undefined) break;
    if (!newest.page.isClosed()) return newest;
    await ctx.resources.close('page', newest.reference);
    closed += 1;
  }
  if (closed > 0) {
    throw new NodeError('Every page that this job opened has been closed.', {
      code: 'PAGE_CLOSED',
      errorType: 'Error',
    });
  }
  throw new NodeError(
    'No browser page is open: put a LaunchBrowserNode before this node. (An open browser does not outlive a restart of the robot.)',
    { code: 'NO_PAGE', errorType: 'Error' },
  );
}

function openerOf(reference: JsonValue): string {
  const opener = (reference as { readonly opened_by?: JsonValue } | null)?.opened_by;
  return typeof opener === 'string' ? `node "${opener}"` : 'an earlier node';
}
