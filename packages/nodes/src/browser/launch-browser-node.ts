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
import { choice, flag, integer, text } from '../params/index.ts';
import { abortable } from './abortable.ts';
import { BrowserSession, type ContextOptions } from './browser-session.ts';
import { translateBrowserError } from './error-rules.ts';
import { type BrowserChoice, browserNotFound, type SearchBrowser } from './find-browser.ts';
import { planLaunch } from './launch-options.ts';
import { type OpenPage, registerPage } from './open-page.ts';
import { openUrl } from './open-url.ts';
import { retryParams } from './page-params.ts';
import { completeUrl } from './page-url.ts';
import type { JsonObject, NodeContext, NodeType } from './ports.ts';

/** What the node needs of the machine; see `BrowserNodesOptions`. */
export interface LaunchMachine {
  readonly search: SearchBrowser;
  readonly hasDisplay: boolean;
  readonly isRoot: boolean;
  readonly tempDir: string | undefined;
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
    effect: ({ url }) => (url === '' ? 'pure' : 'idempotent'),
    async run(ctx) {
      const userDataDir = profileOf(ctx);
      const url = ctx.params.url.trim() === '' ? null : completeUrl(ctx.params.url);
      const { browser_type: browserType, channel } = ctx.params;
      const found = await abortable(machine.search({ browserType, channel }), ctx.signal);
      if (found.choice === null) throw browserNotFound(browserType, found.reasons);
      const launched = await launch(ctx, machine, found.choice, userDataDir);
      const page = await openFirstPage(ctx, launched, url);
      return { outputs: { browser: launched.browser, page: page.reference, window: null } };
    },
  });
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
): Promise<Launched> {
  const facts = { choice: browser, headlessGiven: ctx.given('headless'), hasDisplay: machine.hasDisplay };
  const { context, warnings } = planLaunch(ctx.params, { ...facts, sandbox: !machine.isRoot });
  for (const warning of warnings) ctx.log.log('warning', warning);
  const start = (options: ContextOptions): Promise<Launched> => startSession(ctx, machine, options, userDataDir);
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
): Promise<Launched> {
  ctx.signal.throwIfAborted();
  const session = new BrowserSession({
    browserType: ctx.params.browser_type,
    context,
    userDataDir,
    clock: ctx.clock,
    tempDir: machine.tempDir,
    onUnexpectedClose: () => ctx.log.log('error', 'The browser closed unexpectedly.'),
  });
  const browser = ctx.resources.put('browser', session, () => session.close());
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
      await openUrl(open.page, url, { signal: ctx.signal }, ctx.clock);
      return open;
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw translateBrowserError(error, { action: 'open the page', effect: 'idempotent', url });
    }
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
