/**
 * What a step of a job costs at its beginning and at its end, and how long a robot that was killed takes until such a job
 * goes on: through the robot's own journal, the sealing of secrets, the store with its outbox, and the engine's fold.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeskJob } from '../apps/robot/src/desk-job.ts';
import { durableJobs } from '../apps/robot/src/durable-jobs.ts';
import { snapshotEveryEntries } from '../apps/robot/src/job-journal.ts';
import { runWorkflow } from '../packages/execution/src/engine/run-workflow.ts';
import { checkWorkflow } from '../packages/execution/src/model/check-workflow.ts';
import { createNodeRegistry } from '../packages/execution/src/model/registry.ts';
import { systemClock } from '../packages/execution/src/system-clock.ts';
import { CheckpointManager } from '../packages/offline-store/src/checkpoint-manager.ts';
import { OfflineQueue } from '../packages/offline-store/src/offline-queue.ts';
import { openStore } from '../packages/offline-store/src/open-store.ts';
import { openKeyFolder } from '../packages/offline-store/src/secrets/key-folder.ts';
import { printSettings } from './settings.ts';

const SHORT = 100;
const LONG = Number(process.env.BENCH_STEPS ?? 100_000);
const SYNCHRONOUS = process.env.BENCH_SYNCHRONOUS === 'full' ? 'full' : 'normal';
/** Steps whose time is compared, at the beginning and at the end. */
const PART = 1_000;

const registry = createNodeRegistry([]);
const logger = { log: () => undefined };

/** Three steps a turn: the loop, a counter, and a text that holds the secret or does not. */
function workflow(text: string) {
  const node = (node_id: string, node_type: string, config: object) => ({ node_id, node_type, config });
  const line = (source_node: string, source_port: string, target_node: string) => ({
    source_node,
    source_port,
    target_node,
    target_port: 'exec_in',
  });
  return JSON.stringify({
    metadata: { name: 'bench' },
    nodes: {
      loop: node('loop', 'ForLoopStartNode', { mode: 'range', start: 0, end: LONG }),
      add: node('add', 'IncrementVariableNode', { variable_name: 'n' }),
      set: node('set', 'SetVariableNode', { variable_name: 'text', value: text }),
    },
    connections: [line('loop', 'body', 'add'), line('add', 'exec_out', 'set')],
  });
}

interface Robot {
  /** Runs the job until that many steps have been recorded; resolves with the time at each of them. */
  runTo(steps: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** @returns the robot, and how long it took to open its store and to find its unfinished job */
async function openRobot(folder: string, workflowJson: string, isNew: boolean): Promise<Robot> {
  const store = await openStore({
    path: join(folder, 'store.db'),
    robotId: 'bench',
    synchronous: SYNCHRONOUS,
    keys: openKeyFolder(join(folder, 'keys')),
    logger,
  });
  const queue = new OfflineQueue({ store, robotId: 'bench' });
  const jobs = durableJobs({ queue, checkpoints: new CheckpointManager(queue), bootId: 'boot', bootClock: () => 0 });
  if (isNew) await queue.cacheJob({ jobId: 'bench', workflowJson, leaseToken: '1', name: 'bench' });
  const [record] = await jobs.unfinished();
  if (record === undefined) throw new Error('the store has no unfinished job');
  const { workflow: checked, findings } = checkWorkflow(record.workflowJson, registry);
  if (checked === null) throw new Error(JSON.stringify(findings));
  return {
    async runTo(steps) {
      const stop = new AbortController();
      const times: number[] = [];
      const job = new DeskJob(record, {
        store: jobs,
        telemetry: {} as never,
        reporter: null,
        logger,
        clock: systemClock,
        checkpoints: { enabled: true, onEveryNode: true },
        onOutbox: () => {
          times.push(performance.now());
          if (times.length === steps) stop.abort({ kind: 'suspend', reason: 'killed' });
        },
        onOver: () => undefined,
        isLeaseEnding: () => false,
        onCommitting: () => undefined,
      });
      await job.interruption();
      const { end } = await runWorkflow({
        jobId: 'bench',
        workflow: checked,
        registry,
        journal: job.journal,
        clock: systemClock,
        logger,
        workDir: tmpdir(),
        inDoubtPolicy: 'ask',
        nodeTimeoutMs: 120_000,
        secrets: { get: async () => 'a secret value of some length' },
        signal: stop.signal,
      });
      job.close();
      if (end.status !== 'suspended' || end.cause !== 'asked') throw new Error(JSON.stringify(end));
      return times;
    },
    close: () => store.close(),
  };
}

/** Ms from opening the store to the first step that is recorded again. */
async function measure(name: string, text: string, steps: number): Promise<{ readonly recoveryMs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'recovery-bench-'));
  try {
    const first = await openRobot(folder, workflow(text), true);
    const times = await first.runTo(steps);
    await first.close();
    const part = Math.min(PART, Math.floor(times.length / 4));
    const perStep = (from: number): number => ((times[from + part] ?? 0) - (times[from] ?? 0)) / part;
    const [early, late] = [perStep(part), perStep(times.length - part - 2)];
    const startedAt = performance.now();
    const second = await openRobot(folder, workflow(text), false);
    const openedAt = performance.now();
    const [goesOnAt = Number.NaN] = await second.runTo(1);
    await second.close();
    const recoveryMs = goesOnAt - startedAt;
    console.log(
      `${name.padEnd(16)} ${steps.toLocaleString('en').padStart(9)} steps: ${(early * 1_000).toFixed(0)} us each at the beginning, ${(late * 1_000).toFixed(0)} us at the end (${(late / early).toFixed(2)} x); goes on after ${recoveryMs.toFixed(0)} ms, ${(openedAt - startedAt).toFixed(0)} of them opening`,
    );
    return { recoveryMs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

printSettings({
  steps: LONG,
  synchronous: SYNCHRONOUS,
  'snapshot every': `${snapshotEveryEntries.toLocaleString('en')} entries`,
});
await measure('warm-up', 'item {{item}}', SHORT);
for (const [name, text] of [
  ['plain', 'item {{item}} of {{n}}'],
  ['with a secret', 'item {{item}} of {{$secret:key}}'],
] as const) {
  const short = await measure(name, text, SHORT);
  const long = await measure(name, text, LONG);
  console.log(
    `${name.padEnd(16)} recovery of ${LONG.toLocaleString('en')} steps / of ${SHORT}: ${(long.recoveryMs / short.recoveryMs).toFixed(2)} x (at most 1,000 ms: ${long.recoveryMs < 1_000 ? 'kept' : 'NOT KEPT'})`,
  );
}
