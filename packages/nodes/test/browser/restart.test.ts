/** What a restart of the robot does to a job with an open browser: the engine resumes, the nodes bring it back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkWorkflow,
  createAccessPolicy,
  createNodeRegistry,
  defineNode,
  type JournalEntry,
  type RunReport,
  runWorkflow,
  systemClock,
  withHidden,
} from '@casare/execution';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createBrowserNodes, dataNodes } from '../../src/index.ts';
import { noBrowser } from './browser-job.ts';
import { browserGone } from './browser-processes.ts';
import { startTestSite, type TestSite } from './test-site.ts';

let folder: string;
let site: TestSite;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'casare-restart-test-'));
  site = await startTestSite();
});
afterEach(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

interface Job {
  run(): Promise<RunReport>;
  readonly lines: string[];
  readonly journal: readonly JournalEntry[];
}

/** Nodes one after another; `RestartNode` ends the process of the run, as far as the run can tell. */
function jobOf(
  nodes: readonly (readonly [string, string, Record<string, string | number>])[],
  data: readonly string[] = [],
): Job {
  let stop = new AbortController();
  const restart = defineNode({
    type: 'RestartNode',
    category: 'test',
    description: 'Suspends the run behind it.',
    params: z.object({}),
    outputs: [],
    effect: () => 'effect',
    run: async () => {
      stop.abort({ kind: 'suspend', reason: 'restart' });
      return {};
    },
  });
  const registry = createNodeRegistry([
    ...dataNodes,
    ...createBrowserNodes({ tempDir: join(folder, 'profiles') }),
    restart,
  ]);
  const connections = [
    ...nodes.slice(1).map(([id], index) => [`${nodes[index]?.[0]}.exec_out`, `${id}.exec_in`]),
    ...data.map((text) => text.split(' => ')),
  ].map(([from = '', to = '']) => {
    const [source_node, source_port] = from.split('.');
    const [target_node, target_port] = to.split('.');
    return { source_node, source_port, target_node, target_port };
  });
  const file = {
    metadata: { name: 'test' },
    nodes: nodes.map(([node_id, node_type, config]) => ({ node_id, node_type, config })),
    connections,
  };
  const { workflow, findings } = checkWorkflow(JSON.stringify(file), registry);
  if (workflow === null) throw new Error(JSON.stringify(findings));
  const rows: string[] = [];
  const lines: string[] = [];
  return {
    lines,
    get journal() {
      return rows.map((row) => JSON.parse(row) as JournalEntry);
    },
    run() {
      stop = new AbortController();
      return runWorkflow({
        jobId: 'job-1',
        workflow,
        registry,
        journal: {
          load: async () => rows.map((row) => JSON.parse(row) as JournalEntry),
          commit: async (entries) => void rows.push(...entries.map((entry) => JSON.stringify(entry))),
        },
        clock: systemClock,
        logger: { log: () => undefined },
        observer: { log: ({ message }) => lines.push(message) },
        workDir: folder,
        inDoubtPolicy: 'fail',
        nodeTimeoutMs: 60_000,
        access: createAccessPolicy({ allowNet: ['127.0.0.1'] }),
        signal: stop.signal,
      });
    },
  };
}

