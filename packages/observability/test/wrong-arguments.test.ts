import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import {
  AuditLogger,
  addAuditKey,
  anchorFileText,
  collectorFamilies,
  createLogger,
  csvRow,
  DurationHistogram,
  describeShortage,
  family,
  formatLine,
  healthOf,
  MetricsCollector,
  MetricsHistory,
  parseAnchorFile,
  parsePublicKeys,
  prometheusText,
  publicKeyPem,
  Redactor,
  ResourceMonitor,
  readAuditLog,
  readFolderAnchors,
  readLog,
  shortagesOf,
  systemClock,
  verifyAuditLog,
} from '../src/index.ts';

/** A call with arguments that are right; each is then replaced, and each part of it, by something wrong. */
type Call = readonly [name: string, call: (...args: never[]) => unknown, args: readonly unknown[]];

const folder = mkdtempSync(join(tmpdir(), 'casare-arguments-'));
const audit = new AuditLogger({ robotId: 'r', logDir: join(folder, 'audit'), keyDir: join(folder, 'keys') });
const metrics = new MetricsCollector();
const clock = systemClock;
const logger = { log: () => undefined };
const error = { code: 'C', message: 'm' };
const node = { nodeId: 'n', nodeType: 'T' };
const facts = {
  ...{ lifecycle: 'running', connection: { isConnected: true, isAuthRefused: false, problem: null } },
  ...{ sinceContactMs: 5, contactLimitMs: 10, runningJobs: 0, stepGraceMs: 5, unendingJobs: [], isPaused: false },
  ...{ storeProblem: null, refusals: [], steps: [{ jobId: 'j', nodeId: null, runningForMs: 5, limitMs: 1 }] },
};
const short = { resource: 'disk', freeMb: 1, neededMb: 2 };
const anchors = { v: 1, robot_id: 'r', source: 'folder', exported_at: 'x', anchors: [], public_keys: [] };

const auditCalls: Readonly<Record<string, readonly unknown[]>> = {
  log: ['error.transient', 'm', { severity: 'info', jobId: 'j', outcome: 'success', details: {}, durable: false }],
  jobContext: ['j', () => 1, { traceId: 't' }],
  nodeContext: ['n', () => 1],
  getRecent: [5],
  query: [{ eventTypes: ['job.failed'], severity: 'info', since: 5, limit: 5 }],
  robotStopped: [{ actor: 'a' }],
  robotStopRequested: [{ mode: 'drain' }],
  robotPaused: [{ reason: 'r' }],
  robotResumed: [{ reason: null }],
  storeIncident: [{ kind: 'k', detail: 'd' }],
  configChanged: [{ setting: 's' }],
  jobReceived: [{ workflowName: 'w' }],
  jobClaimed: [{ jobId: 'j' }],
  jobStarted: [{ totalNodes: 4 }],
  jobFailed: [{ jobId: 'j', error }],
  jobCancelRequested: [{ requestedBy: 'x' }],
  jobCancelled: [{ reason: 'r' }],
  jobInDoubt: [{ nodes: [] }],
  jobAnswerGiven: [{ answer: 'retry', actor: 'a', problem: null }],
  jobAnswered: [{ answer: 'retry', actor: 'a' }],
  jobReleased: [{ reason: 'r' }],
  nodeStarted: [node],
  nodeFailed: [{ ...node, error }],
  nodeSkipped: [{ ...node, reason: 'r' }],
  nodeRetried: [{ ...node, attempt: 2 }],
  errorPermanent: [error],
};

