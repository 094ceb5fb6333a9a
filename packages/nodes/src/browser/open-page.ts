/**
 * Pages as resources of a job: registering one, and finding the one a node is to work on.
 *
 * A node without a connected page takes the newest page that is still open. A restart of the robot closes every page: the
 * node that asks for one then gets it anew, at its last URL, from a browser with the same options, cookies and storage;
 * history and what was typed are lost.
 */
import type { Page } from 'playwright-core';
import { NodeError } from '../errors.ts';
import { settlesWithin } from './abortable.ts';
import type { BrowserSession } from './browser-session.ts';
import { plain, readStorage, restoreTabStorage } from './browser-state.ts';
import { openUrl } from './open-url.ts';
import { showUrl } from './page-url.ts';
import type { JsonObject, JsonValue, LostResource, NodeContext } from './ports.ts';

export interface OpenPage {
  readonly page: Page;
  readonly session: BrowserSession;
  /** What data ports carry. */
  readonly reference: JsonObject;
  /** What was recorded last of it for a restart, by name, as JSON. */
  readonly recorded: Map<string, string>;
}

type Scope = Pick<NodeContext, 'nodeId' | 'resources' | 'clock'>;

/** A page that does not close in time goes down with its browser. */
const PAGE_GRACE_MS = 1_000;

/** Makes a page known to the job; it is closed with the job at the latest. */
export function registerPage(ctx: Scope, session: BrowserSession, page: Page, name?: string): OpenPage {
  const entry = newEntry(session, page);
  const evidence = { browser: session.reference };
  const reference = ctx.resources.put('page', entry, disposal(ctx, entry), name, evidence);
  entry.reference = { ...reference, opened_by: ctx.nodeId };
  session.pageReferences.push(entry.reference);
  return entry;
}

/** Puts a new page in the place of a lost one and opens the lost one's URL in it. */
export async function bringBackPage(
  ctx: NodeContext,
  session: BrowserSession,
  page: Page,
  lost: LostResource,
): Promise<void> {
  const entry = newEntry(session, page);
  const url = savedUrl(lost);
  for (const [name, value] of Object.entries(lost.sealed)) entry.recorded.set(name, JSON.stringify(value));
  entry.reference = { ...lost.bringBack(entry, disposal(ctx, entry)), opened_by: ctx.nodeId };
  session.pageReferences.push(entry.reference);
  const shown = url === '' ? 'an empty page' : showUrl(url);
  ctx.log.log(
    'warning',
    `The robot was restarted: the page of "${ctx.nodeId}" is opened again at ${shown}, with its cookies and storage, but without its history and what was typed.`,
  );
  if (url === '') return;
  try {
    await restoreTabStorage(page, lost.sealed.storage, ctx.signal);
    await openUrl({ ctx, session, page }, url, { signal: ctx.signal });
  } catch (error) {
    await ctx.resources.close('page', entry.reference);
    throw error;
  }
}

/** Records where a page is and what its browser knows, so that a restart of the robot finds it so. Never rejects. */
export async function notePage(ctx: Pick<NodeContext, 'resources' | 'clock' | 'log'>, open: OpenPage): Promise<void> {
  const { page, session, recorded } = open;
  const { context } = session;
  if (context === undefined || page.isClosed()) return;
  const [cookies, storage] = await Promise.all([context.cookies().catch(() => null), readStorage(page, ctx.clock)]);
  const pieces: [string, JsonValue][] = [['url', restorableUrl(page.url())]];
  if (storage?.session != null) {
    const isEmpty = storage.session.length === 0;
    pieces.push(['storage', isEmpty ? null : plain({ origin: storage.origin, session: storage.session })]);
  }
  const changed = pieces.filter(([name, value]) => JSON.stringify(value) !== (recorded.get(name) ?? 'null'));
  for (const [name, value] of changed) recorded.set(name, JSON.stringify(value));
  if (changed.length > 0) {
    ctx.resources.note(open.reference, { browser: session.reference }, Object.fromEntries(changed));
  }
  if (cookies !== null) noteState(ctx, session, session.recorded.changes(plain(cookies), storage));
}

function noteState(
  ctx: Pick<NodeContext, 'resources' | 'log'>,
  { reference }: BrowserSession,
  { changed, tooLarge }: { readonly changed: JsonObject; readonly tooLarge: readonly string[] },
): void {
  if (reference !== null && Object.keys(changed).length > 0) ctx.resources.note(reference, {}, changed);
  if (tooLarge.length === 0) return;
  ctx.log.log(
    'warning',
    `The browser holds more cookies or storage than is recorded: a restart of the robot would lose part of it (${tooLarge.join(', ')}).`,
  );
}

/** Where the page was; journals of earlier versions have it among the open evidence. */
function savedUrl({ sealed, evidence }: LostResource): string {
  const url = sealed.url ?? evidence.url;
  return typeof url === 'string' ? url : '';
}

/** What a browser can open anew; without a login in the address (I8). */
function restorableUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:', 'file:'].includes(url.protocol)) return '';
  url.username = '';
  url.password = '';
  return url.href;
}

type Entry = { -readonly [Key in keyof OpenPage]: OpenPage[Key] };

function newEntry(session: BrowserSession, page: Page): Entry {
  return { page, session, reference: {}, recorded: new Map([['url', '""']]) };
}

function disposal({ clock }: Pick<Scope, 'clock'>, { page, session }: Entry): () => Promise<void> {
  return async () => {
    if (session.context !== undefined && !page.isClosed()) await settlesWithin(PAGE_GRACE_MS, clock, page.close());
  };
}

/**
 * The page that a reference names, or the newest open one without a reference.
 *
 * @throws {NodeError} PAGE_LOST, PAGE_CLOSED or NO_PAGE.
 */
export async function findPage(ctx: Scope, reference: JsonValue): Promise<OpenPage> {
  return reference === null || reference === '' ? newestOpenPage(ctx) : referencedPage(ctx, reference);
}

async function referencedPage(ctx: Scope, reference: JsonValue): Promise<OpenPage> {
  const found = await ctx.resources.find<OpenPage>('page', reference);
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
    const newest = await ctx.resources.find<OpenPage>('page');
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
