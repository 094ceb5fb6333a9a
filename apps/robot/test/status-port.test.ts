/** The robot's port as probes, Prometheus and programs meet it: what it says when, and whom it refuses. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { type Clock, type JsonObject, type NodeType, systemClock } from '@casare/execution';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { readAuditLog } from '@casare/observability';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { misbehavingNodes } from '../../../packages/execution/test/processes/support/misbehaving-nodes.ts';
import { RobotAgent, RobotConfig } from '../src/index.ts';
import { operatorOf } from './support/operator.ts';
import { folderForAllTests, temporaryFolder } from './support/robot-home.ts';
import { chain } from './support/workflows.ts';

/** Ignore their signal, and do nothing. */
const deafNodes = misbehavingNodes
  .filter(({ type }) => type === 'DeafNode')
  .map((node) => ({ ...node, run: () => new Promise<never>(() => undefined) }));
const patient = { timeoutMs: 60_000 };
const data = folderForAllTests('casare-db-');
let server: SupabaseServer;

beforeAll(async () => {
  server = await startEmbeddedSupabase({ dataDir: data.path });
});

afterAll(async () => {
  await server?.stop();
  data.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: JsonObject;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Fetch would set Host and Origin by itself. */
function askUrl(url: URL, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      incoming.on('end', () => {
        const json = incoming.headers['content-type']?.startsWith('application/json') ? JSON.parse(text || '{}') : {};
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Nodes that end when the gate of their id is opened, whatever their time limit. */
function gatedNodes(gates: Readonly<Record<string, Promise<void>>>): readonly NodeType[] {
  return deafNodes.map((node) => ({
    ...node,
    type: 'GateNode',
    run: async ({ nodeId }) => {
      await gates[nodeId];
      return {};
    },
  }));
}

async function robotWith(
  settings: Partial<RobotConfig> = {},
  nodes: readonly NodeType[] = [],
  clock: Clock = systemClock,
) {
  const home = temporaryFolder();
  const { observability = {}, jobExecution = {} } = settings;
  const agent = new RobotAgent(
    new RobotConfig({
      robot: { home },
      connection: { url: server.url, key: server.serviceKey, initialDelayMs: 100, maxDelayMs: 500 },
      jobExecution: { pollIntervalMs: 100, heartbeatIntervalMs: 300, ...jobExecution },
      observability: { logLevel: 'critical', readyTimeoutMs: 5_000, ...observability },
    }),
    { nodes, clock },
  );
  await agent.start();
  onTestFinished(() => agent.stop({ mode: 'suspend' }));
  const place = join(home, 'status-page.json');
  const url = existsSync(place) ? (JSON.parse(readFileSync(place, 'utf8')) as { url: string }).url : null;
  const ask = (path: string, options?: AskOptions) => askUrl(new URL(path, url ?? 'http://127.0.0.1:9/'), options);
  const isReady = async (): Promise<boolean> => (await ask('/readyz')).status === 200;
  const codes = async (): Promise<readonly unknown[]> =>
    ((await ask('/readyz')).json.reasons as readonly JsonObject[]).map(({ code }) => code);
  return { agent, home, url, ask, isReady, codes };
}

describe('readiness', () => {
  it('is lost when the polls fail and comes back with them, and whom it does not know it refuses', async () => {
    const logDir = join(temporaryFolder(), 'logs');
    writeFileSync(logDir, 'a file where the folder should be');
    const { agent, home, ask, isReady, codes, url } = await robotWith({
      observability: { logDir, logLevel: 'warning', redactPatterns: ['IBAN \\d+'] } as never,
    });
    await eventually('it is ready', isReady, patient);
    expect((await ask('/status.json')).json).toMatchObject({
      state: 'idle',
      ready: true,
      reasons: [],
      lifecycle: 'running',
    });
    const metrics = await ask('/metrics');
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.text).toMatch(/^casare_robot_ready 1$/m);
    expect(metrics.text).toMatch(/^casare_robot_state\{casare_state="idle"\} 1$/m);
    expect(metrics.text).toMatch(/^casare_circuit_breaker_state\{casare_state="closed"\} 1$/m);
    expect(statSync(join(home, 'status-token')).mode & 0o777).toBe(0o600);

    await refusesStrangers(ask, readFileSync(join(home, 'status-token'), 'utf8').trim(), new URL(url ?? '').host);

    await server.stop();
    await eventually('it is not ready', async () => !(await isReady()), patient);
    expect(await codes()).toEqual(['OFFLINE']);
    expect((await ask('/healthz')).json).toEqual({ alive: true, state: 'offline' });
    const logProblem = async () => (await ask('/status.json')).json.log_problem;
    await eventually('a warning cannot be written', async () => (await logProblem()) !== null, patient);
    expect(await logProblem()).toMatch(/EEXIST|ENOTDIR/);
    server = await startEmbeddedSupabase({ dataDir: data.path });
    await eventually('it is ready again', isReady, patient);
    agent.setMaxConcurrent(2);
    await agent.pause({ note: 'month end, IBAN 4711' });
    expect(await codes()).toEqual(['PAUSED']);
    const bearer = { authorization: `Bearer ${readFileSync(join(home, 'status-token'), 'utf8').trim()}` };
    const resume = { method: 'POST', body: '{}', headers: { ...bearer, 'content-type': 'application/json' } };
    expect((await ask('/actions/resume', resume)).json).toEqual({ ok: true, result: { was_paused: true } });
    const { entries } = await readAuditLog(join(home, 'audit'), {
      eventTypes: ['logs.unwritable', 'config.changed', 'robot.paused', 'robot.resumed'],
    });
    expect(entries.map(({ type, actor, message, details }) => [type, actor, message, details])).toEqual([
      [
        'logs.unwritable',
        'robot',
        'The log cannot be written',
        { folder: logDir, problem: expect.stringMatching(/EEXIST|ENOTDIR/) },
      ],
      [
        'config.changed',
        'program',
        'Setting jobExecution.maxConcurrentJobs changed',
        { setting: 'jobExecution.maxConcurrentJobs', from: 3, to: 2, requested_from: 'program' },
      ],
      [
        'robot.paused',
        'program',
        'Robot paused: month end, [redacted]',
        { reason: 'month end, [redacted]', until: null, requested_from: 'program' },
      ],
      ['robot.resumed', 'status page', 'Robot resumed', { reason: null, requested_from: '127.0.0.1' }],
    ]);
    await eventually('it is ready again', isReady, patient);
    await agent.stop();
    await expect(ask('/healthz')).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(join(home, 'status-page.json'))).toBe(false);
  });

  it('is lost while nodes stand still, which are all named, and for good with one that cannot be ended', async () => {
    const operator = await operatorOf(server);
    onTestFinished(() => operator.close());
    const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const nodes = [...deafNodes, ...gatedNodes({ one: one.promise, two: two.promise })];
    // A minute that passes at once.
    const passed = { ms: 0 };
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passed.ms };
    const jobExecution = { cancelGraceMs: 200, nodeTimeoutMs: 30_000 };
    const { agent, ask, isReady } = await robotWith({ jobExecution: jobExecution as never }, nodes, clock);
    await eventually('it is ready', isReady, patient);
    const gated = (gate: string): Promise<string> => operator.submit(chain(gate, [{ id: gate, type: 'GateNode' }]));
    const [first, second] = [await gated('one'), await gated('two')];
    const atNodes = (): string => {
      const running = agent.getStatus().running.flatMap(({ runningNodes }) => runningNodes);
      return running
        .map(({ nodeId }) => nodeId)
        .toSorted()
        .join();
    };
    await eventually('both nodes run', () => atNodes() === 'one,two', patient);
    await eventually('it is ready all the same', isReady, patient);
    passed.ms = 60_000;
    const still = async (): Promise<readonly string[]> =>
      ((await ask('/readyz')).json.reasons as { code: string; message: string }[]).flatMap(({ code, message }) =>
        code === 'NODE_STANDS_STILL' ? [message.replace(/ for .*/, '')] : [],
      );
    expect((await still()).toSorted()).toEqual(
      [`job ${first} has been at node one`, `job ${second} has been at node two`].toSorted(),
    );
    expect((await ask('/healthz')).json).toEqual({ alive: false, state: 'stuck' });
    one.resolve();
    expect(await operator.ended(first)).toMatchObject({ status: 'completed' });
    expect([await still(), await isReady()]).toEqual([[`job ${second} has been at node two`], false]);
    two.resolve();
    expect(await operator.ended(second)).toMatchObject({ status: 'completed' });
    await eventually('it is ready again', isReady, patient);
    expect((await ask('/status.json')).json).toMatchObject({ state: 'idle', reasons: [] });

    const jobId = await operator.submit(chain('deaf', [{ id: 'deaf', type: 'DeafNode' }]));
    const isAtNode = (): boolean => agent.getStatus().running.some(({ nodes }) => nodes.includes('deaf'));
    await eventually('the node runs', isAtNode, patient);
    expect(await agent.cancelJob(jobId)).toBe(true);
    await eventually('it is stuck', async () => (await ask('/healthz')).status === 503, patient);
    expect((await ask('/healthz')).json).toEqual({ alive: false, state: 'stuck' });
    expect((await ask('/readyz')).json).toMatchObject({
      ready: false,
      reasons: [{ code: 'JOB_CANNOT_END', message: expect.stringContaining(jobId) }],
    });
    expect((await ask('/metrics')).text).toMatch(/^casare_robot_state\{casare_state="stuck"\} 1$/m);
  });

  it('is lost on a full disk: new jobs are refused, and everybody is told', async () => {
    const operator = await operatorOf(server);
    onTestFinished(() => operator.close());
    const { agent, ask, codes } = await robotWith({ observability: { minFreeDiskMb: 1_000_000_000 } as never });
    await eventually('it is refused', async () => (await codes()).join() === 'CLAIMS_REFUSED', patient);
    const refusal = expect.stringMatching(/^the disk has \d+ MB free, 1000000000 MB are needed$/);
    expect((await ask('/status.json')).json).toMatchObject({ ready: false, refusing_claims: [refusal] });
    const jobId = await operator.submit(chain('waits', []));
    await eventually('the server knows', async () => {
      const [row] = await server.sql<{ metrics: JsonObject }>('select metrics from robots where id = $1', [
        agent.robotId,
      ]);
      return row?.metrics?.refusing_claims !== undefined;
    });
    expect((await operator.job(jobId)).status).toBe('pending');
    await operator.gateway.cancelJob(jobId, 'the test is over');
  });
});

async function refusesStrangers(
  ask: (path: string, options?: AskOptions) => Promise<Answer>,
  token: string,
  host: string,
): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const bearer = { authorization: `Bearer ${token}` };
  const post = { method: 'POST', body: '{}' };
  const cases: readonly (readonly [status: number, code: string | null, path: string, options: AskOptions])[] = [
    [421, 'WRONG_HOST', '/status.json', { headers: { host: 'robot.example.com' } }],
    [421, 'WRONG_HOST', '/', { headers: { host: '127.0.0.1.example.com:80' } }],
    [200, null, '/healthz', { headers: { host: 'LocalHost:1' } }],
    [200, null, '/healthz', { headers: { host: '[::1]:1' } }],
    [403, 'FOREIGN_ORIGIN', '/status.json', { headers: { origin: 'https://example.com' } }],
    [403, 'FOREIGN_ORIGIN', '/status.json', { headers: { origin: 'null' } }],
    [403, 'FOREIGN_ORIGIN', '/status.json', { headers: { 'sec-fetch-site': 'cross-site' } }],
    [200, null, '/', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } }],
    [401, 'TOKEN_NEEDED', '/actions/pause', { ...post, headers: json }],
    [401, 'TOKEN_NEEDED', '/actions/pause', { ...post, headers: { ...json, authorization: `Bearer ${token}x` } }],
    [401, 'TOKEN_NEEDED', '/actions/pause', { ...post, headers: { ...json, authorization: basic(token) } }],
    [403, 'FOREIGN_ORIGIN', '/actions/pause', { ...post, headers: { ...json, ...bearer, origin: `http://x.${host}` } }],
    [415, 'NOT_JSON', '/actions/pause', { ...post, headers: { ...bearer, 'content-type': 'text/plain' } }],
    [400, 'NOT_A_REQUEST', '/actions/pause', { method: 'POST', body: '[]', headers: { ...json, ...bearer } }],
    [
      413,
      'TOO_LARGE',
      '/actions/pause',
      { method: 'POST', body: 'x'.repeat(2_000_000), headers: { ...json, ...bearer } },
    ],
    [
      400,
      'INVALID_ARGUMENT',
      '/actions/pause',
      { method: 'POST', body: '{"note":1}', headers: { ...json, ...bearer } },
    ],
    [
      404,
      'NO_SUCH_JOB',
      '/actions/cancel',
      { method: 'POST', body: '{"job_id":"x"}', headers: { ...json, ...bearer } },
    ],
    [400, 'INVALID_ARGUMENT', '/actions/cancel', { ...post, headers: { ...json, ...bearer } }],
    [405, 'METHOD', '/actions/cancel', {}],
    [405, 'METHOD', '/status.json', { ...post, headers: { ...json, ...bearer } }],
    [404, 'NOT_FOUND', '/actions/stop', { ...post, headers: { ...json, ...bearer } }],
    [404, 'NOT_FOUND', '/page/../status-token', {}],
    [404, 'NOT_FOUND', '/jobs/x/screenshot', {}],
    [405, 'METHOD', '/status.json', { method: 'DELETE' }],
  ];
  for (const [status, code, path, options] of cases) {
    const answer = await ask(path, options);
    const got = [answer.status, (answer.json.error as JsonObject | undefined)?.code ?? null];
    expect(got, `${path} ${JSON.stringify(options).slice(0, 200)}`).toEqual([status, code]);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self' 'sha256-/);
    expect(answer.text).not.toContain(token);
  }
  const pause = async (bearerToken: string) => {
    const headers = { ...json, authorization: `Bearer ${bearerToken}` };
    return (await ask('/actions/pause', { method: 'POST', body: '{"note":1}', headers })).status;
  };
  for (let guess = 0; guess < 10; guess += 1) await pause(`guess-${guess}`);
  expect([await pause('one more'), await pause(token)]).toEqual([429, 400]);
  expect(await ask('/status.json', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  expect(await ask('/events', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  expect((await ask('/actions/cancel')).headers.allow).toBe('POST');
  const answer = (body: JsonObject) =>
    ask('/actions/answer', { method: 'POST', body: JSON.stringify(body), headers: { ...json, ...bearer } });
  const whole = { job_id: 'x', answer: 'skip', node_id: 'pay', step: 1, attempt: 1 };
  expect([(await answer(whole)).json.error, (await answer(whole)).status]).toMatchObject([
    { code: 'NO_SUCH_JOB' },
    404,
  ]);
  for (const [field, wrong] of [
    ...[
      ['job_id', 7],
      ['answer', 'maybe'],
      ['answer', null],
      ['node_id', ''],
      ['node_id', undefined],
    ],
    ...[
      ['step', 0],
      ['step', '1'],
      ['attempt', undefined],
      ['by', 'x'.repeat(51)],
      ['token', 'x'],
      ['anwser', 'fail'],
    ],
  ] as [string, never][]) {
    const { status, json: refusal } = await answer({ ...whole, [field]: wrong });
    const rule = field === 'anwser' ? 'there is no field anwser; did you mean answer\\? ' : `${field} must be `;
    const message = expect.stringMatching(new RegExp(`^(${rule}|there is no field token \\(known: job_id, )`));
    expect([status, refusal.error], `${field} ${wrong}`).toEqual([400, { code: 'INVALID_ARGUMENT', message }]);
  }
  const cancel = (body: string) => ask('/actions/cancel', { method: 'POST', body, headers: { ...json, ...bearer } });
  for (const [body, field] of [
    ['{}', 'job_id'],
    ['{"job_id":7}', 'job_id'],
    ['{"job_id":"x","reason":7}', 'reason'],
    ['{"job_id":"x","job":"y"}', 'job'],
  ] as const) {
    const { status, json: answer } = await cancel(body);
    const message = expect.stringMatching(
      new RegExp(`^(there is no field job; did you mean job_id|${field} must be )`),
    );
    expect([status, answer.error], body).toEqual([400, { code: 'INVALID_ARGUMENT', message }]);
  }
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`operator:${token}`).toString('base64')}`;
}

describe('the port', () => {
  it('beyond loopback answers nobody without the token', async () => {
    const token = 'a-token-of-the-operator';
    const { home, url } = await robotWith({ observability: { statusHost: '0.0.0.0', statusToken: token } as never });
    const ask = (path: string, headers: Record<string, string> = {}) =>
      askUrl(new URL(path, url?.replace('0.0.0.0', '127.0.0.1')), {
        headers: { host: 'robot.example.com', ...headers },
      });
    for (const path of [
      '/',
      '/healthz',
      '/readyz',
      '/metrics',
      '/status.json',
      '/details.json',
      '/events',
      '/page/main.js',
    ]) {
      const { status, headers } = await ask(path);
      expect([path, status, headers['www-authenticate']]).toEqual([path, 401, expect.stringMatching(/^Basic /)]);
      if (path !== '/events') expect((await ask(path, { authorization: basic(token) })).status).not.toBe(401);
    }
    expect((await ask('/healthz', { authorization: `Bearer ${token}` })).status).toBe(200);
    for (let n = 0; n < 10; n += 1) expect((await ask('/healthz', { authorization: `Bearer ${n}` })).status).toBe(401);
    const shutOut = await ask('/healthz', { authorization: `Bearer ${token}` });
    expect([shutOut.status, Number(shutOut.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(shutOut.json.error).toMatchObject({ message: expect.stringMatching(/too many wrong tokens.*try again in/) });
    expect(existsSync(join(home, 'status-token'))).toBe(false);
  });

  it('is none when none is wanted; a robot whose port is taken works without', async () => {
    const { url } = await robotWith({ observability: { statusPort: null } as never });
    expect(url).toBeNull();
    const first = await robotWith();
    const statusPort = Number(new URL(first.url ?? '').port);
    const second = await robotWith({ observability: { statusPort } as never });
    expect(second.url).toBeNull();
    expect(second.agent.state).toBe('running');
  });
});
