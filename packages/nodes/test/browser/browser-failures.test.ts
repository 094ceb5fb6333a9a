import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BrowserNodesOptions, createBrowserNodes } from '../../src/browser/index.ts';
import type { NodeType } from '../../src/ports.ts';
import { BrowserJob, noBrowser } from './browser-job.ts';
import { killRenderers } from './browser-processes.ts';
import { startTestSite, type TestSite } from './test-site.ts';

describe.skipIf(noBrowser !== undefined)('a browser node that fails', { timeout: 30_000 }, () => {
  let site: TestSite;
  let job: BrowserJob;
  beforeAll(async () => {
    site = await startTestSite();
    job = await BrowserJob.start();
    await job.open(site.url);
  });
  afterAll(async () => {
    await job.remove();
    await site.stop();
  });

  it('says what was not found and where, is worth one more try, and leaves a picture when asked to', async () => {
    const config = { selector: '#nope', timeout: 200, screenshot_on_fail: true, screenshot_path: 'shots/fail.png' };
    await expect(job.run('ClickElementNode', config)).rejects.toMatchObject({
      code: 'ELEMENT_NOT_FOUND',
      category: 'transient',
      ambiguous: false,
      message: `Nothing on ${site.url}/ matches "#nope" (waited 200 ms).`,
    });
    await access(join(job.workDir, 'shots', 'fail.png'));
    await expect(job.run('ClickElementNode', config, { attempt: 2 })).rejects.toMatchObject({ category: 'permanent' });
  });

  it('tells an element that is there but disabled from one that is missing', async () => {
    await expect(job.run('ClickElementNode', { selector: '#locked', timeout: 300 })).rejects.toMatchObject({
      code: 'ELEMENT_NOT_READY',
      ambiguous: false,
    });
    await expect(job.run('WaitForElementNode', { selector: '#greeting', timeout: 200 })).rejects.toMatchObject({
      code: 'ELEMENT_NOT_READY',
    });
  });

  it('takes the first match, unless strict asks for the only one', async () => {
    expect(await job.run('ExtractTextNode', { selector: '.many' })).toEqual({ text: 'one' });
    await expect(job.run('ExtractTextNode', { selector: '.many', strict: true })).rejects.toMatchObject({
      code: 'SELECTOR_AMBIGUOUS',
      category: 'permanent',
      message: expect.stringContaining('".many" matches 2 elements'),
    });
  });

  it.each(['#[bad', '//[bad', 'unknown=thing', '<webctrl id="a" />'])(
    'refuses the selector %s at once',
    async (selector) => {
      await expect(job.run('ClickElementNode', { selector })).rejects.toMatchObject({
        code: 'SELECTOR_INVALID',
        category: 'permanent',
      });
    },
  );

  it('names the site that cannot be reached, without the secrets in its address', async () => {
    const error: unknown = await job
      .run('GoToURLNode', { url: 'http://user:pass@127.0.0.1:9/deep?token=abc' })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'NAVIGATION_FAILED', details: { url: 'http://127.0.0.1:9/deep…' } });
    const shown = JSON.stringify(error) + String(error);
    expect(shown).not.toMatch(/pass|abc/);
    expect(shown).not.toContain(String.fromCharCode(27));
  });

  it('refuses what is not a URL, and gives up on a site that does not answer', async () => {
    await expect(job.run('GoToURLNode', { url: 'http://' })).rejects.toMatchObject({ code: 'URL_INVALID' });
    await expect(job.run('GoToURLNode', { url: 'javascript:alert(1)' })).rejects.toMatchObject({ code: 'URL_INVALID' });
    await expect(job.run('GoToURLNode', { url: `${site.url}/never`, timeout: 200 })).rejects.toMatchObject({
      code: 'NAVIGATION_TIMEOUT',
      category: 'transient',
      ambiguous: true,
    });
  });

  it('says so when a page answers with an error status', async () => {
    await job.run('GoToURLNode', { url: `${site.url}/missing` });
    expect(job.logs.at(-1)).toEqual({
      level: 'warning',
      message: `${site.url}/missing answered with HTTP status 404.`,
    });
    await job.run('GoToURLNode', { url: site.url });
  });

  it('does not trust a certificate that nobody vouches for, unless the workflow says so', async () => {
    const secure = await startTestSite('https');
    try {
      await job.run('NewTabNode');
      await expect(job.run('GoToURLNode', { url: secure.url })).rejects.toMatchObject({
        code: 'CERTIFICATE_INVALID',
        category: 'permanent',
        message: `The connection to ${secure.url}/ is not secure (net::ERR_CERT_AUTHORITY_INVALID).`,
      });
      await job.run('GoToURLNode', { url: secure.url, ignore_https_errors: true });
      expect(await job.run('ExtractTextNode', { selector: '#next' })).toEqual({ text: 'Next' });
    } finally {
      await job.run('GoToURLNode', { url: site.url });
      await secure.stop();
    }
  });

  it('never shows what was typed', async () => {
    const error: unknown = await job
      .run('TypeTextNode', { selector: '.many', text: 'hunter2', timeout: 5_000 })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ELEMENT_WRONG_KIND', category: 'permanent' });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('hunter2');
  });

  it('does not know whether a click happened when the page crashes under it', async () => {
    const crashing = await BrowserJob.start();
    try {
      await crashing.open(site.url);
      const click = crashing.run('ClickElementNode', { selector: '#nope' });
      await killRenderers(crashing.profiles);
      await expect(click).rejects.toMatchObject({ code: 'PAGE_CRASHED', category: 'transient', ambiguous: true });
    } finally {
      await crashing.remove();
    }
  });

  it('names the option that is not there, and the key that does not exist', async () => {
    await expect(job.run('SelectDropdownNode', { selector: '#role', value: 'z', timeout: 200 })).rejects.toMatchObject({
      code: 'OPTION_NOT_FOUND',
    });
    await expect(job.run('PressKeyNode', { key: 'Enterr' })).rejects.toMatchObject({
      code: 'KEY_UNKNOWN',
      message: 'There is no key "Enterr".',
    });
  });

  it('stops waiting within 250 ms of a cancel, and reports the reason of the cancel', async () => {
    for (const [name, config] of [
      ['WaitForElementNode', { selector: '#nope' }],
      ['ClickElementNode', { selector: '#nope' }],
      ['GoToURLNode', { url: `${site.url}/never` }],
    ] as const) {
      const controller = new AbortController();
      const reason = { kind: 'cancel', reason: 'operator' };
      let abortedAt = 0;
      const timer = setTimeout(() => {
        abortedAt = performance.now();
        controller.abort(reason);
      }, 150);
      await expect(job.run(name, config, { signal: controller.signal })).rejects.toBe(reason);
      clearTimeout(timer);
      expect(performance.now() - abortedAt, name).toBeLessThan(250);
    }
    expect(await job.run('GoToURLNode', { url: site.url })).toHaveProperty('page');
  });
});

