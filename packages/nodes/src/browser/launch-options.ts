/** Turns the parameters of LaunchBrowserNode into Playwright's options. Pure. */
import type { ContextOptions } from './browser-session.ts';
import type { BrowserChoice, BrowserType } from './find-browser.ts';

export interface LaunchWishes {
  readonly browser_type: BrowserType;
  readonly headless: boolean;
  readonly window_state: 'normal' | 'maximized' | 'minimized';
  readonly slow_mo: number;
  readonly viewport_width: number;
  readonly viewport_height: number;
  readonly user_agent: string;
  readonly locale: string;
  readonly timezone_id: string;
  readonly color_scheme: 'light' | 'dark' | 'no-preference';
  readonly ignore_https_errors: boolean;
  readonly proxy_server: string;
}

/** What the machine allows. */
export interface LaunchFacts {
  readonly choice: BrowserChoice;
  /** Whether the workflow says anything about `headless`; the designer's default counts for nothing. */
  readonly headlessGiven: boolean;
  readonly hasDisplay: boolean;
  /** Chromium refuses its sandbox to root. */
  readonly sandbox: boolean;
}

export interface LaunchPlan {
  readonly context: ContextOptions;
  readonly warnings: readonly string[];
}

/** Quiet, and no talk with anyone but the sites that the workflow opens. */
const CHROMIUM_ARGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-quic',
  '--disable-sync',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--metrics-recording-only',
  '--no-default-browser-check',
  '--no-first-run',
  '--no-pings',
];

export function planLaunch(wishes: LaunchWishes, facts: LaunchFacts): LaunchPlan {
  const canShow = facts.hasDisplay && !facts.choice.headlessOnly;
  const headless = wishes.headless || !canShow;
  const isChromium = wishes.browser_type === 'chromium';
  const maximized = !headless && wishes.window_state === 'maximized';
  const warnings =
    facts.headlessGiven && !wishes.headless && headless
      ? [
          facts.hasDisplay
            ? `${facts.choice.name} has no windows: it runs headless, although headless is set to false.`
            : 'There is no display: the browser runs headless, although headless is set to false.',
        ]
      : [];
  const context: ContextOptions = {
    executablePath: facts.choice.executablePath,
    headless,
    args: isChromium ? [...CHROMIUM_ARGS, ...(maximized ? ['--start-maximized'] : [])] : [],
    chromiumSandbox: facts.sandbox,
    viewport: maximized ? null : { width: wishes.viewport_width, height: wishes.viewport_height },
    colorScheme: wishes.color_scheme,
    ignoreHTTPSErrors: wishes.ignore_https_errors,
    slowMo: wishes.slow_mo,
    timeout: 30_000,
    ...(wishes.user_agent === '' ? {} : { userAgent: wishes.user_agent }),
    ...(wishes.locale === '' ? {} : { locale: wishes.locale }),
    ...(wishes.timezone_id === '' ? {} : { timezoneId: wishes.timezone_id }),
    ...(wishes.proxy_server === '' ? {} : { proxy: readProxy(wishes.proxy_server) }),
  };
  return { context, warnings };
}

/** Browsers take a proxy's credentials apart from its address. */
function readProxy(text: string): NonNullable<ContextOptions['proxy']> {
  const candidate = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(candidate)) return { server: text };
  const { protocol, host, username, password } = new URL(candidate);
  const server = `${protocol}//${host}`;
  if (username === '') return { server };
  return { server, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}
