/**
 * Finds a browser to drive, in this order: the one that was named, an installed one (Chrome, Edge, Chromium),
 * one that Playwright installed, the one bundled in `@sparticuz/chromium` if that package is there.
 */
import { homedir } from 'node:os';
import { invalidArgument, NodeError } from '../errors.ts';
import { type BundledOutcome, unpackBundledChromium } from './bundled-chromium.ts';
import { isRunnable, usualPlaces } from './installed-browsers.ts';
import { requireSearchOptions } from './require-options.ts';

export type BrowserType = 'chromium' | 'firefox' | 'webkit';

export interface BrowserChoice {
  /** For people: `Google Chrome`. */
  readonly name: string;
  readonly executablePath: string;
  readonly origin: 'given' | 'installed' | 'playwright' | 'bundled';
  /** True for a build that has no windows at all. */
  readonly headlessOnly: boolean;
}

export interface FindBrowserOptions {
  /** A browser of the Chromium family to use and no other; for the robot this is `CASARE_BROWSER_PATH`. */
  readonly executablePath?: string | undefined;
  /** Default `chromium`. Firefox and WebKit are only ever found where Playwright installed its own builds. */
  readonly browserType?: BrowserType;
  /** Only this release of an installed browser: `chrome`, `msedge`, `chromium`, `chrome-beta`, ... */
  readonly channel?: string;
  /** Folder that the bundled Chromium (about 210 MB) is unpacked to, once. Default: a private one in the temporary folder. */
  readonly cacheDir?: string | undefined;
}

/** A search that found nothing says where it looked in vain. */
export type BrowserSearch =
  | { readonly choice: BrowserChoice }
  | { readonly choice: null; readonly reasons: readonly string[] };

export type SearchBrowser = (options: FindBrowserOptions) => Promise<BrowserSearch>;

/**
 * The browser that the nodes would drive, or null when there is none on this machine.
 *
 * @throws {NodeError} BROWSER_NOT_FOUND when `executablePath` names something that cannot be started.
 * @example
 * const browser = await findBrowser();
 * if (browser === null) process.stdout.write('No browser here.\n');
 */
export async function findBrowser(options: FindBrowserOptions = {}): Promise<BrowserChoice | null> {
  return (await searchBrowser(options)).choice;
}

const browserTypes: readonly BrowserType[] = ['chromium', 'firefox', 'webkit'];

/**
 * As `findBrowser`, with the reasons why nothing was found.
 *
 * @throws NodeError `INVALID_ARGUMENT` naming the option that is of another kind
 */
export async function searchBrowser(options: FindBrowserOptions): Promise<BrowserSearch> {
  requireSearchOptions(options);
  const { browserType = 'chromium', channel = '', executablePath = '' } = options;
  if (!browserTypes.includes(browserType))
    throw invalidArgument(`browserType must be one of ${browserTypes.join(', ')}`);
  if (browserType !== 'chromium') return (await ownBuild(browserType)) ?? nothing(`no ${browserType} of Playwright`);
  if (executablePath !== '') return given(executablePath);
  const installed = findInstalled(channel);
  if (installed !== undefined) return { choice: installed };
  if (channel !== '') return nothing(`no browser of the channel "${channel}" in its usual places`);
  const own = await ownBuild('chromium');
  if (own !== undefined) return own;
  return fromBundle(await unpackBundledChromium({ cacheDir: options.cacheDir }));
}

/** The error for a search in vain: an operator has to do something about it. */
export function browserNotFound(browserType: BrowserType, reasons: readonly string[]): NodeError {
  const remedy =
    browserType === 'chromium'
      ? 'Install Google Chrome, Microsoft Edge or Chromium, or set CASARE_BROWSER_PATH to the program of one.'
      : `Install it with "npx playwright install ${browserType}", or use browser_type "chromium".`;
  return new NodeError(`No ${browserType} browser was found on this machine (${reasons.join('; ')}). ${remedy}`, {
    code: 'BROWSER_NOT_FOUND',
  });
}

const nothing = (reason: string): BrowserSearch => ({ choice: null, reasons: [reason] });

function given(executablePath: string): BrowserSearch {
  if (!isRunnable(executablePath)) {
    throw new NodeError(
      `The browser that is set (CASARE_BROWSER_PATH), "${executablePath}", is not a program that can be started.`,
      { code: 'BROWSER_NOT_FOUND' },
    );
  }
  return {
    choice: {
      name: 'the configured browser',
      executablePath,
      origin: 'given',
      headlessOnly: /headless[-_]shell/i.test(executablePath),
    },
  };
}

function findInstalled(channel: string): BrowserChoice | undefined {
  for (const { channel: offered, name, path } of usualPlaces(process.platform, homedir())) {
    if ((channel === '' || channel === offered) && isRunnable(path)) {
      return { name, executablePath: path, origin: 'installed', headlessOnly: false };
    }
  }
  return undefined;
}

/** The build that `npx playwright install` put in Playwright's own folder, if it did. */
async function ownBuild(browserType: BrowserType): Promise<BrowserSearch | undefined> {
  const playwright = await import('playwright-core');
  const executablePath = playwright[browserType].executablePath();
  if (executablePath === '' || !isRunnable(executablePath)) return undefined;
  const name = { chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKit' }[browserType];
  return { choice: { name: `${name} of Playwright`, executablePath, origin: 'playwright', headlessOnly: false } };
}

function fromBundle(outcome: BundledOutcome): BrowserSearch {
  if (outcome.status === 'unavailable') {
    return { choice: null, reasons: ['none is installed in the usual places', outcome.reason] };
  }
  const { executablePath } = outcome;
  return { choice: { name: 'the bundled Chromium', executablePath, origin: 'bundled', headlessOnly: true } };
}
