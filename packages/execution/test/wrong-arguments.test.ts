import { expect, it } from 'vitest';
import {
  bundleWorkflow,
  CancellationChecker,
  checkWorkflow,
  createAccessPolicy,
  createNodeRegistry,
  describeNodeType,
  InProcessRunner,
  JobExecutor,
  JobGateway,
  JobLocker,
  JobProgress,
  memoryJournal,
  ProcessRunner,
  ProgressReporter,
  progressShape,
  runWorkflow,
  SecretTexts,
  systemClock,
  withHidden,
  workflowJsonSchema,
} from '../src/index.ts';

/** A call with arguments that are right; each is then replaced, and each part of it, by something wrong. */
type Call = readonly [name: string, call: (...args: never[]) => unknown, args: readonly unknown[]];

const id = '0190b6c2-0000-7000-8000-000000000001';
const lease = { jobId: id, leaseToken: '5' };
const call = { timeoutMs: 1_000 };
const claim = { requestId: id, limit: 1, capabilities: ['a'], tags: [] };
const at = '2026-01-01T00:00:00.000Z';
const runner = { run: async () => Promise.reject(new Error('not meant to run')) };
const registry = createNodeRegistry([]);
const { workflow } = checkWorkflow('{"nodes":{"a":{"node_type":"StartNode"}}}', registry);
const logger = { log: () => undefined };

const run = {
  ...{ jobId: 'j', workflow, registry, journal: memoryJournal(), clock: systemClock, logger, workDir: '/tmp' },
  ...{ inDoubtPolicy: 'fail', nodeTimeoutMs: 50 },
};

const sent: string[] = [];
const rpc = { rpc: async (name: string) => void sent.push(name) };
const gateway = new JobGateway(rpc as never);

const gatewayCalls: Readonly<Record<string, readonly unknown[]>> = {
  registerRobot: [
    { robotId: id, name: 'r', capabilities: [], tags: [], maxConcurrentJobs: 1, version: '1', bootId: 'b' },
  ],
  claimJobs: [{ ...claim, robotId: id, lockTimeoutMs: 1_000 }, call],
  claimJob: [id, id, 1_000, call],
  heartbeatJobs: [id, [lease], 1_000, call],
  robotTurn: [
    { robotId: id, leases: [lease], lockTimeoutMs: 1_000, presence: { status: 'idle', metrics: {} }, claim },
    call,
  ],
  robotHeartbeat: [id, 'idle', {}, call],
  reportProgress: [lease, {}, call],
  reportProgressBatch: [[{ lease, progress: {} }], call],
  recordEvents: [lease, [{ seq: 1, kind: 'k', node_id: null, at, payload: {} }], call],
  setInDoubt: [lease, [{ node_id: 'a', step: 1, attempt: 1, reason: 'r', answers: ['retry'] }], call],
  completeJob: [lease, { status: 'completed', result: {}, error: null }, call],
  releaseJob: [lease, 'why', { ...call, delayMs: 1 }],
  enqueueJob: [{ workflow: '{}', variables: {}, name: 'n', priority: 1, timeoutMs: 1, maxAttempts: 1 }, call],
  cancelJob: [id, 'why', call],
  resolveJob: [id, 'retry', { nodeId: 'a', step: 1 }, call],
  answerDoubt: [lease, 'retry', { node_id: 'a', step: 1, attempt: 1 }, 'ann', call],
  redriveJob: [id, call],
  getJob: [id, call],
  listJobs: [{ status: 'running', limit: 5 }, call],
  findJobs: ['01', 5, call],
  getJobHistory: [id, call],
  appendJobLogs: [[{ ...lease, firstSeq: 1, lines: [{ at, level: 'info', nodeId: null, message: 'm' }] }], call],
  getJobLogs: [id, { leaseToken: '0', seq: 0 }, { ...call, limit: 5 }],
};

const locker = (): JobLocker => {
  const made = new JobLocker({ gateway, robotId: id });
  made.adopt(lease, 900);
  return made;
};
const executor = (): JobExecutor => new JobExecutor({ runner });
const leases = { heartbeatAll: async () => [] };
const reporting = { reportProgressBatch: async () => [] };

