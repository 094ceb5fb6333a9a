import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BrowserJob, noBrowser, paramsOf } from './browser-job.ts';
import { startTestSite, type TestSite } from './test-site.ts';

describe.skipIf(noBrowser !== undefined)('a job that drives a browser', { timeout: 30_000 }, () => {
  let site: TestSite;
  let job: BrowserJob;
  beforeAll(async () => {
    site = await startTestSite();
  });
  afterAll(() => site.stop());
  beforeEach(async () => {
    job = await BrowserJob.start();
  });
  afterEach(() => job.remove());

  it('signs in: launches, opens, types, chooses, clicks, waits, reads, photographs and closes', async () => {
    const { page } = await job.run('BrowserLaunchNode', { headless: true });
    await job.run('BrowserNavigateNode', { url: site.url, page: page ?? null });
    await job.run('TypeTextNode', { selector: '#name', text: 'Ada' });
    await job.run('TypeTextNode', {
      selector: '//input[@type="password"]',
      text: 's3cret',
      press_sequentially: true,
      delay: 1,
    });
    await job.run('SelectDropdownNode', { selector: '#role', select_by: 'label', value: 'Admin' });
    await job.run('ClickElementNode', { selector: 'text=Sign in' });
    expect(await job.run('WaitForElementNode', { selector: '#greeting' })).toMatchObject({ found: true });
    expect(await job.run('BrowserGetTextNode', { selector: 'xpath=//*[@id="greeting"]' })).toEqual({
      text: 'Hello Ada (a), try 1',
    });
    expect(job.variables.get('extracted_text')).toBe('Hello Ada (a), try 1');
    expect(await job.run('GetAttributeNode', { selector: '#submit', attribute: 'data-kind' })).toEqual({
      value: 'primary',
    });
    const shot = await job.run('BrowserScreenshotNode', { file_path: 'shots/done.png' });
    expect(shot.file_path).toBe(join(job.workDir, 'shots', 'done.png'));
    expect((await stat(String(shot.file_path))).size).toBeGreaterThan(1_000);
    expect(await job.run('BrowserCloseNode')).toEqual({});
    await expect(job.run('ExtractTextNode', { selector: '#greeting' })).rejects.toMatchObject({ code: 'NO_PAGE' });
  });

  it('walks through the history and works on the newest of several tabs', async () => {
    await job.open(site.url);
    await job.run('ClickElementNode', { selector: '#next' });
    await job.run('WaitForNavigationNode', {});
    expect(await job.run('ExtractTextNode', { selector: 'h1' })).toEqual({ text: 'Second page' });
    const { page: first } = await job.run('GoBackNode');
    expect(await job.run('ExtractTextNode', { selector: '#next' })).toEqual({ text: 'Next' });
    await job.run('GoForwardNode');
    await job.run('RefreshPageNode');
    expect(await job.run('ExtractTextNode', { selector: 'h1' })).toEqual({ text: 'Second page' });
    await job.run('NewTabNode', { url: site.url, tab_name: 'form' });
    expect(await job.run('ExtractTextNode', { selector: '#next' })).toEqual({ text: 'Next' });
    expect(await job.run('ExtractTextNode', { selector: 'h1', page: first ?? null })).toEqual({ text: 'Second page' });
  });

  it('adds text to what a field holds when clear_first is off, and presses keys on the page', async () => {
    await job.open(site.url);
    await job.run('TypeTextNode', { selector: '#notes', text: ', more', clear_first: false });
    await job.run('TypeTextNode', { selector: '#name', text: ' name', clear_first: 'false', press_enter_after: true });
    await job.run('WaitForElementNode', { selector: '#greeting' });
    expect(await job.run('ExtractTextNode', { selector: '#greeting', trim_whitespace: false })).toEqual({
      text: '  Hello old name (u), try 1  ',
    });
    await job.run('PressKeyNode', { key: 'F4' });
    expect(await job.run('GetAttributeNode', { selector: 'body', attribute: 'data-key' })).toEqual({ value: 'F4' });
  });

  it('runs two jobs with a browser each, which share nothing', async () => {
    const other = await BrowserJob.start();
    try {
      await Promise.all([job.open(site.url), other.open(site.url)]);
      await Promise.all([
        job.run('TypeTextNode', { selector: '#name', text: 'Ada' }),
        other.run('TypeTextNode', { selector: '#name', text: 'Grace' }),
      ]);
      await Promise.all([job, other].map((each) => each.run('ClickElementNode', { selector: '#submit' })));
      const [ada, grace] = await Promise.all(
        [job, other].map(async (each) => {
          await each.run('WaitForElementNode', { selector: '#greeting' });
          return each.run('ExtractTextNode', { selector: '#greeting' });
        }),
      );
      expect([ada, grace]).toEqual([{ text: 'Hello Ada (u), try 1' }, { text: 'Hello Grace (u), try 1' }]);
    } finally {
      await other.remove();
    }
  });

  it('tells reading, filling and clicking apart, so that a click is never repeated blindly', () => {
    const effectOf = (name: string, config: Record<string, string | boolean>): string => {
      const type = job.type(name);
      return type.effect(paramsOf(type, config));
    };
    const selector = '#x';
    expect(effectOf('LaunchBrowserNode', {})).toBe('pure');
    expect(effectOf('GoToURLNode', { url: 'a.example' })).toBe('idempotent');
    expect(effectOf('ExtractTextNode', { selector })).toBe('pure');
    expect(effectOf('TypeTextNode', { selector })).toBe('idempotent');
    expect(effectOf('TypeTextNode', { selector, clear_first: false })).toBe('effect');
    expect(effectOf('TypeTextNode', { selector, press_enter_after: true })).toBe('effect');
    expect(effectOf('ClickElementNode', { selector })).toBe('effect');
    expect(effectOf('SelectDropdownNode', { selector, value: 'a' })).toBe('effect');
    expect(effectOf('PressKeyNode', {})).toBe('effect');
    expect(effectOf('CloseBrowserNode', {})).toBe('idempotent');
  });
});
