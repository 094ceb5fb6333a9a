/** What pages may reach, with a real browser, by the permissions of the engine. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type AccessRules,
  checkWorkflow,
  createAccessPolicy,
  createNodeRegistry,
  memoryJournal,
  type RunReport,
  runWorkflow,
  systemClock,
} from '@casare/execution';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createBrowserNodes, dataNodes } from '../../src/index.ts';
import type { JsonObject } from '../../src/ports.ts';
import { noBrowser } from './browser-job.ts';

let root: string;
let work: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'casare-page-permissions-')));
  work = join(root, 'work');
  mkdirSync(work);
});
afterEach(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

interface Site {
  readonly url: string;
  readonly host: string;
  readonly requests: string[];
}

/** Answers with what `pages` has for a path: a page, or a redirect to a URL that begins with `->`. */
async function site(pages: Readonly<Record<string, string>>): Promise<Site> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const page = pages[request.url ?? ''] ?? '<title>other</title>';
    requests.push(request.url ?? '');
    if (page.startsWith('->')) response.writeHead(302, { location: page.slice(2) }).end();
    else response.writeHead(200, { 'content-type': 'text/html' }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, requests };
}

/** Runs nodes one after another: `[type, config]`. */
async function run(
  nodes: readonly (readonly [string, JsonObject])[],
  rules: AccessRules,
): Promise<RunReport & { lines: string[] }> {
  const registry = createNodeRegistry([...dataNodes, ...createBrowserNodes({ tempDir: join(root, 'profiles') })]);
  const file = {
    metadata: { name: 'test' },
    nodes: nodes.map(([node_type, config], index) => ({ node_id: `n${index}`, node_type, config })),
    connections: nodes.slice(1).map((_node, index) => ({
      source_node: `n${index}`,
      source_port: 'exec_out',
      target_node: `n${index + 1}`,
      target_port: 'exec_in',
    })),
  };
  const { workflow, findings } = checkWorkflow(JSON.stringify(file), registry);
  if (workflow === null) throw new Error(JSON.stringify(findings));
  const lines: string[] = [];
  const report = await runWorkflow({
    jobId: 'job-1',
    workflow,
    registry,
    journal: memoryJournal(),
    clock: systemClock,
    logger: { log: () => undefined },
    observer: { log: ({ message }) => lines.push(message) },
    workDir: work,
    inDoubtPolicy: 'fail',
    nodeTimeoutMs: 60_000,
    access: createAccessPolicy(rules),
  });
  return { ...report, lines };
}

const denied = { status: 'failed', error: { code: 'PERMISSION_DENIED' } };

describe.skipIf(noBrowser !== undefined)('a page', { timeout: 60_000 }, () => {
  it('is not opened at a loopback or metadata address, however it is written', async () => {
    const inner = await site({});
    const port = new URL(inner.url).port;
    for (const url of [
      inner.url,
      `http://localhost:${port}`,
      `http://[::ffff:127.0.0.1]:${port}`,
      'http://169.254.169.254/',
      'view-source:http://127.0.0.1/',
    ]) {
      const { end } = await run(
        [
          ['LaunchBrowserNode', {}],
          ['GoToURLNode', { url }],
        ],
        {},
      );
      expect(end, url).toMatchObject(denied);
    }
    expect(inner.requests).toEqual([]);
  });

  it('does not follow a redirect there, and the node says so', async () => {
    const inner = await site({});
    const outer = await site({ '/': `->${inner.url}/secret` });
    const { end } = await run([['LaunchBrowserNode', { url: outer.url }]], { allowNet: [outer.host] });
    expect(end).toMatchObject(denied);
    expect((end as { error: { message: string } }).error.message).toContain(inner.host);
    expect(inner.requests).toEqual([]);
  });

  it('cannot load from there by picture, script, frame, fetch or web socket, and goes on without', async () => {
    const inner = await site({ '/': '<title>stolen</title>' });
    const page = `<title>page</title><img src="${inner.url}/img"><script src="${inner.url}/js"></script>
      <iframe src="${inner.url}/frame"></iframe><p id="said">nothing</p><script>
      const say = (text) => { document.querySelector('#said').textContent = text; };
      new WebSocket('${inner.url.replace('http', 'ws')}/ws').onerror = () =>
        fetch('${inner.url}/fetch', { mode: 'no-cors' }).then(() => say('stolen'), () => { document.body.id = 'done'; say('refused'); });
      </script>`;
    const outer = await site({ '/': page });
    const nodes = [
      ['LaunchBrowserNode', { url: outer.url }],
      ['WaitForElementNode', { selector: 'body#done', timeout: 20_000 }],
      ['ExtractTextNode', { selector: '#said', variable_name: 'said' }],
    ] as const;
    const { end, variables, lines } = await run(nodes, { allowNet: [outer.host] });
    expect(end.status).toBe('completed');
    expect(variables.said).toBe('refused');
    expect(inner.requests).toEqual([]);
    expect(lines.filter((line) => line.includes(inner.host)).length).toBeGreaterThan(0);
  });

  it('still says why an allowed site cannot be opened', async () => {
    const { end } = await run([['LaunchBrowserNode', { url: 'http://127.0.0.1:1/' }]], { allowNet: ['127.0.0.1'] });
    expect(end).toMatchObject({ status: 'failed', error: { code: 'NAVIGATION_FAILED' } });
    expect((end as { error: { message: string } }).error.message).not.toContain('SOCKS');
  });

  it('is not opened from a file outside of the work folder, and shows none of it', async () => {
    const telling = "<script>parent.postMessage('leak', '*')</script>";
    writeFileSync(join(root, 'secret.html'), `<title>secret</title>${telling}`);
    writeFileSync(join(work, 'friend.html'), telling.replace('leak', 'friend'));
    const frames = ['../secret.html', 'friend.html'].map((src) => `<iframe src="${src}"></iframe>`).join('');
    const listening = "<script>onmessage = (event) => { p.textContent += event.data; p.className = 'told'; };</script>";
    writeFileSync(join(work, 'own.html'), `<title>own</title><p id="p">own </p>${listening}${frames}`);
    const secret = pathToFileURL(join(root, 'secret.html')).href;
    for (const url of [secret, `view-source:${secret}`, 'file:///etc/passwd', 'chrome://version']) {
      expect(
        (
          await run(
            [
              ['LaunchBrowserNode', {}],
              ['GoToURLNode', { url }],
            ],
            {},
          )
        ).end,
        url,
      ).toMatchObject(denied);
    }
    const nodes = [
      ['LaunchBrowserNode', { url: pathToFileURL(join(work, 'own.html')).href }],
      ['WaitForElementNode', { selector: '#p.told' }],
      ['WaitForNavigationNode', { wait_until: 'networkidle' }],
      ['ExtractTextNode', { selector: '#p', variable_name: 'text' }],
    ] as const;
    const { end, variables } = await run(nodes, {});
    expect(end.status).toBe('completed');
    expect(variables.text).toBe('own friend');
  });

  it('is not opened by way of a forbidden proxy', async () => {
    const proxy = await site({});
    const { end } = await run([['LaunchBrowserNode', { proxy_server: proxy.url, url: 'http://192.0.2.1/' }]], {});
    expect(end).toMatchObject(denied);
    expect(proxy.requests).toEqual([]);
  });
});
