import { describe, expect, it } from 'vitest';
import { NodeError } from '../errors.ts';
import { classifyBrowserError, translateBrowserError } from './error-rules.ts';

const ESC = String.fromCharCode(27);

function playwrightError(message: string, name = 'Error'): Error {
  return Object.assign(new Error(message), { name });
}

const timeout = (message: string): Error => playwrightError(message, 'TimeoutError');

describe("Playwright's errors", () => {
  it.each([
    [timeout('page.goto: Timeout 300ms exceeded.'), 'NAVIGATION_TIMEOUT', 'transient', true],
    [
      timeout(`locator.click: Timeout 3ms exceeded.\nCall log:\n${ESC}[2m  - waiting for locator('#a')${ESC}[22m`),
      'ELEMENT_NOT_FOUND',
      'transient',
      false,
    ],
    [
      timeout('locator.click: Timeout 3ms exceeded.\nCall log:\n  - locator resolved to <button disabled>'),
      'ELEMENT_NOT_READY',
      'transient',
      false,
    ],
    [
      timeout('locator.click: Timeout 3ms exceeded.\nCall log:\n  - performing click action\n  - click action done'),
      'ACTION_TIMEOUT',
      'transient',
      true,
    ],
    [playwrightError('locator.click: Target crashed \nCall log:'), 'PAGE_CRASHED', 'transient', true],
    [playwrightError('page.goto: Target page, context or browser has been closed'), 'PAGE_CLOSED', 'transient', true],
    [playwrightError('page.goto: net::ERR_CONNECTION_REFUSED at http://a/'), 'NAVIGATION_FAILED', 'transient', true],
    [playwrightError('page.goto: net::ERR_NAME_NOT_RESOLVED at http://a/'), 'NAVIGATION_FAILED', 'transient', true],
    [playwrightError('page.goto: net::ERR_NETWORK_CHANGED at http://a/'), 'NAVIGATION_FAILED', 'transient', true],
    [playwrightError('page.goto: net::ERR_INTERNET_DISCONNECTED at http://a/'), 'NAVIGATION_FAILED', 'transient', true],
    [playwrightError('page.goto: net::ERR_TIMED_OUT at http://a/'), 'NAVIGATION_FAILED', 'transient', true],
    [
      playwrightError('page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://a/'),
      'CERTIFICATE_INVALID',
      'permanent',
      false,
    ],
    [playwrightError('page.goto: net::ERR_CERT_DATE_INVALID at https://a/'), 'CERTIFICATE_INVALID', 'permanent', false],
    [playwrightError('page.goto: net::ERR_INVALID_URL at x'), 'URL_INVALID', 'permanent', false],
    [playwrightError('page.goto: net::ERR_BLOCKED_BY_CLIENT at http://a/'), 'NAVIGATION_FAILED', 'permanent', false],
    [
      playwrightError("locator.click: Error: strict mode violation: locator('p') resolved to 2 elements:"),
      'SELECTOR_AMBIGUOUS',
      'permanent',
      false,
    ],
    [
      playwrightError('locator.click: Unexpected token "#" while parsing css selector "#[bad".'),
      'SELECTOR_INVALID',
      'permanent',
      false,
    ],
    [
      playwrightError(
        "browserType.launchPersistentContext: Failed to launch chromium because executable doesn't exist at /x",
      ),
      'BROWSER_NOT_FOUND',
      'permanent',
      false,
    ],
    [
      playwrightError(
        'browserType.launchPersistentContext: Target page, context or browser has been closed\n[pid=1][err] chromium: error while loading shared libraries: libnss3.so: cannot open',
      ),
      'BROWSER_NOT_RUNNABLE',
      'permanent',
      false,
    ],
    [
      playwrightError('browserType.launchPersistentContext: Target page, context or browser has been closed'),
      'BROWSER_LAUNCH_FAILED',
      'unknown',
      false,
    ],
    [playwrightError('locator.click: Something new'), 'BROWSER_ERROR', 'unknown', true],
  ] as const)('%s is %s', (error, code, category, ambiguous) => {
    expect(classifyBrowserError(error)).toEqual({ code, category, ambiguous });
    expect(classifyBrowserError(new Error('outer', { cause: error }))).toMatchObject({ code });
  });

  it('are told from errors of other origin, which stay what they are', () => {
    const bug = new TypeError('x is not a function');
    expect(classifyBrowserError(bug)).toBeUndefined();
    expect(translateBrowserError(bug, { action: 'click', effect: 'effect' })).toBe(bug);
    const own = new NodeError('own', { code: 'OWN' });
    expect(translateBrowserError(own, { action: 'click', effect: 'effect' })).toBe(own);
  });

  it('are not judged by what the page says in the call log', () => {
    const error = playwrightError('locator.click: Something new\nCall log:\n  - <p>The shop has been closed</p>');
    expect(classifyBrowserError(error)).toMatchObject({ code: 'BROWSER_ERROR' });
  });

  it('lose their ambiguity where a repetition does no harm', () => {
    const crash = playwrightError('locator.textContent: Target crashed ');
    expect(translateBrowserError(crash, { action: 'read', effect: 'pure' })).toMatchObject({ ambiguous: false });
    expect(translateBrowserError(crash, { action: 'click', effect: 'effect' })).toMatchObject({ ambiguous: true });
  });
});
