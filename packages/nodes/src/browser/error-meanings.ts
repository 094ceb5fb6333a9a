/**
 * What Playwright's errors mean: a stable code, a category, whether the effect may have happened all the same, and
 * a plain sentence. Tables and pure functions on an error's text (without colour codes).
 */
import { showUrl } from './page-url.ts';
import type { EffectKind, ErrorVerdict } from './ports.ts';

/** What a node was doing when the error came, for the message. */
export interface BrowserOperation {
  /** As it reads after "could not": `click`, `open the page`. */
  readonly action: string;
  readonly effect: EffectKind;
  readonly selector?: string;
  readonly url?: string;
  readonly timeoutMs?: number;
  /** Tries of this step so far, this one included. A missing element is worth one more try, no more. */
  readonly attempt?: number;
}

export interface Meaning {
  readonly code: string;
  readonly category: ErrorVerdict['category'];
  readonly certainty: 'not-done' | 'maybe-done';
  readonly explain: (operation: BrowserOperation, match: RegExpMatchArray) => string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly meaning: Meaning;
}

export interface Understanding {
  readonly meaning: Meaning;
  readonly match: RegExpMatchArray;
}

/** A browser that does not start; there is a meaning for every text. */
export function meaningOfLaunchFailure(text: string): Understanding | undefined {
  return firstMatch(LAUNCH_RULES, text);
}

/** Any failure but a time-out. Takes the text before the call log, because the log quotes the page. */
export function meaningOfFailure(text: string): Understanding | undefined {
  return firstMatch(RULES, text);
}

/** A time-out. The call log tells how far an action got, which decides whether it may have had its effect. */
export function meaningOfTimeout(text: string): Understanding | undefined {
  return firstMatch(TIMEOUT_RULES, text);
}

function firstMatch(rules: readonly Rule[], text: string): Understanding | undefined {
  for (const { pattern, meaning } of rules) {
    const match = text.match(pattern);
    if (match !== null) return { meaning, match };
  }
  return undefined;
}

type RuleRow = readonly [RegExp, string, Meaning['category'], Meaning['certainty'], Meaning['explain']];

const table = (rows: readonly RuleRow[]): readonly Rule[] =>
  rows.map(([pattern, code, category, certainty, explain]) => ({
    pattern,
    meaning: { code, category, certainty, explain },
  }));

export const target = (operation: BrowserOperation): string =>
  operation.selector === undefined ? 'the page' : `"${operation.selector}"`;
export const place = (operation: BrowserOperation): string =>
  operation.url === undefined || operation.url === '' ? 'the page' : showUrl(operation.url);
const waited = (operation: BrowserOperation): string =>
  operation.timeoutMs === undefined ? '' : ` (waited ${operation.timeoutMs} ms)`;

const notFound = (): string =>
  'The browser that was to be started does not exist. Install Google Chrome, Microsoft Edge or Chromium, or set CASARE_BROWSER_PATH to the program of one.';

// biome-ignore format: one row per rule
const LAUNCH_RULES = table([
  [/executable doesn't exist|spawn \S+ ENOENT/i, 'BROWSER_NOT_FOUND', 'permanent', 'not-done', notFound],
  [/error while loading shared libraries: ([^\s:]+)/, 'BROWSER_NOT_RUNNABLE', 'permanent', 'not-done',
    (_, m) => `The browser cannot start on this machine: the library ${m[1]} is missing. Install it, or Google Chrome from its own package.`],
  [/Opening in existing browser session|ProcessSingleton|profile appears to be in use/i, 'PROFILE_IN_USE', 'transient', 'not-done',
    () => 'Another browser is using this profile folder.'],
  [/\[err\] (?:\[[^\]]*\] ?)?([^\n]{1,200})/, 'BROWSER_LAUNCH_FAILED', 'unknown', 'not-done',
    (_, m) => `The browser did not start: ${m[1]}`],
  [/(?:)/, 'BROWSER_LAUNCH_FAILED', 'unknown', 'not-done', () => 'The browser did not start, and did not say why.'],
]);

