/** The status page as a person meets it, in a real browser: with a robot that runs jobs, and one that fails. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser } from '@casare/nodes';
import { readAuditLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { type PooledSupabase, pooledSupabase } from './support/pooled-supabase.ts';
import { folderForAllTests } from './support/robot-home.ts';
import { chain, wait } from './support/workflows.ts';

const patient = { timeoutMs: 60_000 };
const visible = { timeout: 60_000 };
/** Those of the docs are renewed with `CASARE_DOC_IMAGES=1`. */
const images =
  process.env.CASARE_DOC_IMAGES === '1' ? fileURLToPath(new URL('../../../docs/images', import.meta.url)) : null;
const packagePath = fileURLToPath(new URL('./support/paying-package.ts', import.meta.url));
const choice = await findBrowser();
const evilName = `<img src=x onerror="document.title='owned'">"'&`;

describe.skipIf(choice === null)('the status page', { timeout: 180_000 }, () => {
  const home = folderForAllTests();
  let server: PooledSupabase;
  let operator: Operator;
  let robot: RobotAgent;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await pooledSupabase();
    operator = await operatorOf(server);
    robot = new RobotAgent(
      new RobotConfig({
        robot: { home: home.path, name: 'Invoices robot' },
        connection: { url: server.url, key: server.serviceKey },
        nodes: { packages: [packagePath] },
        jobExecution: { pollIntervalMs: 100, progressIntervalMs: 100, cancellationCheckIntervalMs: 200 },
        observability: { logLevel: 'critical', resourceIntervalMs: 500 },
      }),
    );
    await robot.start();
    browser = await chromium.launch({ executablePath: choice?.executablePath ?? '', args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1_100, height: 1_400 } });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  });

  afterAll(async () => {
    await browser?.close();
    await robot?.stop({ mode: 'cancel' });
    await operator?.close();
    await server?.stop();
    home.remove();
  });

  it('shows jobs node by node, what failed and why; cancels and pauses after asking, with the token only', async () => {
    const { url } = JSON.parse(readFileSync(join(home.path, 'status-page.json'), 'utf8')) as { url: string };
    const token = readFileSync(join(home.path, 'status-token'), 'utf8').trim();
    const failing = await operator.submit(
      chain('Month end', [
        { id: 'boom', type: 'ThrowErrorNode', config: { error_message: 'the invoice has no number' } },
      ]),
    );
    await operator.ended(failing);
    await operator.ended(await operator.submit(chain('Orders of the day', [wait('settle', 0.2)])));
    const shown = await operator.submit(chain('Invoices of November', [wait('download', 0.1), wait('check', 600)]));
    const pay = { id: 'pay', type: 'PayInvoiceNode', config: { effect: 'effect', times: 1 } };
    const paying = await operator.submit(chain('Payments of November', [pay]));
    const disputed = await operator.submit(chain('Refunds', [pay]));
    await page.goto(url);
    const retry = page.getByRole('button', { name: 'Retry node pay of job Payments of November' });
    await retry.waitFor(visible);
    await page.getByRole('button', { name: 'Skip node pay of job Refunds' }).waitFor(visible);
    await page.getByText(/▶ check \(/).waitFor(visible);
    await page.getByRole('img', { name: /^Memory: now \d/ }).waitFor(visible);
    const folder = images ?? join(home.path, 'images');
    await takePictures(page, folder);

    await retry.click();
    await page.getByRole('dialog').screenshot({ path: join(folder, 'status-page-answer.png') });
    await page.getByLabel(/^Your name/).fill('Ann');
    await page.getByLabel(/^Token/).fill('wrong');
    await page.getByRole('button', { name: 'Retry the node' }).click();
    await page.getByRole('alert').getByText('the right token is needed').waitFor(visible);
    await page.getByLabel(/^Token/).fill(token);
    await page.keyboard.press('Enter');
    const by = 'Ann, status page of Invoices robot';
    expect(await operator.ended(paying)).toMatchObject({
      status: 'completed',
      past_answers: [{ node_id: 'pay', answer: 'retry', by: `service_role (claimed: ${by})` }],
    });
    await retry.waitFor({ state: 'detached', timeout: 60_000 });

    // Two people press at once: the first answer stands, and the other is told.
    const answered = await Promise.all(
      ['skip', 'fail'].map(async (answer) => {
        const body = JSON.stringify({ job_id: disputed, answer, node_id: 'pay', step: 2, attempt: 1 });
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const { status } = await fetch(new URL('/actions/answer', url), { method: 'POST', headers, body });
        return { answer, status };
      }),
    );
    expect(answered.map(({ status }) => status).toSorted()).toEqual([200, expect.toBeOneOf([404, 409])]);
    const stands = answered.find(({ status }) => status === 200)?.answer;
    expect(await operator.ended(disputed)).toMatchObject({
      status: stands === 'skip' ? 'completed' : 'failed',
      past_answers: [{ answer: stands }],
    });
    const { entries } = await readAuditLog(join(home.path, 'audit'), {
      eventTypes: ['job.answer_given', 'job.answered'],
    });
    expect(entries.filter(({ job_id: id }) => id === paying)).toMatchObject([
      { type: 'job.answer_given', actor: by, outcome: 'success', details: { requested_from: '127.0.0.1', step: 2 } },
      { type: 'job.answered', actor: `service_role (claimed: ${by})`, details: { nodeType: 'PayInvoiceNode' } },
    ]);
    const given = entries.filter(({ job_id: id, type }) => id === disputed && type === 'job.answer_given');
    expect(given.map(({ outcome }) => outcome).toSorted()).toEqual(['failure', 'success']);

    const held = await operator.submit(chain(evilName, [wait('held', 600)]));

    const job = page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 3, name: evilName }) });
    await job.waitFor(visible);
    await job.getByText(/▶ held \(/).waitFor(visible);
    const duration = async (): Promise<string> =>
      /running for ([^,]+)/.exec((await job.textContent()) ?? '')?.[1] ?? '';
    const before = await duration();
    await eventually('the duration goes on', async () => (await duration()) !== before, patient);
    await page.getByText('the invoice has no number').first().waitFor(visible);
    await page
      .getByRole('row', { name: /Month end .* failed/ })
      .first()
      .waitFor(visible);
    await page.getByRole('row', { name: /ThrowErrorNode 1 1/ }).waitFor(visible);
    await page
      .getByRole('row', { name: /job\.claimed/ })
      .first()
      .waitFor(visible);
    expect(await page.title()).toBe('Casare Robot');
    expect(await page.locator('main img').count()).toBe(0);

    await job.getByRole('button', { name: `Cancel job ${evilName}` }).click();
    await page.getByLabel(/^Token/).fill('wrong');
    await page.getByLabel(/^Reason/).fill('wrong month');
    await page.getByRole('button', { name: 'Cancel the job' }).click();
    await page.getByRole('alert').getByText('the right token is needed').waitFor(visible);
    expect((await operator.job(held)).status).toBe('running');
    await page.getByLabel(/^Token/).fill(token);
    await page.keyboard.press('Enter');
    expect(await operator.ended(held)).toMatchObject({
      status: 'cancelled',
      error: { message: 'wrong month', requested_by: 'status page' },
    });
    await job.waitFor({ state: 'detached', timeout: 60_000 });
    await operator.gateway.cancelJob(shown, 'seen');
    await operator.ended(shown);

    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Pause the robot' }).click();
    await page.getByRole('banner').getByText('paused', { exact: true }).waitFor(visible);
    expect(robot.getStatus().paused).not.toBeNull();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.keyboard.press('Escape');
    expect(robot.getStatus().paused).not.toBeNull();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('button', { name: 'Resume the robot' }).click();
    await page.getByRole('banner').getByText('idle', { exact: true }).waitFor(visible);
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });
});

async function takePictures(page: Page, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `status-page-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const { width, height } = page.viewportSize() ?? { width: 1_100, height: 1_400 };
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.screenshot({ path: join(folder, 'status-page-phone.png') });
  await page.setViewportSize({ width, height });
}
