/** The executor under any order of calls: never too many jobs at a time, and every accepted job leaves once. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type JobEnd, JobExecutor, type JobSpec, type RunReport } from '../../src/index.ts';

type Call =
  | { readonly do: 'submit'; readonly id: number; readonly priority: number }
  | { readonly do: 'cancel' | 'suspend'; readonly id: number }
  | { readonly do: 'finish'; readonly nth: number; readonly how: 'completed' | 'defect' }
  | { readonly do: 'limit'; readonly n: number }
  | { readonly do: 'stop'; readonly mode: 'drain' | 'cancel' | 'suspend' }
  | { readonly do: 'start' | 'settle' };

const ids = { min: 0, max: 9 };
const calls = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('submit' as const), id: fc.nat(ids), priority: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'suspend' as const), id: fc.nat(ids) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      nth: fc.nat(5),
      how: fc.constantFrom('completed' as const, 'defect' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('limit' as const), n: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('stop' as const),
      mode: fc.constantFrom('drain' as const, 'cancel' as const, 'suspend' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('start' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
) satisfies fc.Arbitrary<Call>;

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const completed: RunReport = {
  end: { status: 'completed', duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 },
  variables: {},
  outputs: {},
  skipped: [],
  errors: [],
};

/** What the test knows by itself, from the runner's side and from the answers. */
class Watch {
  limit = 2;
  readonly active = new Map<string, { finish(how: 'completed' | 'defect'): void }>();
  readonly accepted = new Map<string, number>();
  readonly left = new Map<string, number>();
  readonly waiting: JobSpec[] = [];
  readonly faults: string[] = [];

  run(job: JobSpec, signal: AbortSignal): Promise<RunReport> {
    if (this.active.size >= this.limit) this.faults.push(`${job.jobId} started beside ${this.active.size} others`);
    if (this.active.has(job.jobId)) this.faults.push(`${job.jobId} started twice`);
    const better = this.waiting.find((other) => other.priority > job.priority);
    if (better !== undefined) this.faults.push(`${job.jobId} started before ${better.jobId}`);
    const index = this.waiting.findIndex((other) => other.jobId === job.jobId);
    if (index !== -1) this.waiting.splice(index, 1);
    return new Promise((resolve, reject) => {
      const end = (how: 'completed' | 'defect'): void => {
        this.active.delete(job.jobId);
        if (how === 'completed') resolve(completed);
        else reject(new Error('defect'));
      };
      this.active.set(job.jobId, { finish: end });
      signal.addEventListener('abort', () => end('completed'));
    });
  }

  leave(end: JobEnd): void {
    const { jobId } = end.job;
    this.left.set(jobId, (this.left.get(jobId) ?? 0) + 1);
    const index = this.waiting.findIndex((other) => other.jobId === jobId);
    if (index !== -1) this.waiting.splice(index, 1);
    if (end.kind === 'crashed' && end.error instanceof Error && end.error.message === 'defect') {
      throw new Error('a listener that fails');
    }
  }
}

async function perform(call: Call, executor: JobExecutor, watch: Watch, stops: Promise<void>[]): Promise<void> {
  switch (call.do) {
    case 'submit': {
      const jobId = `job-${call.id}`;
      const wasHere = executor.has(jobId);
      const { state } = executor.getStatus();
      watch.waiting.push({ jobId, priority: call.priority } as JobSpec);
      const outcome = await executor.submitJob(jobId, '{}', { priority: call.priority });
      if (outcome.accepted) {
        watch.accepted.set(jobId, (watch.accepted.get(jobId) ?? 0) + 1);
        if (wasHere || state !== 'running') watch.faults.push(`${jobId} was accepted, ${state}, here: ${wasHere}`);
        return;
      }
      watch.waiting.splice(
        watch.waiting.findLastIndex((job) => job.jobId === jobId),
        1,
      );
      const expected = state !== 'running' ? 'not-running' : wasHere ? 'duplicate' : 'queue-full';
      if (outcome.reason !== expected) watch.faults.push(`${jobId} was refused as ${outcome.reason}, not ${expected}`);
      return;
    }
    case 'cancel':
      return void executor.cancelJob(`job-${call.id}`, { reason: 'asked' });
    case 'suspend':
      return void executor.suspendJob(`job-${call.id}`, 'asked');
    case 'finish':
      return [...watch.active.values()][call.nth % Math.max(1, watch.active.size)]?.finish(call.how);
    case 'limit':
      watch.limit = call.n;
      return executor.setMaxConcurrent(call.n);
    case 'stop':
      stops.push(executor.stop({ mode: call.mode }));
      return;
    case 'start':
      return executor.start().catch(() => undefined);
    case 'settle':
      return settle();
  }
}

it('never runs more jobs than its limit, and every accepted job leaves exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(calls, { maxLength: 60 }), async (script) => {
      const watch = new Watch();
      const executor = new JobExecutor({
        runner: { run: (job, signal) => watch.run(job, signal) },
        maxConcurrentJobs: watch.limit,
        maxQueuedJobs: 4,
        onJobComplete: (end) => watch.leave(end),
      });
      const stops: Promise<void>[] = [];
      await executor.start();
      for (const call of script) await perform(call, executor, watch, stops);
      stops.push(executor.stop({ mode: 'cancel' }));
      await Promise.all(stops);
      expect(watch.faults).toEqual([]);
      expect([...watch.left].toSorted()).toEqual([...watch.accepted].toSorted());
      expect(executor.getStatus()).toMatchObject({ state: 'stopped', runningCount: 0, queuedCount: 0 });
    }),
    { numRuns: 300 },
  );
});
