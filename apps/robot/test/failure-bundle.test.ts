/** What is kept of a run that fails, with a real browser: seen by the person who ran it. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from './support/command.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

const secret = 'planted-577215664';
const typedPassword = 'typed-141421356';

/** A form, and the secret that it was sent as open text. */
async function site(): Promise<string> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    const key = new URL(request.url ?? '/', 'http://site').searchParams.get('key') ?? '';
    response.end(`<!doctype html><title>Form ${key}</title><h1>Invoices</h1><p>your key is ${key}</p>
      <input id="name"><input id="password" type="password"><button id="send">Send</button>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The failing node stands in a try region whose finally body closes the browser. */
function workflow(url: string): string {
  const text = JSON.parse(
    chain('bundle', [
      { id: 'open', type: 'LaunchBrowserNode', config: { url: `${url}/?key={{$secret:api}}`, headless: true } },
      { id: 'name', type: 'TypeTextNode', config: { selector: '#name', text: '{{$secret:api}}' } },
      { id: 'password', type: 'TypeTextNode', config: { selector: '#password', text: typedPassword } },
      { id: 'log', type: 'LogNode', config: { message: 'about to click with {{$secret:api}}', level: 'info' } },
      { id: 'try', type: 'TryNode', config: { paired_finally_id: 'finally' } },
      { id: 'click', type: 'ClickElementNode', config: { selector: '#missing', timeout: 500 } },
      { id: 'finally', type: 'FinallyNode', config: { paired_try_id: 'try' } },
      { id: 'close', type: 'CloseBrowserNode' },
    ]),
  );
  const wire = (source_node: string, source_port: string, target_node: string) => ({
    source_node,
    source_port,
    target_node,
    target_port: 'exec_in',
  });
  const ofRegion = new Set(['try', 'click', 'finally']);
  text.connections = [
    ...text.connections.filter(({ source_node: from }: { source_node: string }) => !ofRegion.has(from)),
    wire('try', 'try_body', 'click'),
    wire('finally', 'finally_body', 'close'),
  ];
  return JSON.stringify(text);
}

it('a run that fails leaves its error, last nodes, log, a picture taken before the browser was closed and a trace, without secrets', async () => {
  const home = temporaryFolder();
  const work = temporaryFolder();
  writeFileSync(join(work, 'flow.json'), workflow(await site()));
  const env = {
    CASARE_HOME: home,
    CASARE_SECRET_API: secret,
    CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
    CASARE_FAILURE_BUNDLES_TRACES: 'true',
  };
  const { exitCode, stdout, stderr } = await runCommand(['run', 'flow.json'], { env, cwd: work });
  expect(exitCode, stderr).toBe(1);
  const folder = /failure bundle: (.*)/.exec(stderr)?.[1] ?? '';
  expect(readdirSync(folder).sort()).toEqual([
    'bundle.json',
    'failure.json',
    'log.jsonl',
    'nodes.json',
    'page-1.png',
    'pages.json',
    'trace-1.zip',
  ]);
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  expect(read('bundle.json')).toMatchObject({
    name: 'bundle',
    error: { node_id: 'click', message: expect.stringContaining('#missing') },
    workflow_hash: expect.stringMatching(/\w{16}/),
    versions: { node: process.version, library: expect.stringContaining('@casare/nodes@') },
    left_out: [],
  });
  expect(read('failure.json').causes.length).toBeGreaterThan(0);
  expect(read('nodes.json').at(-1)).toMatchObject({ node_id: 'click', inputs: { selector: '#missing' } });
  expect(read('nodes.json').find(({ node_id: id }: { node_id: string }) => id === 'name')).toMatchObject({
    inputs: { text: '{{$secret:api}}' },
  });
  const { pages } = read('pages.json');
  // The field with the secret, the password field, and the sentence with the secret.
  expect(pages).toMatchObject([{ title: 'Form [redacted]', picture: 'page-1.png', masked: 3, note: null }]);
  expect(readFileSync(join(folder, 'page-1.png')).subarray(1, 4).toString()).toBe('PNG');
  expect(readFileSync(join(folder, 'log.jsonl'), 'utf8')).toContain('about to click with [redacted]');

  const trace = unzipSync(readFileSync(join(folder, 'trace-1.zip')));
  const traced = Object.values(trace).map((bytes) => Buffer.from(bytes).toString('utf8'));
  expect(traced.some((text) => text.includes('#missing'))).toBe(true);
  const everything = [
    stdout,
    stderr,
    ...traced,
    ...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')),
  ];
  for (const text of everything) expect(text.includes(secret)).toBe(false);
  for (const text of traced) expect(/__playwright_value_":"typed/.test(text)).toBe(false);
  if (process.platform !== 'win32') {
    expect(statSync(folder).mode & 0o077).toBe(0);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
  }

  const id = folder.split('/').at(-1) ?? '';
  const out = join(work, 'bundle.zip');
  const bundle = await runCommand(['job', 'bundle', id.slice(0, 8), '--out', out], { env });
  expect(bundle.stdout, bundle.stderr).toContain('page-1.png');
  expect(Object.keys(unzipSync(readFileSync(out))).sort()).toEqual(readdirSync(folder).sort());
  const again = await runCommand(['job', 'bundle', id, '--out', out], { env });
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is there already') });
  expect(existsSync(join(home, 'bundles', '.staging', id))).toBe(false);
});