const calls: readonly Call[] = [
  ...Object.entries(gatewayCalls).map(
    ([name, args]): Call => [
      `gateway.${name}`,
      (...given) => Reflect.apply(Reflect.get(gateway, name), gateway, given),
      args,
    ],
  ),
  ['new JobGateway', (port: never) => new JobGateway(port), [rpc]],
  ['new JobLocker', (o: never) => new JobLocker(o), [{ gateway, robotId: id, lockTimeoutMs: 5, clock: systemClock }]],
  ['locker.tryClaim', (...a: never[]) => locker().tryClaim(...(a as never as [string])), [id, call]],
  ['locker.claim', (...a: never[]) => locker().claim(...(a as never as [never])), [claim, call]],
  ['locker.adopt', (...a: never[]) => locker().adopt(...(a as never as [never, never])), [lease, 900]],
  ['locker.heartbeat', (...a: never[]) => locker().heartbeat(...(a as never as [never])), [id, call]],
  ['locker.turn', (...a: never[]) => locker().turn(...(a as never as [never])), [{ presence: null, claim }, call]],
  [
    'locker.release',
    (...a: never[]) => locker().release(...(a as never as [never])),
    [id, { status: 'failed', error: {} }],
  ],
  [
    'new JobExecutor',
    (o: never) => new JobExecutor(o),
    [{ runner, maxConcurrentJobs: 1, onJobStart: () => 0, onError: () => 0, clock: systemClock }],
  ],
  [
    'executor.submitJob',
    (...a: never[]) => executor().submitJob(...(a as never as [never, never])),
    ['j', '{}', { answers: [], timeoutMs: 5 }],
  ],
  ['executor.cancelJob', (...a: never[]) => executor().cancelJob(...(a as never as [never])), ['j', { reason: 'r' }]],
  [
    'executor.suspendJob',
    (...a: never[]) => executor().suspendJob(...(a as never as [never, never])),
    ['j', 'r', { withinMs: 1 }],
  ],
  ['executor.stop', (o: never) => executor().stop(o), [{ mode: 'drain' }]],
  [
    'new CancellationChecker',
    (o: never) => new CancellationChecker(o),
    [{ leases, checkIntervalMs: 5, clock: systemClock }],
  ],
  [
    'checker.start',
    (...a: never[]) => {
      const checker = new CancellationChecker({ leases });
      try {
        checker.start(...(a as never as [never]));
      } finally {
        checker.stop();
      }
    },
    ['j', { onStale: () => 0 }, { leaseToken: '1' }],
  ],
  [
    'new ProgressReporter',
    (o: never) => new ProgressReporter(o),
    [{ gateway: reporting, updateIntervalMs: 5, onNews: () => 0 }],
  ],
  [
    'reporter.startJob',
    (...a: never[]) => {
      const reporter = new ProgressReporter({ gateway: reporting });
      try {
        reporter.startJob(...(a as never as [never]));
      } finally {
        reporter.stop();
      }
    },
    [lease, { totalNodes: 5 }],
  ],
  ['new JobProgress', (o: never) => new JobProgress(o), [{ totalNodes: 5, clock: systemClock }]],
  ['progressShape', progressShape, [workflow]],
  ['runWorkflow', runWorkflow, [{ ...run, variables: {}, jobTimeoutMs: 50, answers: [], secrets: {} }]],
  [
    'new InProcessRunner',
    (o: never) => new InProcessRunner(o),
    [{ registry, journalFor: memoryJournal, workDirFor: async () => '/tmp', logger }],
  ],
  [
    'new ProcessRunner',
    (o: never) => new ProcessRunner(o),
    [
      {
        ...{ entry: new URL('file:///none.mjs'), setup: {}, env: {}, mark: 'm', registerPath: '/none', bootId: 'b' },
        ...{ journalFor: memoryJournal, workDirFor: async () => '/tmp', logger, warm: 0, memoryLimitBytes: 5 },
      },
    ],
  ],
  ['createNodeRegistry', createNodeRegistry, [[{ type: 'A', aliases: ['b'] }]]],
  ['checkWorkflow', checkWorkflow, ['{}', registry, { maxNodes: 5 }]],
  ['bundleWorkflow', bundleWorkflow, ['{}', async () => ({ kind: 'missing' }), { limits: { maxNodes: 5 } }]],
  ['workflowJsonSchema', workflowJsonSchema, [registry]],
  ['describeNodeType', describeNodeType, [registry.get('IfNode')]],
  ['createAccessPolicy', createAccessPolicy, [{ allowPaths: [], allowNet: [] }]],
  ['memoryJournal', memoryJournal, [[]]],
  ['withHidden', withHidden, [{}, [['a']]]],
  ['secrets.learn', (value: never) => new SecretTexts().learn(value), ['s']],
];

