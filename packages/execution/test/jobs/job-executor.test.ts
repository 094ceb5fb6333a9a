import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { type JobEnd, JobExecutor, type JobRunner, type JobSpec, type RunReport } from '../../src/index.ts';

function report(status: 'completed' | 'cancelled'): RunReport {
  const statistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };
  const end =
    status === 'completed'
      ? { status, ...statistics }
      : { status, reason: 'asked to', requested_by: null, ...statistics };
  return { end, variables: {}, outputs: {}, skipped: [], errors: [] };
}

/** Jobs that run until the test lets them go, or until they are stopped. */
function gatedRunner() {
  const gates = new Map<string, () => void>();
  const stopped = new Map<string, unknown>();
  let peak = 0;
  const runner: JobRunner = {
    run: (job: JobSpec, signal: AbortSignal) =>
      new Promise<RunReport>((resolve) => {
        gates.set(job.jobId, () => {
          gates.delete(job.jobId);
          resolve(report('completed'));
        });
        peak = Math.max(peak, gates.size);
        signal.addEventListener('abort', () => {
          gates.delete(job.jobId);
          stopped.set(job.jobId, signal.reason);
          resolve(report('cancelled'));
        });
      }),
  };
  return {
    runner,
    stopped,
    peak: () => peak,
    running: () => [...gates.keys()],
    finish: async (jobId: string) => {
      gates.get(jobId)?.();
      await turn();
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('JobExecutor', () => {
  it('never runs more jobs than its limit and starts the next as soon as one ends', async () => {
    const gate = gatedRunner();
    const executor = new JobExecutor({ runner: gate.runner, maxConcurrentJobs: 3 });
    await executor.start();
    for (let n = 1; n <= 8; n += 1) await executor.submitJob(`job-${n}`, '{}');
    expect(gate.running()).toEqual(['job-1', 'job-2', 'job-3']);
    expect(executor.getStatus()).toMatchObject({ runningCount: 3, queuedCount: 5, isAtCapacity: true });
    for (let n = 1; n <= 8; n += 1) await gate.finish(`job-${n}`);
    expect(gate.peak()).toBe(3);
    expect(executor.getStatus()).toMatchObject({ runningCount: 0, queuedCount: 0, isAtCapacity: false });
  });

  it('keeps running jobs when the limit is lowered and fills up when it is raised', async () => {
    const gate = gatedRunner();
    const executor = new JobExecutor({ runner: gate.runner, maxConcurrentJobs: 2 });
    await executor.start();
    for (let n = 1; n <= 4; n += 1) await executor.submitJob(`job-${n}`, '{}');
    executor.setMaxConcurrent(1);
    expect(gate.running()).toHaveLength(2);
    await gate.finish('job-1');
    expect(gate.running()).toEqual(['job-2']);
    executor.setMaxConcurrent(3);
    expect(gate.running()).toEqual(['job-2', 'job-3', 'job-4']);
    expect(() => executor.setMaxConcurrent(0)).toThrow(/at least 1/);
  });

  it('runs queued jobs by priority, then by age', async () => {
    const gate = gatedRunner();
    const executor = new JobExecutor({ runner: gate.runner, maxConcurrentJobs: 1 });
    await executor.start();
    await executor.submitJob('first', '{}');
    await executor.submitJob('low', '{}', { priority: -1 });
    await executor.submitJob('normal', '{}');
    await executor.submitJob('urgent', '{}', { priority: 5 });
    await executor.submitJob('urgent-too', '{}', { priority: 5 });
    expect(executor.getStatus().queued).toEqual(['urgent', 'urgent-too', 'normal', 'low']);
  });

  it('refuses a duplicate, a job past the queue limit, and any job while it does not run', async () => {
    const gate = gatedRunner();
    const executor = new JobExecutor({ runner: gate.runner, maxConcurrentJobs: 1, maxQueuedJobs: 1 });
    expect(await executor.submitJob('early', '{}')).toEqual({ accepted: false, reason: 'not-running' });
    await executor.start();
    await executor.submitJob('a', '{}');
    expect(await executor.submitJob('a', '{}')).toEqual({ accepted: false, reason: 'duplicate' });
    await executor.submitJob('b', '{}');
    expect(await executor.submitJob('c', '{}')).toEqual({ accepted: false, reason: 'queue-full' });
  });

  it('cancels a running job through its signal and a queued one without starting it', async () => {
    const gate = gatedRunner();
    const ends: JobEnd[] = [];
    const executor = new JobExecutor({
      runner: gate.runner,
      maxConcurrentJobs: 1,
      onJobComplete: (end) => void ends.push(end),
    });
    await executor.start();
    await executor.submitJob('running', '{}');
    await executor.submitJob('queued', '{}');
    expect(await executor.cancelJob('queued', { reason: 'not needed', requestedBy: 'ann' })).toBe(true);
    expect(await executor.cancelJob('running', { reason: 'stop it' })).toBe(true);
    expect(await executor.cancelJob('unknown')).toBe(false);
    await turn();
    expect(ends.map((end) => [end.job.jobId, end.kind])).toEqual([
      ['queued', 'never-started'],
      ['running', 'ran'],
    ]);
    expect(ends[0]).toMatchObject({ request: { kind: 'cancel', reason: 'not needed', requestedBy: 'ann' } });
    expect(gate.stopped.get('running')).toEqual({ kind: 'cancel', reason: 'stop it', requestedBy: null });
  });

  it('drains on stop, hands back what was queued, and takes nothing new', async () => {
    const gate = gatedRunner();
    const ends: JobEnd[] = [];
    const executor = new JobExecutor({
      runner: gate.runner,
      maxConcurrentJobs: 1,
      onJobComplete: (end) => void ends.push(end),
    });
    await executor.start();
    await executor.submitJob('running', '{}');
    await executor.submitJob('queued', '{}');
    const stopped = executor.stop();
    await turn();
    expect(await executor.submitJob('late', '{}')).toEqual({ accepted: false, reason: 'not-running' });
    expect(gate.running()).toEqual(['running']);
    await gate.finish('running');
    await stopped;
    expect(ends.map((end) => [end.job.jobId, end.kind])).toEqual([
      ['queued', 'never-started'],
      ['running', 'ran'],
    ]);
    expect(executor.getStatus().state).toBe('stopped');
  });

  it('escalates from draining to cancelling when asked again', async () => {
    const gate = gatedRunner();
    const executor = new JobExecutor({ runner: gate.runner });
    await executor.start();
    await executor.submitJob('endless', '{}');
    const drained = executor.stop();
    await executor.stop({ mode: 'cancel', reason: 'second signal' });
    await drained;
    expect(gate.stopped.get('endless')).toMatchObject({ kind: 'cancel', reason: 'second signal' });
  });

  it('frees the slot of a job whose runner or listener breaks, and says so', async () => {
    const errors: unknown[] = [];
    const ends: JobEnd[] = [];
    const executor = new JobExecutor({
      runner: { run: () => Promise.reject(new Error('defect')) },
      maxConcurrentJobs: 1,
      onJobComplete: (end) => {
        ends.push(end);
        throw new Error('listener');
      },
      onError: (error) => errors.push(error),
    });
    await executor.start();
    await executor.submitJob('a', '{}');
    await executor.submitJob('b', '{}');
    await turn();
    await turn();
    expect(ends.map((end) => end.kind)).toEqual(['crashed', 'crashed']);
    expect(errors).toHaveLength(2);
    expect(executor.getStatus().runningCount).toBe(0);
  });
});

describe('JobExecutor, when those around it misbehave', () => {
  it('goes on after a listener that hangs, once its time is over, and says so', async () => {
    const clock = new ManualClock();
    const errors: unknown[] = [];
    const gate = gatedRunner();
    const executor = new JobExecutor({
      runner: gate.runner,
      maxConcurrentJobs: 1,
      completionLimitMs: 5_000,
      onJobComplete: () => new Promise(() => undefined),
      onError: (error) => {
        errors.push(error);
        throw new Error('nobody listens');
      },
      clock,
    });
    await executor.start();
    await executor.submitJob('a', '{}');
    await executor.submitJob('b', '{}');
    await gate.finish('a');
    expect(gate.running()).toEqual([]);
    expect(await executor.submitJob('a', '{}')).toEqual({ accepted: false, reason: 'duplicate' });
    await clock.advance(5_000);
    expect(gate.running()).toEqual(['b']);
    expect(String(errors[0])).toContain('job a has not settled within 5000 ms');
    const stopped = executor.stop();
    await gate.finish('b');
    await clock.advance(5_000);
    await stopped;
    expect(clock.sleeping).toBe(0);
  });

  it('tells every listener that is added, whatever the others do', async () => {
    const gate = gatedRunner();
    const told: string[] = [];
    const executor = new JobExecutor({
      runner: gate.runner,
      onJobComplete: () => Promise.reject(new Error('the first')),
    });
    const remove = executor.addCompletionListener((end) => void told.push(`second ${end.job.jobId}`));
    executor.addCompletionListener((end) => void told.push(`third ${end.job.jobId}`));
    await executor.start();
    await executor.submitJob('a', '{}');
    await gate.finish('a');
    remove();
    await executor.submitJob('b', '{}');
    await gate.finish('b');
    expect(told).toEqual(['second a', 'third a', 'third b']);
  });

  it('does not call a job cancelled that had ended when the cancel came', async () => {
    const gate = gatedRunner();
    let finishTelling: () => void = () => undefined;
    const executor = new JobExecutor({
      runner: gate.runner,
      onJobComplete: () =>
        new Promise((resolve) => {
          finishTelling = resolve;
        }),
    });
    await executor.start();
    await executor.submitJob('a', '{}');
    await gate.finish('a');
    expect(await executor.cancelJob('a', { reason: 'too late' })).toBe(false);
    finishTelling();
    await turn();
    expect(executor.has('a')).toBe(false);
  });
});

describe('JobExecutor refuses arguments', () => {
  const runner = gatedRunner().runner;
  it.each([
    [
      'maxConcurrentJobs must be a whole number of at least 1, but is 0',
      () => new JobExecutor({ runner, maxConcurrentJobs: 0 }),
    ],
    [
      'maxQueuedJobs must be a whole number of at least 0, but is -1',
      () => new JobExecutor({ runner, maxQueuedJobs: -1 }),
    ],
    ['runner must be an object with a method run, but is undefined', () => new JobExecutor({} as never)],
    [
      'maxConcurrentJobs must be a whole number of at least 1, but is NaN',
      () => new JobExecutor({ runner }).setMaxConcurrent(Number.NaN),
    ],
  ])('%s', (message, act) => {
    expect(act).toThrow(message);
  });

  it.each([
    ['jobId must be a text', '', '{}', {}],
    [
      "workflowJson must be a text that is not empty (the workflow file's text; an object has to go through JSON.stringify), but is an object",
      'a',
      { nodes: {} },
      {},
    ],
    ['priority must be a whole number, but is 1.5', 'a', '{}', { priority: 1.5 }],
    ['timeoutMs must be a number of ms above 0, or null for none, but is 0', 'a', '{}', { timeoutMs: 0 }],
    [
      'inDoubtPolicy must be one of "retry", "skip", "fail", "ask", but is "maybe"',
      'a',
      '{}',
      { inDoubtPolicy: 'maybe' },
    ],
    ['variables must be an object of names and values, but is a list', 'a', '{}', { variables: [] }],
  ])('%s', async (message, jobId, workflow, options) => {
    const executor = new JobExecutor({ runner });
    await executor.start();
    await expect(executor.submitJob(jobId, workflow as string, options as never)).rejects.toThrow(message);
    expect(executor.getStatus()).toMatchObject({ runningCount: 0, queuedCount: 0 });
    await expect(executor.stop({ mode: 'abort' as never })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'mode',
    });
    await executor.stop();
  });
});
