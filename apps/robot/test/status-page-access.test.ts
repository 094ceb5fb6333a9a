/** The status page without a mouse and without seeing it: keyboard, screen reader, contrast, a narrow phone, odd names. */

import type { JsonObject } from '@casare/execution';
import { systemClock } from '@casare/execution';
import { findBrowser } from '@casare/nodes';
import { eventually } from '@casare/testing';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../src/status/robot-actions.ts';
import { StatusServer } from '../src/status/status-server.ts';
import { folderForAllTests } from './support/robot-home.ts';

const choice = await findBrowser();
const token = 'a-token-of-the-operator';
const arabic = 'فواتير نوفمبر';
const html = `<img src=x onerror="document.title='owned'">"'&`;
const endless = 'Rechnungsabschlussprüfungsprotokollübertragung'.repeat(4);
/** Turns what follows it around, unless it is kept to itself. */
const override = '\u202Eevil\u202E';

/** Ten jobs with names of all kinds, one that waits for an answer, and every kind of problem. */
function robotState() {
  const names = [arabic, html, endless, override, ...Array.from({ length: 6 }, (_, n) => `Orders ${n + 1}`)];
  const job = (name: string, index: number) => ({
    job_id: `00000000-0000-4000-8000-00000000000${index}`,
    name,
    stage: 'executing',
    percent: index * 9,
    running_ms: 65_000 + index,
    nodes: [`check-${name}`],
    nodes_completed: 90 * index,
    nodes_total: 1_000,
    running_nodes: [
      { node_id: `check-${name}`, node_type: 'WaitNode', attempt: 2, running_ms: 1_500, limit_ms: 30_000 },
    ],
    ended_nodes: Array.from({ length: 20 }, (_, n) => ({
      ...{ node_id: `${name}-${n}`, node_type: 'SetVariableNode', duration_ms: n, success: n < 18, skipped: n === 18 },
    })),
  });
  const running = names.map(job);
  return {
    at: '2026-05-04T12:00:00.000Z',
    state: 'busy',
    ready: true,
    reasons: [] as { code: string; message: string }[],
    name: arabic,
    robot_id: 'robot-123',
    version: '0.1.0',
    uptime_ms: 90_000,
    max_concurrent_jobs: 10,
    running,
    queued: ['11111111-aaaa'],
    waiting: [
      {
        job_id: '22222222-aaaa',
        name: 'Payments',
        percent: 40,
        nodes_completed: 2,
        nodes_total: 5,
        questions: [
          {
            ...{ node_id: 'pay', node_type: 'HttpRequestNode', step: 3, attempt: 1, place: null },
            ...{ reason: 'it was interrupted', answers: ['retry', 'skip', 'fail'] },
          },
          {
            ...{ node_id: endless, node_type: 'HttpRequestNode', step: 4, attempt: 2, place: `item 3 of ${endless}` },
            ...{ reason: endless, answers: ['skip'] },
          },
        ],
      },
      {
        ...{ job_id: '55555555-aaaa', name: html, percent: null, nodes_completed: 0, nodes_total: 0 },
        questions: [
          {
            ...{ node_id: null, node_type: null, step: null, attempt: null, place: null },
            ...{ reason: 'part of its record is lost', answers: ['restart', 'fail'] },
          },
        ],
      },
    ],
    paused: null as JsonObject | null,
    connection: {
      ...{ url: 'http://127.0.0.1:1', state: 'CONNECTED', is_connected: true, last_error: null, next_attempt_ms: null },
      breaker: { state: 'CLOSED', remaining_ms: null },
    },
    audit_problem: null as string | null,
    log_problem: null as string | null,
    incidents: [] as JsonObject[],
    outbox: { pending: 3, dead_letters: 1, dropped: 0, oldest_at: '2026-05-04T11:59:00.000Z' },
    resources: {
      ...{ cpu_percent: 12, memory_mb: 400, memory_percent: 5, processes: 12 },
      ...{ disk_free_mb: 90_000, event_loop_p99_ms: 12 },
    },
  };
}

const details: JsonObject = {
  summary: {
    ...{ since: '2026-05-01T00:00:00.000Z', total_jobs: 3, successful_jobs: 1, failed_jobs: 1, cancelled_jobs: 1 },
    success_rate_percent: 33,
  },
  node_types: [
    { type: `Node${endless}`, executions: 9, failures: 1, retries: 0, p50_ms: 1, p95_ms: 2, p99_ms: 3, max_ms: 4 },
  ],
  timeline: [{ at: Date.parse('2026-05-04T11:30:00.000Z'), completed: 3, failed: 1, cancelled: 2 }],
  resources: [1, 2, 3].map((n) => ({ at: n * 30_000, cpu_percent: n * 10, memory_mb: 100 * n })),
  recent_jobs: (['completed', 'failed', 'cancelled'] as const).map((status, index) => ({
    ...{ job_id: `3333333${index}-aaaa`, name: [arabic, html, endless][index] ?? '', status },
    ...{ ended_at: '2026-05-04T11:58:00.000Z', duration_ms: 1_000, queue_wait_ms: 1, nodes_executed: 5 },
    error: status === 'failed' ? { code: 'BOOM', message: endless, node_id: arabic } : null,
    has_screenshot: false,
  })),
  audit: (['info', 'warning', 'critical'] as const).map((severity) => ({
    ...{ at: '2026-05-04T11:58:00.000Z', type: 'job.claimed', severity, message: endless },
    ...{ job_id: '44444444-aaaa', node_id: null },
  })),
};

