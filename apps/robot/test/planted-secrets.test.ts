/**
 * Secrets that a robot is given, planted wherever one can get into: with a job that fails and one that succeeds, a crash
 * and a resume in between. Afterwards every file, every row and every text of the robot is looked at.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { eventually } from '@casare/testing';
import { unzipSync } from 'fflate';
import { expect, it, onTestFinished } from 'vitest';
import { type RunningCommand, runCommand, startCommand } from './support/command.ts';
import { operatorOf } from './support/operator.ts';
import { pooledSupabase } from './support/pooled-supabase.ts';
import { temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

const secret = 'planted-314159/"x" y';
const lines = 'planted-line-1618\r\nplanted-line-0339';
const statusToken = 'planted-status-token-8675309';
const base64 = Buffer.from(secret).toString('base64');
const patience = { timeoutMs: 100_000, intervalMs: 100 };

/** Prints what it is given, as careless node packages do: by the console, and past it. */
const careless = `
import { writeSync } from 'node:fs';
import { z } from 'zod';
export const nodes = [{
  type: 'CarelessNode', category: 'test', description: 'prints', params: z.object({ text: z.string() }), outputs: [],
  effect: () => 'pure',
  async run(ctx) {
    console.log('console says ' + ctx.params.text);
    writeSync(1, 'descriptor says ' + ctx.params.text + '\\n');
    return {};
  },
}];
`;

interface Site {
  readonly url: string;
  readonly seen: string[];
  readonly waiting: ServerResponse[];
  release(): void;
}

async function site(): Promise<Site> {
  const waiting: ServerResponse[] = [];
  const seen: string[] = [];
  let isReleased = false;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    if (url.pathname === '/hold') return void (isReleased ? response.end('go') : waiting.push(response));
    seen.push(String(request.headers.authorization ?? ''));
    response.setHeader('content-type', 'text/html');
    response.end(`<title>page</title><p>${url.searchParams.get('key') ?? ''}</p><input id="name">`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    waiting,
    release: () => {
      isReleased = true;
    },
  };
}

function workflow(url: string, fails: boolean): string {
  return chain(fails ? 'fails' : 'succeeds', [
    { id: 'auth', type: 'SetVariableNode', config: { variable_name: 'auth', value: 'Bearer {{$secret:api}}' } },
    { id: 'pack', type: 'Base64Node', config: { input_text: '{{$secret:api}}' } },
    { id: 'keep', type: 'SetVariableNode', config: { variable_name: 'packed', value: 'x-{{pack.output}}' } },
    {
      id: 'call',
      type: 'HttpRequestNode',
      config: { url: `${url}/?key={{$secret:api}}`, headers: { authorization: '{{auth}}', 'x-packed': '{{packed}}' } },
    },
    { id: 'log', type: 'LogNode', config: { message: 'log says {{auth}} and {{packed}}', level: 'info' } },
    { id: 'print', type: 'CarelessNode', config: { text: '{{$secret:api}}' } },
    { id: 'page', type: 'CarelessNode', config: { text: '{{$secret:lines}}' } },
    ...(fails
      ? [{ id: 'name', type: 'SetVariableNode', config: { variable_name: 'for {{$secret:api}}', value: 1 } }]
      : []),
    { id: 'hold', type: 'HttpRequestNode', config: { url: `${url}/hold`, timeout: 600 } },
    { id: 'open', type: 'LaunchBrowserNode', config: { url: `${url}/?key={{$secret:api}}`, headless: true } },
    { id: 'type', type: 'TypeTextNode', config: { selector: '#name', text: '{{packed}}' } },
    ...(fails
      ? [{ id: 'boom', type: 'ThrowErrorNode', config: { error_message: 'refused {{auth}} as {{packed}}' } }]
      : []),
  ]);
}

/** Cut off behind its request, it asks whether that took effect. */
function doubtful(url: string): string {
  const call = { url: `${url}/hold`, method: 'POST', timeout: 600 };
  return chain('asks', [{ id: 'ask', type: 'HttpRequestNode', config: call }]);
}

/** Every file, compressed ones unpacked, as bytes by name. */
function contentsOf(folder: string): (readonly [string, Buffer])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((file) => {
    if (!file.isFile()) return [];
    const path = join(file.parentPath, file.name);
    const bytes = readFileSync(path);
    if (path.endsWith('.zip')) {
      return Object.entries(unzipSync(bytes)).map(
        ([name, content]) => [`${path}/${name}`, Buffer.from(content)] as const,
      );
    }
    if (path.endsWith('.gz')) return [[path, gunzipSync(bytes)] as const];
    return [[path, bytes] as const];
  });
}

