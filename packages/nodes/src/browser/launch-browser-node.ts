/**
 * LaunchBrowserNode: starts a browser of the job's own, with a fresh profile unless one is named.
 *
 * `do_not_close` is accepted and has no effect: an unattended robot leaves no browser behind, so the end of the job
 * always closes it. `window_wait` and `window_state: minimized` have nothing to act on here. Nothing is done to hide
 * that a robot is at work.
 */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { NodeError } from '../errors.ts';
import { requireHost } from '../net/guarded-lookup.ts';
import { choice, flag, integer, text } from '../params/index.ts';
import { abortable } from './abortable.ts';
import { BrowserSession, type ContextOptions } from './browser-session.ts';
import { RecordedState, restoreState } from './browser-state.ts';
import { translateBrowserError } from './error-rules.ts';
import { type BrowserChoice, browserNotFound, type SearchBrowser } from './find-browser.ts';
import { planLaunch } from './launch-options.ts';
import { NetworkGuard } from './network-guard.ts';
import { bringBackPage, notePage, type OpenPage, registerPage } from './open-page.ts';
import { openUrl } from './open-url.ts';
import { retryParams } from './page-params.ts';
import { completeUrl } from './page-url.ts';
import type { JsonObject, JsonValue, LostResource, NodeContext, NodeType } from './ports.ts';

/** What the node needs of the machine; see `BrowserNodesOptions`. */
export interface LaunchMachine {
  readonly search: SearchBrowser;
  readonly hasDisplay: boolean;
  readonly isRoot: boolean;
  readonly tempDir: string | undefined;
  readonly isTraced: boolean;
}

const params = z.object({
  url: text(''),
  browser_type: choice(['chromium', 'firefox', 'webkit'], 'chromium'),
  headless: flag(false),
  window_state: choice(['normal', 'maximized', 'minimized'], 'normal'),
  do_not_close: flag(true),
  profile_mode: choice(
    ['none', 'custom', 'chrome_default', 'chrome_profile_1', 'chrome_profile_2', 'edge_default'],
    'none',
  ),
  slow_mo: integer({ fallback: 0, min: 0 }),
  channel: text(''),
  viewport_width: integer({ fallback: 1_280, min: 1 }),
  viewport_height: integer({ fallback: 720, min: 1 }),
  user_agent: text(''),
  locale: text(''),
  timezone_id: text(''),
  color_scheme: choice(['light', 'dark', 'no-preference'], 'light'),
  ignore_https_errors: flag(false),
  proxy_server: text(''),
  user_data_dir: text(''),
  window_wait: integer({ fallback: 100, min: 0 }),
  ...retryParams,
  retry_interval: integer({ fallback: 2_000, min: 0 }),
});

type LaunchContext = NodeContext<z.output<typeof params>>;

export function launchBrowserNode(machine: LaunchMachine): NodeType {
  return defineNode({
    type: 'LaunchBrowserNode',
    aliases: ['BrowserLaunchNode'],
    category: 'browser',
    description: 'Starts a browser and opens a page; both are closed when the job ends.',
    params,
    outputs: ['browser', 'page', 'window'],
    outputsFrom: 'world',
    effect: ({ url }) => (url === '' ? 'pure' : 'idempotent'),
    async run(ctx) {
      ctx.resources.requireRoom('browser');
      const userDataDir = profileOf(ctx);
      const url = ctx.params.url.trim() === '' ? null : completeUrl(ctx.params.url);
      const { browser_type: browserType, channel } = ctx.params;
      const found = await abortable(machine.search({ browserType, channel }), ctx.signal);
      if (found.choice === null) throw browserNotFound(browserType, found.reasons);
      const register: Register = (session) => ctx.resources.put('browser', session, () => session.close());
      const launched = await launch(ctx, machine, found.choice, userDataDir, register);
      const page = await openFirstPage(ctx, launched, url);
      return { outputs: { browser: launched.browser, page: page.reference, window: null } };
    },
    restore: (lost, ctx) => restoreBrowsers(lost, ctx, machine),
  });
}

/** A browser with the same options for each that was lost, and in it the node's own page at its last URL. */
async function restoreBrowsers(
  lost: readonly LostResource[],
  ctx: LaunchContext,
  machine: LaunchMachine,
): Promise<void> {
  const { browser_type: browserType, channel } = ctx.params;
  const found = await abortable(machine.search({ browserType, channel }), ctx.signal);
  if (found.choice === null) throw browserNotFound(browserType, found.reasons);
  for (const browser of lost.filter(({ kind }) => kind === 'browser')) {
    const register: Register = (session) => browser.bringBack(session, () => session.close());
    const { session, browser: reference } = await launch(ctx, machine, found.choice, profileOf(ctx), register);
    await closingOnFailure(ctx, reference, async () => {
      session.recorded = new RecordedState(browser.sealed);
      await abortable(restoreState(await session.started, browser.sealed, profileOf(ctx) !== null), ctx.signal);
    });
    const page = lost.find(({ kind, evidence }) => kind === 'page' && isSame(evidence.browser, reference));
    if (page === undefined) continue;
    await closingOnFailure(ctx, reference, async () => {
      const context = await session.started;
      const first = context.pages()[0] ?? (await abortable(context.newPage(), ctx.signal));
      await bringBackPage(ctx as NodeContext, session, first, page);
    });
  }
}