describe.skipIf(noBrowser !== undefined)('a page that is gone', { timeout: 30_000 }, () => {
  it('is reported with the node that opened it after a restart of the robot', async () => {
    const job = await BrowserJob.start();
    try {
      const { page, browser } = await job.run('LaunchBrowserNode', {}, { nodeId: 'open_shop' });
      await job.loseResources();
      await expect(job.run('ClickElementNode', { selector: '#a', page: page ?? null })).rejects.toMatchObject({
        code: 'PAGE_LOST',
        category: 'permanent',
        message: expect.stringMatching(/^The page that node "open_shop" opened is gone.*restart/s),
      });
      await expect(job.run('NewTabNode', { browser: browser ?? null })).rejects.toMatchObject({ code: 'PAGE_LOST' });
      await expect(job.run('ClickElementNode', { selector: '#a' })).rejects.toMatchObject({ code: 'NO_PAGE' });
      expect(await job.run('CloseBrowserNode', { browser: browser ?? null })).toEqual({});
    } finally {
      await job.remove();
    }
  });
});

describe('a machine without a browser', () => {
  it('is told what to install', async () => {
    const launch = launchOf({ search: async () => ({ choice: null, reasons: ['none is installed'] }) });
    const job = await BrowserJob.start();
    try {
      await expect(job.runType(launch, {})).rejects.toMatchObject({
        code: 'BROWSER_NOT_FOUND',
        category: 'permanent',
        message: expect.stringMatching(/none is installed.*Install Google Chrome.*CASARE_BROWSER_PATH/s),
      });
      const named = launchOf({ executablePath: '/no/such/browser' });
      await expect(job.runType(named, {})).rejects.toMatchObject({
        code: 'BROWSER_NOT_FOUND',
        message: expect.stringContaining('/no/such/browser'),
      });
    } finally {
      await job.remove();
    }
  });
});

function launchOf(options: BrowserNodesOptions): NodeType {
  const launch = createBrowserNodes(options).find(({ type }) => type === 'LaunchBrowserNode');
  if (launch === undefined) throw new Error('there is no LaunchBrowserNode');
  return launch;
}
