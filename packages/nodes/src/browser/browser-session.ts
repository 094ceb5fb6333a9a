/**
 * One running browser with a profile of its own: starting -> open -> closed.
 *
 * Closing is the same promise for everyone and never rejects: it waits for a start that is under way, asks the
 * browser to end, kills its process group when it does not, and removes the profile (I9). A browser whose robot is
 * killed ends by itself, because its control pipe breaks; what is left of it is swept by the next launch.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { settlesWithin } from './abortable.ts';
import { RecordedState } from './browser-state.ts';
import type { BrowserType } from './find-browser.ts';
import type { NetworkGuard } from './network-guard.ts';
import { createOwnedFolder, removeFolder, sweepAbandoned } from './owned-folder.ts';
import type { Clock, JsonObject } from './ports.ts';
import { killProcessGroup, processesWithArgument } from './process-tree.ts';
import { RollingTrace } from './rolling-trace.ts';

/** Everything but the folders, as Playwright's `launchPersistentContext` takes it. */
export type ContextOptions = NonNullable<
  Parameters<typeof import('playwright-core')['chromium']['launchPersistentContext']>[1]
>;

export interface SessionOptions {
  readonly browserType: BrowserType;
  readonly context: ContextOptions;
  /** A profile that stays; null for a fresh one that is removed with the session. */
  readonly userDataDir: string | null;
  readonly clock: Clock;
  /** Starts the guard of the browser's connections; null: it connects by itself. */
  readonly startGuard: (() => Promise<NetworkGuard>) | null;
  /** Parent of the session's temporary folder. Default: the system's. */
  readonly tempDir?: string | undefined;
  /** Ms a browser gets to end by itself before it is killed. Default 5,000. */
  readonly closeGraceMs?: number;
  /** Keeps a trace of the last actions. Default false. */
  readonly isTraced?: boolean;
  readonly onUnexpectedClose: () => void;
}

type State =
  | { readonly name: 'starting' }
  | { readonly name: 'open'; readonly context: BrowserContext; readonly pid: number | null }
  | { readonly name: 'closed' };

const PREFIX = 'casare-browser';
const PROCESS_ID_LIMIT_MS = 2_000;

export class BrowserSession {
  readonly #options: SessionOptions;
  readonly #starting: Promise<BrowserContext>;
  #folder: string | null = null;
  #guard: NetworkGuard | null = null;
  #state: State = { name: 'starting' };
  #closing: Promise<void> | null = null;
  #trace: RollingTrace | null = null;
  /** The session's own reference in the job's resource scope. */
  reference: JsonObject | null = null;
  /** What the journal knows of its cookies and storage. */
  recorded: RecordedState = new RecordedState();
  /** References of this session's pages in the job's resource scope, oldest first. */
  readonly pageReferences: JsonObject[] = [];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#starting = this.#start();
    void this.#starting.catch(() => this.close());
  }

  /** Resolves when the browser is up; rejects with Playwright's error. */
  get started(): Promise<BrowserContext> {
    return this.#starting;
  }

  /** The browser's pages and settings; undefined unless it is open. */
  get context(): BrowserContext | undefined {
    return this.#state.name === 'open' && this.#closing === null ? this.#state.context : undefined;
  }

  get guard(): NetworkGuard | null {
    return this.#guard;
  }

  /** Where the trace of the last actions is; null when the browser is not traced. */
  async takeTrace(): Promise<string | null> {
    return this.context === undefined ? null : ((await this.#trace?.take()) ?? null);
  }

  /** To be called before an action; never rejects. */
  async acts(): Promise<void> {
    await this.#trace?.acted().catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<BrowserContext> {
    const { browserType, userDataDir, context: options } = this.#options;
    const parent = this.#options.tempDir ?? tmpdir();
    await mkdir(parent, { recursive: true });
    await sweepAbandoned(parent, PREFIX, killLeftover);
    const folder = await createOwnedFolder(parent, PREFIX);
    this.#folder = folder;
    this.#guard = (await this.#options.startGuard?.()) ?? null;
    const playwright = await import('playwright-core');
    const context = await playwright[browserType].launchPersistentContext(userDataDir ?? profileIn(folder), {
      ...options,
      ...(this.#guard === null ? {} : { proxy: { server: this.#guard.address } }),
      artifactsDir: join(folder, 'artifacts'),
      tracesDir: join(folder, 'traces'),
      handleSIGHUP: false,
      handleSIGINT: false,
      handleSIGTERM: false,
    });
    this.#state = { name: 'open', context, pid: await this.#processIdOf(context) };
    context.on('close', () => this.#onContextClosed());
    if (this.#options.isTraced === true) this.#trace = await RollingTrace.start(context, folder);
    return context;
  }

  /** Null where a browser does not tell, or not in time: then it cannot be killed, only asked to end. */
  async #processIdOf(context: BrowserContext): Promise<number | null> {
    if (this.#options.browserType !== 'chromium') return null;
    let pid: number | null = null;
    const asked = readProcessId(context).then((answer) => {
      pid = answer;
    });
    await settlesWithin(PROCESS_ID_LIMIT_MS, this.#options.clock, asked);
    return pid;
  }

  #onContextClosed(): void {
    if (this.#closing !== null) return;
    this.#options.onUnexpectedClose();
    void this.close();
  }

  /** A profile that cannot be removed now is swept by a later launch. */
  async #close(): Promise<void> {
    await this.#starting.catch(() => undefined);
    const state = this.#state;
    if (state.name === 'open') await this.#end(state.context, state.pid);
    this.#state = { name: 'closed' };
    await this.#guard?.close();
    if (this.#folder !== null) await removeFolder(this.#folder).catch(() => undefined);
  }

  async #end(context: BrowserContext, pid: number | null): Promise<void> {
    const { clock, closeGraceMs = 5_000 } = this.#options;
    const ended = context.close().catch(() => undefined);
    if (!(await settlesWithin(closeGraceMs, clock, ended)) && pid !== null) killProcessGroup(pid);
    await ended;
  }
}

const profileIn = (folder: string): string => join(folder, 'profile');

/** A browser that hung when its robot was killed. */
async function killLeftover(folder: string): Promise<void> {
  for (const pid of await processesWithArgument(`--user-data-dir=${profileIn(folder)}`)) killProcessGroup(pid);
}

async function readProcessId(context: BrowserContext): Promise<number | null> {
  const session = await context.browser()?.newBrowserCDPSession();
  if (session === undefined) return null;
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.find(({ type }) => type === 'browser')?.id ?? null;
}