it('secrets are in no file, no row and no text after a failure, a success, a crash and a resume', {
  timeout: 400_000,
}, async () => {
  const pages = await site();
  const server = await pooledSupabase();
  onTestFinished(() => server.stop());
  const operator = await operatorOf(server);
  onTestFinished(() => operator.close());
  const home = temporaryFolder();
  const zod = createRequire(new URL('../../../packages/execution/package.json', import.meta.url)).resolve('zod');
  writeFileSync(join(home, 'careless.ts'), careless.replace("'zod'", JSON.stringify(zod)));
  writeFileSync(
    join(home, 'config.json'),
    JSON.stringify({ nodes: { packages: [join(home, 'careless.ts')] }, failureBundles: { traces: true } }),
  );
  const env = {
    SUPABASE_URL: server.url,
    SUPABASE_KEY: server.serviceKey,
    CASARE_HOME: home,
    CASARE_SECRET_API: secret,
    CASARE_SECRET_LINES: lines,
    CASARE_OBSERVABILITY_STATUS_TOKEN: statusToken,
    CASARE_LOG_LEVEL: 'debug',
    CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
    CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
  };
  const robots: RunningCommand[] = [];
  const start = (): RunningCommand => {
    const robot = startCommand(['start'], { env });
    robots.push(robot);
    onTestFinished(() => robot.kill());
    return robot;
  };
  const said = (): string => robots.flatMap(({ lines, errors }) => [...lines, ...errors]).join('\n');
  const texts: (readonly [string, string])[] = [];
  const ask = async (name: string, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await runCommand(args, { env });
    texts.push([name, stdout + stderr]);
    return stdout;
  };

  const first = start();
  const failing = await operator.submit(workflow(pages.url, true));
  const succeeding = await operator.submit(workflow(pages.url, false));
  const asking = await operator.submit(doubtful(pages.url));
  await eventually('the jobs are held', () => pages.waiting.length === 3, patience).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said()}`);
  });
  expect(pages.seen).toContain(`Bearer ${secret}`);
  await first.kill();
  const afterCrash = contentsOf(home);
  pages.release();
  const second = start();
  const ended = [await operator.ended(failing, 100_000), await operator.ended(succeeding, 100_000)];
  expect(ended, said()).toMatchObject([
    {
      status: 'failed',
      error: { node_id: 'boom', message: expect.stringMatching(/^refused .*\[redacted\]/), bundle: { id: failing } },
    },
    { status: 'completed', result: { variables: { auth: '[redacted]', packed: '[redacted]' } } },
  ]);
  const status = JSON.parse(await ask('status', ['status', '--json'])) as { status_page?: { url?: string } | string };
  const page = JSON.stringify(status)
    .match(/http:\/\/(?:127\.0\.0\.1|\[::1\]):\d+/g)
    ?.find((url) => url !== server.url);
  expect(page).toBeDefined();
  for (const path of ['/', '/metrics', '/status.json', '/healthz', '/readyz']) {
    texts.push([path, await (await fetch(`${page}${path}`)).text()]);
  }
  // What people write: to the robot, to the database, and to the robot's page.
  const act = async (action: string, args: object): Promise<number> => {
    const headers = { authorization: `Bearer ${statusToken}`, 'content-type': 'application/json' };
    const body = JSON.stringify(args);
    return (await fetch(`${page}/actions/${action}`, { method: 'POST', headers, body })).status;
  };
  const { step, attempt } = await eventually(
    'the job asks',
    async () => {
      const { in_doubt: questions } = await operator.job(asking);
      return (questions as readonly { readonly step: number; readonly attempt: number }[])[0] ?? null;
    },
    patience,
  );
  expect(
    await act('answer', { job_id: asking, answer: 'retry', node_id: 'ask', step, attempt, by: `ann ${secret}` }),
  ).toBe(200);
  expect(await operator.ended(asking)).toMatchObject({
    status: 'completed',
    past_answers: [{ by: expect.stringContaining('ann [redacted]') }],
  });
  expect(await ask('pause', ['pause', '--note', `until ${encodeURIComponent(secret)} is new`, '--json'])).toContain(
    'until [redacted] is new',
  );
  expect(readFileSync(join(home, 'pause.json'), 'utf8')).toContain('until [redacted] is new');
  expect(await ask('status', ['status', '--json'])).toContain('until [redacted] is new');
  const waiting = await operator.submit(doubtful(pages.url));
  await ask('cancel', ['job', 'cancel', waiting, '--reason', `because of ${secret}`]);
  expect(JSON.stringify(await operator.job(waiting))).toContain('because of [redacted]');
  expect(await act('resume', { note: `${secret} is new` })).toBe(200);
  second.signal('SIGTERM');
  expect(await second.ended).toBe(0);

  expect(await ask('job logs', ['job', 'logs', failing])).toContain('log says Bearer [redacted] and x-[redacted]');
  expect(await ask('logs', ['logs', '--job', succeeding])).toContain('console says [redacted]');
  expect(await ask('job show', ['job', 'show', failing, '--json'])).toContain('refused ');
  expect(await ask('job bundle', ['job', 'bundle', failing, '--json'])).toContain('page-1.png');
  await ask('audit query', ['audit', 'query']);
  texts.push(['stdout and stderr', said()]);
  expect(said()).toContain('descriptor says [redacted]');

  const tables = await server.sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
  );
  expect(tables.map(({ name }) => name)).toContain('public.job_logs');
  for (const { name } of tables) {
    const rows = await server.sql<{ row: unknown }>(`select to_jsonb(t) as row from ${name} t`);
    texts.push([name, JSON.stringify(rows)]);
  }

  const forms = [
    ...[secret, JSON.stringify(secret).slice(1, -1), JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ...[
      encodeURIComponent(secret),
      encodeURIComponent(secret).replace('%2F', '%2f'),
      encodeURI(secret),
      base64,
      statusToken,
      server.serviceKey,
      ...lines.split('\r\n'),
    ],
  ];
  const leaks = [
    ...texts.flatMap(([name, text]) => forms.filter((form) => text.includes(form)).map((form) => `${name}: ${form}`)),
    ...[...afterCrash, ...contentsOf(home)].flatMap(([path, bytes]) =>
      forms
        .filter((form) => bytes.includes(form) || bytes.includes(Buffer.from(form, 'utf16le')))
        .map((form) => `${path}: ${form}`),
    ),
  ];
  expect(leaks).toEqual([]);
  const files = contentsOf(home).map(([path]) => path.slice(home.length + 1));
  expect(files).toEqual(
    expect.arrayContaining([
      `bundles/${failing}/page-1.png`,
      'logs/robot.log',
      'store.db',
      `bundles/${failing}/bundle.json`,
    ]),
  );
});