const calls: readonly Call[] = [
  ...Object.entries(auditCalls).map(
    ([name, args]): Call => [
      `audit.${name}`,
      (...given) => Reflect.apply(Reflect.get(audit, name), audit, given),
      args,
    ],
  ),
  [
    'new AuditLogger',
    (o: never) => new AuditLogger(o).close(),
    [{ robotId: 'r', logDir: join(folder, 'other'), checkpointEvery: 5, clock, mirror: logger, redact: { keys: [] } }],
  ],
  ['healthOf', healthOf, [facts]],
  [
    'shortagesOf',
    shortagesOf,
    [{ disk: { freeMb: 5 }, memoryPercent: 50 }, { minFreeDiskMb: 10, maxMemoryPercent: 40 }, [short]],
  ],
  ['describeShortage', describeShortage, [short]],
  ['parsePublicKeys', parsePublicKeys, ['{"public_keys":["k"]}', 'n']],
  ['publicKeyPem', publicKeyPem, [audit.publicKey]],
  ['addAuditKey', (at: never, by: never) => addAuditKey(at === 'text' ? folder : at, by), [folder, 'ann']],
  ['anchorFileText', anchorFileText, [anchors]],
  ['parseAnchorFile', parseAnchorFile, [JSON.stringify(anchors), 'n']],
  ['readFolderAnchors', readFolderAnchors, [folder, 5]],
  ['readAuditLog', readAuditLog, [folder, { since: 5, limit: 5 }]],
  ['verifyAuditLog', verifyAuditLog, [folder, { anchors: [], publicKeys: [] }]],
  ['csvRow', csvRow, [{}]],
  [
    'new MetricsCollector',
    (o: never) => new MetricsCollector(o),
    [{ clock, maxNodeTypes: 5, maxRecentJobs: 5, onJobEnd: () => 0 }],
  ],
  [
    'metrics.startJob',
    (...a: never[]) => Reflect.apply(metrics.startJob, metrics, a),
    ['j', 'n', { totalNodes: 5, queueWaitMs: 5 }],
  ],
  [
    'job.recordNode',
    (record: never) => metrics.startJob('j', 'n').recordNode(record),
    [{ ...node, durationMs: 5, success: true }],
  ],
  ['job.endJob', (end: never) => metrics.startJob('j', 'n').endJob(end), [{ status: 'failed', errorCode: 'E' }]],
  ['metrics.getRecentJobs', (limit: never) => metrics.getRecentJobs(limit), [5]],
  ['metrics.getResourceHistory', (range: never) => metrics.getResourceHistory(range), [{ minutes: 5 }]],
  ['metrics.restore', (snapshot: never) => new MetricsCollector().restore(snapshot), [metrics.snapshot()]],
  ['new MetricsHistory', (o: never) => new MetricsHistory(o), [{ path: 'p', collector: metrics, logger, clock }]],
  ['histogram.record', (ms: never) => new DurationHistogram().record(ms), [5]],
  ['histogram.merge', (other: never) => new DurationHistogram().merge(other), [new DurationHistogram()]],
  ['histogram.countsUpTo', (bounds: never) => new DurationHistogram().countsUpTo(bounds), [[1, 2]]],
  ['new ResourceMonitor', (o: never) => new ResourceMonitor(o), [{ clock, intervalMs: 5, maxSamples: 5, stores: {} }]],
  ['new Redactor', (o: never) => new Redactor(o), [{ values: ['x'], keys: ['y'], patterns: [/z/], rules: [String] }]],
  ['redactor.addValue', (value: never) => new Redactor().addValue(value), ['x']],
  ['redactor.addRule', (rule: never) => new Redactor().addRule(rule), [String]],
  ['redactor.text', (text: never) => new Redactor({ values: ['x'] }).text(text), ['axb']],
  ['collectorFamilies', collectorFamilies, [metrics.series()]],
  ['family', family, ['jobActive', [[5]]]],
  ['prometheusText', prometheusText, [[family('jobActive', [[5]])]]],
  [
    'createLogger',
    (o: never) => createLogger({ ...(o as object), stream: null }),
    [{ level: 'info', format: 'json', file: { path: join(folder, 'l.log'), maxFiles: 3 }, redact: {}, clock }],
  ],
  ['formatLine', formatLine, [{ at: 'x', level: 'info', message: 'm', fields: {} }, 'human']],
  ['readLog', readLog, [join(folder, 'l.log'), { level: 'info', since: 5, last: 5 }]],
];

afterAll(() => {
  audit.close();
  rmSync(folder, { recursive: true, force: true });
});

const wrong = [undefined, null, '', 'text', Number.NaN, -1, 1.5, true, {}, [], [null], () => 1, Symbol('s')];

function* variants(value: unknown, levels: number): Generator<unknown> {
  yield* wrong;
  if (levels === 0 || typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return;
  for (const [key, part] of Object.entries(value)) {
    for (const other of variants(part, levels - 1)) {
      yield Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    }
  }
}

async function rawErrors([name, run, args]: Call): Promise<readonly string[]> {
  const raw = new Set<string>();
  for (const [index, arg] of args.entries()) {
    for (const variant of variants(arg, 3)) {
      try {
        await Reflect.apply(run, null, args.with(index, variant));
      } catch (thrown) {
        const { code } = thrown as { readonly code?: unknown };
        if (typeof code !== 'string') raw.add(`${name}: ${String(thrown)}`);
      }
    }
  }
  return [...raw];
}

it.each(calls)('%s refuses wrong arguments as its own, never by an error of the language', async (...call) => {
  expect(await rawErrors(call)).toEqual([]);
});

it('names the argument, what it must be and what it was, and records nothing', async () => {
  const before = await audit.getRecent(1);
  const refusals: readonly [() => unknown, string][] = [
    [() => audit.jobFailed({ jobId: 'j' } as never), 'job.error must be an object, but is undefined'],
    [() => audit.nodeContext('n', undefined as never), 'action must be a function, but is undefined'],
    [() => audit.log('job.faild' as never, 'm'), 'type must be one of robot.started'],
    [() => audit.log('job.failed', 'm', { job: '1' } as never), 'options.job must be left out, or be written jobId'],
    [
      () => audit.log('job.failed', 'm', { foo: 1 } as never),
      'options.foo must be left out, or be written severity or',
    ],
    [() => audit.jobCompleted({ jobID: '1', durationMs: 1 }), 'job.jobID must be left out, or be written jobId'],
    [
      () => audit.nodeStarted({ nodeid: '1', nodeType: 't' } as never),
      'node.nodeid must be left out, or be written nodeId',
    ],
    [
      () => audit.query({ type: 'job.failed' } as never),
      'filter.type must be left out, or be written eventTypes, but is',
    ],
    [
      () => audit.query({ job: 'j' } as never),
      'filter.job must be left out, or be written jobId or jobIdPrefix, but is',
    ],
    [() => readAuditLog(folder, { from: 5 } as never), 'or be written eventTypes or severity or jobId'],
    [() => audit.getRecent({ jobId: 'j' } as never), 'filter.limit must be a whole number'],
    [() => healthOf({ ...facts, steps: undefined } as never), 'facts.steps must be a list, but is undefined'],
    [() => new Redactor().addValue(5 as never), 'value must be a text, but is 5'],
    [
      () => new MetricsCollector({ maxRecentJob: 5 } as never),
      'options.maxRecentJob must be left out, or be written maxRecentJobs, but is 5',
    ],
    [() => metrics.startJob('j', 'n').endJob({ sucess: true } as never), 'end.success must be true or false'],
  ];
  for (const [refused, message] of refusals) {
    await expect((async () => refused())()).rejects.toMatchObject({
      ...{ name: 'ArgumentError', code: 'INVALID_ARGUMENT', message: expect.stringContaining(message) },
    });
  }
  expect(await audit.getRecent(1)).toEqual(before);
});