describe.skipIf(noBrowser !== undefined)('after a restart of the robot', { timeout: 60_000 }, () => {
  it('the page that a node asks for is there again, where it was last, under the same reference', async () => {
    const job = jobOf(
      [
        ['launch', 'LaunchBrowserNode', { url: `${site.url}/`, viewport_width: 777 }],
        ['go', 'GoToURLNode', { url: `${site.url}/second#part` }],
        ['restart', 'RestartNode', {}],
        ['read', 'ExtractTextNode', { selector: 'h1', variable_name: 'heading' }],
        ['again', 'ExtractTextNode', { selector: 'title', variable_name: 'title' }],
      ],
      ['launch.page => read.page', 'go.page => again.page'],
    );
    expect((await job.run()).end.status).toBe('suspended');
    await browserGone(join(folder, 'profiles'));
    const { end, variables } = await job.run();
    expect(end.status).toBe('completed');
    expect(variables.heading).toBe('Second page');
    expect(site.requests.filter((path) => path === '/second')).toHaveLength(2);
    expect(job.lines.filter((line) => line.includes('opened again'))).toHaveLength(1);
    await browserGone(join(folder, 'profiles'));
  });

  it('a tab comes back in the browser that it was in, and a node without a page gets the newest', async () => {
    const job = jobOf([
      ['launch', 'LaunchBrowserNode', { url: `${site.url}/` }],
      ['tab', 'NewTabNode', { tab_name: 'second', url: `${site.url}/second` }],
      ['restart', 'RestartNode', {}],
      ['read', 'ExtractTextNode', { selector: 'h1', variable_name: 'heading' }],
    ]);
    await job.run();
    const { end, variables } = await job.run();
    expect(end.status).toBe('completed');
    expect(variables.heading).toBe('Second page');
  });

  it('a page is signed in as before: cookies and storage are there, sealed in the journal, and told once', async () => {
    const job = jobOf(
      [
        ['launch', 'LaunchBrowserNode', { url: `${site.url}/enter` }],
        ['look', 'ExtractTextNode', { selector: 'h1' }],
        ['home', 'GoToURLNode', { url: `${site.url}/home` }],
        ['tab', 'NewTabNode', { tab_name: 'second', url: `${site.url}/second` }],
        ['restart', 'RestartNode', {}],
        ['user', 'ExtractTextNode', { selector: 'h1', variable_name: 'second' }],
        ['back', 'GoToURLNode', { url: `${site.url}/home` }],
        ['seen', 'ExtractTextNode', { selector: 'h1', variable_name: 'user' }],
        ['local', 'ExtractTextNode', { selector: '#seat', variable_name: 'seat' }],
        ['tabless', 'ExtractTextNode', { selector: '#step', variable_name: 'other_tab' }],
        ['first', 'ExtractTextNode', { selector: '#step', variable_name: 'step' }],
      ],
      ['launch.page => first.page'],
    );
    expect((await job.run()).end.status).toBe('suspended');
    const before = job.journal;
    await browserGone(join(folder, 'profiles'));
    const { end, variables } = await job.run();
    expect(end.status).toBe('completed');
    expect(variables).toMatchObject({
      second: 'Second page',
      user: 'Hello ada271828',
      seat: 'window 4711',
      other_tab: 'none',
      step: 'payment 31337',
    });
    expect(before.filter((entry) => JSON.stringify(entry).includes('ada271828'))).toHaveLength(1);
    const open = JSON.stringify(before.map((entry) => withHidden(entry, entry.secret)));
    for (const state of ['ada271828', '4711', '31337', '/home', site.url]) expect(open).not.toContain(state);
  });

  it('what a CloseBrowserNode had closed stays closed', async () => {
    const job = jobOf([
      ['launch', 'LaunchBrowserNode', { url: `${site.url}/` }],
      ['close', 'CloseBrowserNode', {}],
      ['restart', 'RestartNode', {}],
      ['read', 'ExtractTextNode', { selector: 'h1' }],
    ]);
    await job.run();
    const { end } = await job.run();
    expect(end).toMatchObject({ status: 'failed', error: { code: 'NO_PAGE' } });
  });

  it('a CloseBrowserNode does not start a browser in order to close it', async () => {
    const job = jobOf([
      ['launch', 'LaunchBrowserNode', { url: `${site.url}/` }],
      ['restart', 'RestartNode', {}],
      ['close', 'CloseBrowserNode', {}],
    ]);
    await job.run();
    expect((await job.run()).end.status).toBe('completed');
    expect(site.requests.filter((path) => path === '/')).toHaveLength(1);
  });

  it('a page whose site is gone fails the node that asks for it, with the reason', async () => {
    const job = jobOf([
      ['launch', 'LaunchBrowserNode', { url: `${site.url}/` }],
      ['restart', 'RestartNode', {}],
      ['read', 'ExtractTextNode', { selector: 'h1' }],
    ]);
    await job.run();
    await site.stop();
    const { end } = await job.run();
    expect(end).toMatchObject({ status: 'failed', error: { code: 'RESTORE_FAILED', node_id: 'read' } });
    expect((end as { error: { message: string } }).error.message).toContain('"launch"');
    await browserGone(join(folder, 'profiles'));
  });
});
