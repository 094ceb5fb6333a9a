import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  checkWorkflow,
  createAccessPolicy,
  createNodeRegistry,
  memoryJournal,
  type NodeRegistry,
  type RunObserver,
  type RunReport,
  runWorkflow,
  systemClock,
} from '@casare/execution';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBrowserNodes, dataNodes } from '../../src/index.ts';
import type { JsonObject } from '../../src/ports.ts';
import { noBrowser } from './browser-job.ts';
import { browserGone } from './browser-processes.ts';

const examples = new URL('../../../../examples/', import.meta.url);
const formUrl = new URL('pages/form.html', examples).href;

describe('the examples', { timeout: 30_000 }, () => {
  let folder: string;
  let registry: NodeRegistry;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'casare-examples-test-'));
    registry = createNodeRegistry([...dataNodes, ...createBrowserNodes({ tempDir: join(folder, 'profiles') })]);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const read = (name: string): Promise<string> => readFile(new URL(name, examples), 'utf8');

  async function run(source: string, variables: JsonObject = {}, more: Partial<Hooks> = {}): Promise<RunReport> {
    const { workflow, findings } = checkWorkflow(source, registry);
    if (workflow === null) throw new Error(JSON.stringify(findings));
    return runWorkflow({
      jobId: 'example',
      workflow,
      registry,
      variables,
      journal: memoryJournal(),
      clock: systemClock,
      logger: { log: () => undefined },
      workDir: folder,
      access: createAccessPolicy({ allowPaths: [fileURLToPath(examples)] }),
      inDoubtPolicy: 'fail',
      nodeTimeoutMs: 60_000,
      ...more,
    });
  }

  it('are valid, without a warning', async () => {
    const names = (await readdir(examples)).filter((name) => name.endsWith('.json'));
    expect(names.sort()).toEqual(['browser-form.json', 'failing.json', 'hello.json', 'orders.json']);
    for (const name of names) expect(checkWorkflow(await read(name), registry).findings, name).toEqual([]);
  });

  it('say hello', async () => {
    const said: string[] = [];
    const observer: RunObserver = { log: ({ message }) => said.push(message) };
    expect((await run(await read('hello.json'), { who: 'Ada' }, { observer })).end.status).toBe('completed');
    expect(said).toEqual(['Hello, Ada!']);
  });

  it('fail at the node that is meant to', async () => {
    expect((await run(await read('failing.json'))).end).toMatchObject({
      status: 'failed',
      error: { node_id: 'refuse_order', message: expect.stringContaining('exceeds the credit limit') },
    });
    expect((await run(await read('failing.json'), { amount: 10 })).end.status).toBe('completed');
  });

  it('reconcile orders into a report and a summary', async () => {
    const { end, variables } = await run(await read('orders.json'));
    expect(end).toMatchObject({ status: 'completed', nodes_skipped: 0 });
    expect(variables).toMatchObject({ open_orders: ['A-1002', 'A-1005'], instalments: [200, 200, 150.5], refused: 1 });
    const report = (await readFile(join(folder, 'orders-report.csv'), 'utf8')).trimEnd().split('\n');
    expect(report).toHaveLength(7);
    expect(report[3]).toBe('A-1003;Fabrikam;;;;refused: Order A-1003 has no amount');
    expect(report[5]).toBe('A-1005;Litware;540.00;0.00;-540.00;open');
    expect(JSON.parse(await readFile(join(folder, 'orders-summary.json'), 'utf8'))).toEqual({
      open_orders: ['A-1002', 'A-1005'],
      instalments: [200, 200, 150.5],
      refused: 1,
    });
  });

  describe.skipIf(noBrowser !== undefined)('with a browser', () => {
    it('order in a web form', async () => {
      const { end, variables } = await run(await read('browser-form.json'), { page_url: formUrl });
      expect(end).toMatchObject({ status: 'completed', nodes_skipped: 0 });
      expect(variables).toMatchObject({ order_number: 'S-68867', total: '21.75 EUR' });
      expect((await readdir(folder)).sort()).toEqual(['confirmation.png', 'confirmation.txt', 'profiles']);
      await browserGone(folder);
    });

    it('leave no browser behind when they fail', async () => {
      const broken = (await read('browser-form.json')).replace('"#name"', '"#nobody"');
      const quick = broken.replace('"text": "{{customer}}"', '"text": "{{customer}}", "timeout": 200');
      expect((await run(quick, { page_url: formUrl })).end).toMatchObject({
        status: 'failed',
        error: { node_id: 'type_name', code: 'ELEMENT_NOT_FOUND' },
      });
      await browserGone(folder);
      expect(await readdir(join(folder, 'profiles'))).toEqual([]);
    });

    it('leave no browser behind when they are cancelled', async () => {
      const waiting = (await read('browser-form.json')).replace('"#name"', '"#nobody"');
      const controller = new AbortController();
      const observer: RunObserver = {
        nodeStarted: ({ node_id }) => {
          if (node_id === 'type_name') controller.abort({ kind: 'cancel', reason: 'enough', requestedBy: 'operator' });
        },
      };
      const { end } = await run(waiting, { page_url: formUrl }, { observer, signal: controller.signal });
      expect(end).toMatchObject({ status: 'cancelled', reason: 'enough' });
      await browserGone(folder);
      expect(await readdir(join(folder, 'profiles'))).toEqual([]);
    });
  });
});

interface Hooks {
  readonly observer: RunObserver;
  readonly signal: AbortSignal;
}