describe.skipIf(choice === null)('the status page', { timeout: 120_000 }, () => {
  const home = folderForAllTests();
  const state = robotState();
  const asked: JsonObject[] = [];
  let server: StatusServer;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const act = (name: string): [string, Action] => [
      name,
      async (args) => {
        asked.push({ name, ...args });
        if (name === 'answer') for (const job of state.waiting) job.questions.shift();
        if (name === 'cancel') state.running = state.running.filter(({ job_id }) => job_id !== args.job_id);
        if (name === 'pause')
          Object.assign(state, { state: 'paused', paused: { note: null, since: '', remaining_ms: null } });
        return null;
      },
    ];
    server = await StatusServer.open({
      home: home.path,
      host: '127.0.0.1',
      port: 0,
      token,
      tokenFile: null,
      clock: systemClock,
      logger: { log: () => undefined },
      source: {
        health: () => ({ state: 'busy', isAlive: true, isReady: true, reasons: [] }),
        metricsText: async () => '',
        status: async () => JSON.parse(JSON.stringify(state)),
        details: async () => details,
        screenshot: async () => null,
        actions: new Map([act('cancel'), act('pause'), act('resume'), act('answer')]),
      },
    });
    browser = await chromium.launch({ executablePath: choice?.executablePath ?? '', args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1_100, height: 2_000 } });
    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    home.remove();
  });

  async function goToTop(): Promise<void> {
    await page.evaluate(
      "const top = document.querySelector('h1'); top.tabIndex = -1; top.focus(); top.removeAttribute('tabindex')",
    );
  }

  /** Everything that the Tab key comes by, from the top, as a screen reader names it. */
  async function tabStops(): Promise<string[]> {
    await goToTop();
    const stops: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const stop = await focused();
      if (stop === null || stops.length > 100) return stops;
      stops.push(stop);
    }
  }

  /** What has the focus, and that it can be seen to have it; null for the page itself. */
  async function focused(): Promise<string | null> {
    const name = (await page.evaluate(`(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      const isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
      const label = at.getAttribute('aria-label') ?? document.getElementById(at.getAttribute('aria-labelledby'))?.textContent ?? at.closest('label')?.textContent ?? at.textContent;
      return label + (isSeen ? '' : ' (focus not visible)');
    })()`)) as string | null;
    return name;
  }

  it('breaks no rule of accessibility, in light and dark, with the dialog open, and is not wider than a small phone', async () => {
    const headline = page.getByRole('banner').locator('.state');
    expect(await page.getByRole('banner').textContent()).toContain('busy, 2 jobs wait for an answer');
    expect(await headline.getAttribute('class')).toBe('state waits');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, 'header'), colorScheme).toEqual([]);
    }
    Object.assign(state, {
      state: 'stuck',
      reasons: [{ code: 'NODE_STANDS_STILL', message: 'job 1 has been at node a for 61 s' }],
      audit_problem: 'audit-1.jsonl:7: it was changed',
      log_problem: 'EACCES',
      incidents: [{ kind: 'row-damaged', at: '2026-05-04T11:00:00.000Z', job_id: null, detail: 'a row' }],
    });
    await page.getByText('The log cannot be written: EACCES').first().waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await page.getByRole('button', { name: `Skip node ${endless}` }).click();
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, 'dialog'), colorScheme).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    expect(await page.getByRole('dialog').evaluate((at) => at.scrollWidth - at.clientWidth)).toBe(0);
    await page.keyboard.press('Escape');
    expect(await page.title()).toBe('Casare Robot');
  });

  it('is used by keyboard alone, and never loses the place', async () => {
    const stops = await tabStops();
    expect(stops.slice(0, 19)).toEqual([
      'Pause',
      ...state.running.map(({ name }) => `Cancel job ${name}`),
      'Cancel job Payments',
      ...['Retry', 'Skip', 'Fail'].map((verb) => `${verb} node pay of job Payments`),
      `Skip node ${endless} (item 3 of ${endless}) of job Payments`,
      `Cancel job ${html}`,
      ...['Begin anew', 'Fail'].map((verb) => `${verb} job ${html}`),
    ]);
    expect(stops.slice(19)).toEqual(['Table: Jobs that ended last', 'Table: Nodes by type', 'Table: Audit log']);

    const [, , third] = state.running;
    await goToTop();
    for (let n = 0; n < 4; n += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await focused()).toMatch(/^Reason/);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused()).toBe(`Cancel job ${third?.name}`);

    await page.keyboard.press('Space');
    await page.keyboard.type('wrong month');
    await page.keyboard.press('Tab');
    await page.keyboard.type(token);
    // The two buttons come behind the fields, and the page behind the dialog is out of reach.
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Cancel the job');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Keep as it is');
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await eventually('the robot is asked', () => asked.length === 1);
    expect(asked).toEqual([{ name: 'cancel', job_id: third?.job_id, reason: 'wrong month' }]);
    // The button is gone with its job.
    await eventually('the place is kept', async () => /^Running jobs \(9/.test((await focused()) ?? ''));

    await goToTop();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await eventually('the button has the other meaning', async () => (await focused()) === 'Resume');
  });

  it('answers what a job waits for after saying what the answer means, and keeps the place of a question that is gone', async () => {
    const meanings = async (name: string): Promise<string> => {
      await page.getByRole('button', { name, exact: true }).click();
      const dialog = page.getByRole('dialog', { name: /of the job “Payments” \(22222222\)\?$|the job “<img/ });
      const described = dialog.and(page.locator('[aria-describedby=action-meaning]'));
      const text = await described.locator('#action-meaning').textContent();
      await page.keyboard.press('Escape');
      return text ?? '';
    };
    expect(await meanings('Retry node pay of job Payments')).toMatch(/happens twice.*it was interrupted/);
    expect(await meanings('Skip node pay of job Payments')).toMatch(/it never will/);
    expect(await meanings(`Begin anew job ${html}`)).toMatch(/happens again.*part of its record is lost/);

    asked.length = 0;
    await page.getByRole('button', { name: 'Fail node pay of job Payments' }).focus();
    await page.keyboard.press('Enter');
    expect(await focused()).toMatch(/^Your name/);
    await page.keyboard.type('Ann');
    await page.keyboard.press('Enter');
    await eventually('the robot is asked', () => asked.length === 1);
    expect(asked).toEqual([
      { name: 'answer', job_id: '22222222-aaaa', answer: 'fail', node_id: 'pay', step: 3, attempt: 1, by: 'Ann' },
    ]);
    await eventually('the place is kept', async () => /^Running jobs/.test((await focused()) ?? ''));
    await page.getByRole('status').getByText('Done: Fail the node').waitFor();
  });

  it('tells a screen reader what changes, once', async () => {
    await page.evaluate(`(() => {
      window.told = [];
      const region = document.querySelector('[role=status]');
      new MutationObserver(() => window.told.push(region.textContent)).observe(region, { subtree: true, characterData: true, childList: true });
    })()`);
    const told = async (): Promise<string[]> => (await page.evaluate('window.told')) as string[];
    Object.assign(state, { state: 'offline', audit_problem: null, log_problem: null, incidents: [], paused: null });
    for (let second = 31; second < 34; second += 1) {
      state.reasons = [{ code: 'NO_RECENT_POLL', message: `no poll has succeeded for ${second} s` }];
      await page.getByText(`for ${second} s`).last().waitFor();
    }
    expect(await told()).toEqual([
      'Done: Fail the node. The robot is offline, 2 jobs wait for an answer. no poll has succeeded for 31 s',
    ]);
  });

  it('shows names as they are, whatever they hold', async () => {
    for (const name of [arabic, html, override]) {
      const heading = page.getByRole('heading', { level: 3, name, exact: true }).first();
      expect(await heading.getAttribute('dir')).toBe('auto');
    }
    expect(await page.getByRole('progressbar', { name: 'Progress of Payments' }).getAttribute('value')).toBe('40');
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.locator('ol.nodes bdi').count()).toBe(9 * 6);
    expect(await page.locator('ol.nodes').getByText('(SetVariableNode) skipped').count()).toBe(9);
  });

  it('shows the first of hundreds of jobs and questions, and says how many more there are', async () => {
    const [job] = state.running;
    const [doubt] = state.waiting;
    const [question] = doubt?.questions ?? [];
    if (job === undefined || doubt === undefined || question === undefined) throw new Error('there is nothing to show');
    const questions = Array.from({ length: 30 }, (_, step) => ({ ...question, step }));
    const many = Array.from({ length: 200 }, (_, n) => `6666${1_000 + n}-aaaa`);
    Object.assign(state, {
      queued: many,
      running: many.map((id) => ({ ...job, job_id: id })),
      waiting: many.map((id, n) => ({ ...doubt, job_id: id.replace('6', '7'), questions: n === 0 ? questions : [] })),
    });
    await page.getByText('Queue: 200 waiting (66661000, 66661001').waitFor();
    for (const text of ['… and 150 more running', '… and 150 more in doubt', '… and 10 more questions'])
      await page.getByText(text).first().waitFor();
    expect(await page.getByRole('progressbar').count()).toBe(100);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });
});

/** By rule, with the places. */
async function violations(page: Page, part = 'html'): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = (await page.evaluate(`axe.run('${part}')`)) as axe.AxeResults;
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html: place, failureSummary: why }) => `${id}: ${place}: ${why}`),
  );
}