// biome-ignore format: one row per rule
const RULES = table([
  [/strict mode violation: .* resolved to (\d+) elements/, 'SELECTOR_AMBIGUOUS', 'permanent', 'not-done',
    (o, m) => `${target(o)} matches ${m[1]} elements on ${place(o)}, and this node asks for exactly one.`],
  [/while parsing .*selector|is not a valid (XPath|selector)|Unknown engine|Malformed selector|InvalidSelectorError/i, 'SELECTOR_INVALID', 'permanent', 'not-done',
    (o) => `${target(o)} is not a valid selector.`],
  [/(Target|Page) crashed/, 'PAGE_CRASHED', 'transient', 'maybe-done',
    (o) => `The page crashed while the robot tried to ${o.action}.`],
  [/Target (page, context or browser|closed)|has been closed|(Browser|Connection) closed/i, 'PAGE_CLOSED', 'transient', 'maybe-done',
    (o) => `The page or its browser closed while the robot tried to ${o.action}.`],
  [/(net::ERR_CERT_DATE_INVALID|SEC_ERROR_EXPIRED\w*)/, 'CERTIFICATE_INVALID', 'permanent', 'not-done',
    (o) => `The certificate of ${place(o)} has expired or is not valid yet: check the site, and the clock of this machine.`],
  [/(net::ERR_(?:CERT|SSL)\w*|SEC_ERROR_\w+|SSL_ERROR_\w+)/, 'CERTIFICATE_INVALID', 'permanent', 'not-done',
    (o, m) => `The connection to ${place(o)} is not secure (${m[1]}).`],
  [/invalid URL|ERR_INVALID_URL|ERR_UNKNOWN_URL_SCHEME/i, 'URL_INVALID', 'permanent', 'not-done',
    (o) => `${place(o)} is not a URL that a browser can open.`],
  [/(net::ERR_(?:BLOCKED_BY\w*|UNSAFE_PORT|DISALLOWED_URL_SCHEME|FILE_NOT_FOUND|ACCESS_DENIED|TOO_MANY_REDIRECTS|UNSAFE_REDIRECT|INVALID_RESPONSE))/, 'NAVIGATION_FAILED', 'permanent', 'not-done',
    (o, m) => `${place(o)} could not be opened (${m[1]}).`],
  [/(net::ERR_(?:NAME_NOT_RESOLVED|CONNECTION_\w+|NETWORK_CHANGED|INTERNET_DISCONNECTED|TIMED_OUT|ADDRESS_UNREACHABLE)|NS_ERROR_(?:CONNECTION_REFUSED|UNKNOWN_HOST|NET_TIMEOUT))/, 'NAVIGATION_FAILED', 'transient', 'maybe-done',
    (o, m) => `${place(o)} cannot be reached (${m[1]}).`],
  [/Download is starting|net::ERR_ABORTED|NS_BINDING_ABORTED/, 'NAVIGATION_FAILED', 'unknown', 'maybe-done',
    (o) => `${place(o)} did not become a page: the browser took it as a download, or dropped it.`],
  [/interrupted by another navigation/, 'NAVIGATION_FAILED', 'transient', 'maybe-done',
    (o) => `Another navigation began before ${place(o)} was open.`],
  [/(net::ERR_\w+|NS_ERROR_\w+)/, 'NAVIGATION_FAILED', 'transient', 'maybe-done',
    (o, m) => `${place(o)} could not be opened (${m[1]}).`],
  [/Unknown key: "([^"]{1,40})"/, 'KEY_UNKNOWN', 'permanent', 'not-done', (_, m) => `There is no key "${m[1]}".`],
  [/Element is not an? [^\n]{1,120}|Cannot type text into [^\n]{1,40}|Input of type "?\w+"? cannot be filled|Malformed value/, 'ELEMENT_WRONG_KIND', 'permanent', 'not-done',
    (o, m) => `Could not ${o.action} ${target(o)} on ${place(o)}: ${m[0]}.`],
  [/outside of the viewport|not attached to the DOM|Element is not visible/i, 'ELEMENT_NOT_READY', 'transient', 'not-done',
    (o) => `${target(o)} on ${place(o)} was there, but not visible and steady.`],
]);

// biome-ignore format: one row per rule
const TIMEOUT_RULES = table([
  [/^page\.(?:goto|reload|goBack|goForward|waitForLoadState|waitForURL): /, 'NAVIGATION_TIMEOUT', 'transient', 'maybe-done',
    (o) => `${place(o)} was not loaded in time${waited(o)}.`],
  [/did not find some options/, 'OPTION_NOT_FOUND', 'permanent', 'not-done',
    (o) => `${target(o)} on ${place(o)} has no such option${waited(o)}.`],
  [/performing \w+ action|\w+ action done|scheduled navigations/, 'ACTION_TIMEOUT', 'transient', 'maybe-done',
    (o) => `The robot began to ${o.action} ${target(o)} on ${place(o)}, but it did not end in time${waited(o)}.`],
  [/locator resolved to|attempting \w+ action/, 'ELEMENT_NOT_READY', 'transient', 'not-done',
    (o) => `Could not ${o.action} ${target(o)} on ${place(o)}: the element is there, but it stayed hidden, disabled, covered or in the wrong state${waited(o)}.`],
  [/^locator\./, 'ELEMENT_NOT_FOUND', 'transient', 'not-done',
    (o) => `Nothing on ${place(o)} matches ${target(o)}${waited(o)}.`],
  [/(?:)/, 'BROWSER_TIMEOUT', 'transient', 'maybe-done', (o) => `Could not ${o.action} on ${place(o)} in time${waited(o)}.`],
]);
