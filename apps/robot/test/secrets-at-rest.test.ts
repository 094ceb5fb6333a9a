/**
 * Secrets and browser state of a job on the disk: a robot is killed in the middle of it, every byte that it has left is
 * looked at, and the job goes on. With real processes and a real browser.
 */
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { startEmbeddedSupabase } from '@casare/local-supabase';
import { eventually } from '@casare/testing';
import { expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, startCommand } from './support/command.ts';
import { type Operator, operatorOf } from './support/operator.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

const secret = 'planted-271828/"x"';
const base64 = Buffer.from(secret).toString('base64');
const session = 'cookie31415926';
const seat = 'storage16180339';
const patience = { timeoutMs: 90_000, intervalMs: 50 };

/** In every form in which it could lie around. */
const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64, `x-${base64}`];

interface Site {
  readonly url: string;
  readonly headers: (string | undefined)[];
  /** Requests that wait for `release`. */
  readonly held: () => number;
  release(): void;
}

/** Answers with open data and an echo of what it was sent; signs browsers in; holds what asks for `/hold`. */
async function site(): Promise<Site> {
  let isReleased = false;
  const held: ServerResponse[] = [];
  const headers: (string | undefined)[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    if (pathname === '/hold') return void (isReleased ? response.end('go') : held.push(response));
    if (pathname === '/data') headers.push(request.headers.authorization);
    if (pathname === '/data') return void response.end(JSON.stringify({ invoices: [1, 2], echo: request.headers }));
    response.setHeader('content-type', 'text/html');
    if (pathname === '/enter') {
      response.setHeader('set-cookie', `sid=${session}; HttpOnly; Path=/`);
      return void response.end(`<h1>in</h1><script>localStorage.setItem('seat', '${seat}')</script>`);
    }
    const isKnown = request.headers.cookie?.includes(session) === true;
    response.end(`<h1>${isKnown ? 'welcome back' : 'who are you'}</h1><p id="seat"></p>
      <script>document.querySelector('#seat').textContent = localStorage.getItem('seat') === '${seat}' ? 'kept' : 'gone'</script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers,
    held: () => held.length,
    release() {
      isReleased = true;
    },
  };
}

function workflow(url: string): string {
  const text = JSON.parse(
    chain('secrets', [
      { id: 'auth', type: 'SetVariableNode', config: { variable_name: 'auth', value: 'Bearer {{$secret:api}}' } },
      { id: 'pack', type: 'Base64Node', config: { input_text: '{{$secret:api}}' } },
      { id: 'keep', type: 'SetVariableNode', config: { variable_name: 'packed', value: 'x-{{pack.output}}' } },
      {
        id: 'call',
        type: 'HttpRequestNode',
        config: {
          url: `${url}/data?key={{$secret:api}}`,
          headers: { authorization: '{{auth}}', 'x-packed': '{{packed}}' },
        },
      },
      { id: 'log', type: 'LogNode', config: { message: 'called with {{packed}} and {{auth}}' } },
      { id: 'try', type: 'TryNode' },
      { id: 'catch', type: 'CatchNode', config: { paired_try_id: 'try' } },
      { id: 'browser', type: 'LaunchBrowserNode', config: { url: `${url}/enter`, headless: true } },
      { id: 'in', type: 'ExtractTextNode', config: { selector: 'h1', variable_name: 'before' } },
      { id: 'hold', type: 'HttpRequestNode', config: { url: `${url}/hold`, timeout: 600 } },
      { id: 'home', type: 'GoToURLNode', config: { url: `${url}/home` } },
      { id: 'who', type: 'ExtractTextNode', config: { selector: 'h1', variable_name: 'who' } },
      { id: 'where', type: 'ExtractTextNode', config: { selector: '#seat', variable_name: 'seat' } },
      {
        id: 'again',
        type: 'HttpRequestNode',
        config: { url: `${url}/data`, headers: { authorization: '{{packed}}' } },
      },
      {
        id: 'plain',
        type: 'SetVariableNode',
        config: { variable_name: 'invoices', value: '{{call.response_json.invoices}}', variable_type: 'List' },
      },
    ]),
  );
  text.nodes.refuse = {
    node_id: 'refuse',
    node_type: 'ThrowErrorNode',
    config: { error_message: 'refused {{auth}} as {{packed}}' },
    position: [0, 0],
  };
  const wire = (source_node: string, source_port: string, target_node: string) => ({
    source_node,
    source_port,
    target_node,
    target_port: 'exec_in',
  });
  text.connections = [
    ...text.connections.filter(
      ({ source_node: from, target_node: to }: Record<string, string>) =>
        from !== 'try' && to !== 'catch' && from !== 'catch',
    ),
    wire('try', 'try_body', 'refuse'),
    wire('try', 'catch', 'catch'),
    wire('catch', 'catch_body', 'browser'),
  ];
  return JSON.stringify(text);
}

/** Names the files of a folder that hold one of the texts, whatever they are. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((file) => {
    if (!file.isFile()) return [];
    const path = join(file.parentPath, file.name);
    const bytes = readFileSync(path);
    return texts.flatMap((text) =>
      bytes.includes(text) || bytes.includes(Buffer.from(text, 'utf16le')) ? [`${path}: ${text}`] : [],
    );
  });
}

it('a job that is killed leaves no secret, nothing derived and no browser state in the open, and goes on with them', {
  timeout: 300_000,
}, async () => {
  const pages = await site();
  const data = temporaryFolder();
  const server = await startEmbeddedSupabase({ dataDir: data });
  onTestFinished(() => server.stop());
  const operator: Operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const home = temporaryFolder();
  const robots: RunningCommand[] = [];
  const start = async (): Promise<RunningCommand> => {
    const robot = startCommand(['start'], {
      env: {
        SUPABASE_URL: server.url,
        SUPABASE_KEY: server.serviceKey,
        CASARE_HOME: home,
        CASARE_SECRET_API: secret,
        CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
        CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
        CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
      },
    });
    robots.push(robot);
    onTestFinished(() => robot.kill());
    await eventually('the robot starts', () => robot.lines.some((line) => line.startsWith('robot ')), patience);
    return robot;
  };

  const first = await start();
  const jobId = await operator.submit(workflow(pages.url));
  const dump = (): string => robots.flatMap(({ lines, errors }) => [...lines, ...errors]).join('\n');
  await eventually('the job is held', () => pages.held() > 0, patience).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${JSON.stringify(await operator.job(jobId))}\n${dump()}`);
  });
  expect(pages.headers).toEqual([`Bearer ${secret}`]);
  await first.kill();
  expect(existsSync(join(home, 'store.db'))).toBe(true);
  expect(filesWith(home, [...forms, session, seat])).toEqual([]);

  renameSync(join(home, 'keys'), join(home, 'lost'));
  const keyless = await start();
  const waiting = await eventually(
    'the job waits in doubt',
    async () => {
      const job = await operator.job(jobId);
      return (job.in_doubt as readonly JsonObject[]).length > 0 ? job : null;
    },
    patience,
  );
  const [question] = waiting.in_doubt as readonly [JsonObject];
  expect(question.reason).toMatch(/needs key [0-9a-f]{16}, .* put its file back/);
  await keyless.kill();
  expect(pages.headers).toHaveLength(1);

  renameSync(join(home, 'keys'), join(home, 'new-keys'));
  renameSync(join(home, 'lost'), join(home, 'keys'));
  pages.release();
  await start();
  const job = await operator.ended(jobId, 90_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${dump()}`);
  });
  expect(job).toMatchObject({
    status: 'completed',
    result: {
      variables: {
        auth: '[redacted]',
        packed: '[redacted]',
        before: 'in',
        who: 'welcome back',
        seat: 'kept',
        invoices: [1, 2],
      },
    },
  });
  expect(pages.headers).toEqual([`Bearer ${secret}`, `x-${base64}`]);
  await robots.at(-1)?.kill();
  expect(filesWith(home, [...forms, session, seat])).toEqual([]);
  await server.stop();
  expect(filesWith(data, [...forms, session, seat])).toEqual([]);
  for (const form of forms) expect(dump()).not.toContain(form);
  expect(dump()).toContain('called with x-[redacted] and Bearer [redacted]');
});