function isSame(noted: JsonValue | undefined, reference: JsonObject): boolean {
  return typeof noted === 'object' && noted !== null && (noted as JsonObject).id === reference.id;
}

function profileOf(ctx: LaunchContext): string | null {
  const { profile_mode, user_data_dir } = ctx.params;
  if (profile_mode === 'none') return null;
  if (profile_mode === 'custom' && user_data_dir.trim() !== '') return ctx.resolvePath(user_data_dir);
  const reason =
    profile_mode === 'custom'
      ? 'profile_mode is "custom", but user_data_dir is empty: name a folder for the profile.'
      : `profile_mode "${profile_mode}" cannot be used: browsers refuse to be driven with a user's own profile. Use "custom" and a folder of the robot's own.`;
  throw new NodeError(reason, { code: 'PROFILE_UNSUPPORTED' });
}

/** With a proxy of the workflow's own, the proxy connects: what can be checked here is the proxy. */
async function requireProxy(ctx: LaunchContext, server: string): Promise<void> {
  const url = URL.parse(server.includes('://') ? server : `http://${server}`);
  if (url !== null) await requireHost(ctx.access, url.hostname, Number(url.port) || 80);
}

/** Makes a session known to the job; returns its reference. */
type Register = (session: BrowserSession) => JsonObject;

interface Launched {
  readonly session: BrowserSession;
  readonly browser: JsonObject;
}

/** A machine that denies Chromium its sandbox (many containers do) still gets a browser, with a warning. */
async function launch(
  ctx: LaunchContext,
  machine: LaunchMachine,
  browser: BrowserChoice,
  userDataDir: string | null,
  register: Register,
): Promise<Launched> {
  const facts = { choice: browser, headlessGiven: ctx.given('headless'), hasDisplay: machine.hasDisplay };
  const { context, warnings } = planLaunch(ctx.params, { ...facts, sandbox: !machine.isRoot });
  for (const warning of warnings) ctx.log.log('warning', warning);
  if (context.proxy !== undefined) await requireProxy(ctx, context.proxy.server);
  const start = (options: ContextOptions): Promise<Launched> =>
    startSession(ctx, machine, options, userDataDir, register);
  try {
    return await start(context).catch((error: unknown) => {
      if (context.chromiumSandbox !== true || !/sandbox(ing failed|! )/i.test(String(error))) throw error;
      ctx.log.log('warning', 'This machine denies the browser its sandbox: it runs without one.');
      return start({ ...context, chromiumSandbox: false });
    });
  } catch (error) {
    throw translateBrowserError(error, { action: 'start the browser', effect: 'pure' });
  }
}

/** The session is the job's from its first moment, so that it is closed whatever becomes of this node. */
async function startSession(
  ctx: LaunchContext,
  machine: LaunchMachine,
  context: ContextOptions,
  userDataDir: string | null,
  register: Register,
): Promise<Launched> {
  ctx.signal.throwIfAborted();
  const session = new BrowserSession({
    browserType: ctx.params.browser_type,
    context,
    userDataDir,
    clock: ctx.clock,
    startGuard: guardOf(ctx),
    tempDir: machine.tempDir,
    isTraced: machine.isTraced,
    onUnexpectedClose: () => ctx.log.log('error', 'The browser closed unexpectedly.'),
  });
  const browser = register(session);
  session.reference = browser;
  return closingOnFailure(ctx, browser, async () => {
    await abortable(session.started, ctx.signal);
    return { session, browser };
  });
}

async function openFirstPage(ctx: LaunchContext, launched: Launched, url: string | null): Promise<OpenPage> {
  return closingOnFailure(ctx, launched.browser, async () => {
    const context = await launched.session.started;
    const open = registerPage(
      ctx,
      launched.session,
      context.pages()[0] ?? (await abortable(context.newPage(), ctx.signal)),
    );
    if (url === null) return open;
    try {
      await openUrl({ ctx, session: launched.session, page: open.page }, url, { signal: ctx.signal });
      await notePage(ctx, open);
      return open;
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw translateBrowserError(error, { action: 'open the page', effect: 'idempotent', url });
    }
  });
}

/** Log lines about what pages try are not endless (I7). */
const MOST_REFUSAL_LINES = 20;

/** Null where there is nothing to guard. */
function guardOf(ctx: LaunchContext): (() => Promise<NetworkGuard>) | null {
  if (ctx.access.isNetworkOpen || ctx.params.proxy_server !== '') return null;
  let lines = 0;
  return () =>
    NetworkGuard.start(ctx.access, (refusal) => {
      lines += 1;
      if (lines <= MOST_REFUSAL_LINES)
        ctx.log.log('warning', `A connection of the browser was refused. ${refusal.message}`);
    });
}

/** A failed launch leaves no browser; a cancelled one is closed with the job, which need not be waited for here. */
async function closingOnFailure<T>(ctx: LaunchContext, browser: JsonObject, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!ctx.signal.aborted) await ctx.resources.close('browser', browser);
    throw error;
  }
}