const wrong = [undefined, null, '', 'text', Number.NaN, -1, 1.5, true, {}, [], [null], () => 1, Symbol('s'), 10n];

function* variants(value: unknown, levels: number): Generator<unknown> {
  yield* wrong;
  if (levels === 0 || typeof value !== 'object' || value === null) return;
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype) return;
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
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (typeof code !== 'string') raw.add(`${name}: ${String(error)}`);
      }
    }
  }
  return [...raw];
}

it.each(calls)('%s refuses wrong arguments as its own, never by an error of the language', async (...wrongCall) => {
  expect(await rawErrors(wrongCall)).toEqual([]);
});

it('names the argument and what it must be, and sends and changes nothing', async () => {
  sent.length = 0;
  const held = locker();
  const maybe = [{ node_id: 'a', step: 1, attempt: 1, answer: 'maybe', by: 'ann', at }] as never;
  const refusals: readonly [() => unknown, string][] = [
    [() => gateway.getJob(undefined as never), 'jobId must be a text that is not empty, but is undefined'],
    [
      () => gateway.claimJob(id, id, -1),
      'lockTimeoutMs must be a whole number of ms from 1 to 604800000 (7 days), but is -1',
    ],
    [
      () => gateway.heartbeatJobs(id, [{ jobId: id } as never], 5),
      'leases[0].leaseToken must be a text, but is undefined',
    ],
    [
      () => gateway.enqueueJob({ workflow: '{}', timeoutms: 5 } as never),
      'request.timeoutms must be left out, or be written timeoutMs, but is 5',
    ],
    [
      () => gateway.completeJob(lease, { status: 'done' as never, result: null, error: null }),
      'end.status must be one of "completed", "failed", "cancelled", but is "done"',
    ],
    [() => gateway.reportProgress(lease, { rows: 5n as never }), 'rows must be a value of JSON'],
    [() => held.release(id, null as never), 'end must be an object, but is null'],
    [() => held.release(id, { stauts: 'failed' } as never), 'end.stauts must be left out, or be written status'],
    [() => held.adopt(null as never, 5), 'lease must be an object, but is null'],
    [
      () => held.adopt({ jobId: 'other', leaseToken: '1' }, Number.NaN),
      'remainingMs must be a number of ms, but is NaN',
    ],
    [
      () => new CancellationChecker({ leases, checkIntervalMs: Number.NaN }),
      'checkIntervalMs must be a number of ms above 0, but is NaN',
    ],
    [
      () => runWorkflow({ ...run, nodeTimoutMs: 5 } as never),
      'options.nodeTimoutMs must be left out, or be written nodeTimeoutMs, but is 5',
    ],
    [
      () => runWorkflow({ ...run, variable: {} } as never),
      'options.variable must be left out, or be written variables, but is an object',
    ],
    [
      () => runWorkflow({ ...run, answers: maybe } as never),
      'options.answers[0].answer must be one of "retry", "skip", "fail", "restart", but is "maybe"',
    ],
    [
      () => createNodeRegistry([{ type: 'IfNode' } as never]),
      'types[0].type must be a name that no other type has, but is "IfNode"',
    ],
    [() => executor().submitJob('j', '{}', { answers: maybe }), 'answers[0].answer must be one of "retry"'],
  ];
  for (const [refused, message] of refusals) {
    await expect((async () => refused())()).rejects.toMatchObject({
      name: 'ArgumentError',
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  }
  expect(sent).toEqual([]);
  expect(held.held).toMatchObject([lease]);
});

it('takes what is unusual, but right', async () => {
  const held = locker();
  held.adopt({ jobId: 'long ago', leaseToken: '7' }, Number.NEGATIVE_INFINITY);
  expect(held.remainingMs('long ago')).toBe(Number.NEGATIVE_INFINITY);
  expect(await executor().cancelJob('j', { reason: '' })).toBe(false);
  expect(await executor().suspendJob('j', '', { withinMs: -5 })).toBe(false);
  sent.length = 0;
  await expect(gateway.getJob(id, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'GATEWAY_ANSWER_INVALID' });
  const whole = { node_id: null, step: null, attempt: null, reason: '', answers: ['restart'] } as const;
  await expect(gateway.setInDoubt(lease, [whole as never])).rejects.toMatchObject({ code: 'GATEWAY_ANSWER_INVALID' });
  expect(sent).toEqual(['get_job', 'set_in_doubt']);
});
