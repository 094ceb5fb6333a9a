/**
 * How long a cancel takes, from the robot's knowledge of it (`JobExecutor.cancelJob`) to the end of the node that was
 * running (the journal records the stop once the node has ended), and to the end of the job, when all that it had open is
 * closed: a sleep, an HTTP request, a shell command, a browser's wait; in this process, and in job processes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeLibrary } from '../apps/robot/src/compose-nodes.ts';
import { jobProcessSetup } from '../apps/robot/src/job-process-setup.ts';
import { librarySurroundings } from '../apps/robot/src/library-surroundings.ts';
import { RobotConfig, validateConfig } from '../packages/config/src/index.ts';
import {
  InProcessRunner,
  JobExecutor,
  type JobRunner,
  memoryJournal,
  ProcessRunner,
  type RunJournal,
  type RunObserver,
} from '../packages/execution/src/index.ts';
import { findBrowser } from '../packages/nodes/src/index.ts';
import { printSettings } from './settings.ts';

/** Part of the names of the cases to run; default: all. */
const ONLY = process.env.BENCH_CASES ?? '';
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 20);
const SETTLE_MS = 150;

const home = await mkdtemp(join(tmpdir(), 'casare-cancel-bench-'));
const silent = createServer(() => undefined);
await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;

const settings = new RobotConfig({
  robot: { home },
  permissions: { allowPaths: [], allowCommands: ['*'], allowNet: ['127.0.0.1'] },
});
const config = validateConfig(settings);
const library = await createNodeLibrary(config);
const logger = { log: () => undefined };

interface Case {
  readonly name: string;
  /** The node that is running when the cancel comes is `wait`. */
  readonly nodes: readonly (readonly [id: string, type: string, config: Record<string, unknown>])[];
}

const browser = await findBrowser();
const cases: readonly Case[] = [
  { name: 'sleep (WaitNode)', nodes: [['wait', 'WaitNode', { duration: 600 }]] },
  { name: 'HTTP request', nodes: [['wait', 'HttpRequestNode', { url: address, timeout: 600 }]] },
  { name: 'shell command', nodes: [['wait', 'RunCommandNode', { command: 'sleep 600', shell: true, timeout: 0 }]] },
  ...(browser === null
    ? []
    : [
        {
          name: 'browser wait',
          nodes: [
            ['launch', 'LaunchBrowserNode', {}],
            ['wait', 'WaitForElementNode', { selector: '#never', timeout: 600_000 }],
          ] as const,
        },
      ]),
];

function fileOf({ nodes }: Case): string {
  return JSON.stringify({
    metadata: { name: 'bench' },
    nodes: nodes.map(([node_id, node_type, own]) => ({ node_id, node_type, config: own })),
    connections: nodes.slice(1).map(([id], index) => ({
      source_node: nodes[index]?.[0],
      source_port: 'exec_out',
      target_node: id,
      target_port: 'exec_in',
    })),
  });
}

/** Told by whichever job runs. */
let onWaiting: () => void = () => undefined;
const observerFor = (): RunObserver => ({
  nodeStarted: ({ node_id }) => {
    if (node_id === 'wait') onWaiting();
  },
});
let onStopped: () => void = () => undefined;
function journalFor(): RunJournal {
  const journal = memoryJournal();
  return {
    load: () => journal.load(),
    async commit(entries) {
      if (entries.some(({ kind }) => kind === 'stop')) onStopped();
      await journal.commit(entries);
    },
  };
}
const common = { journalFor, workDirFor: async () => home, observerFor, logger };

interface Times {
  readonly node: number[];
  readonly job: number[];
}

async function measure(runner: JobRunner, one: Case): Promise<Times> {
  const times: Times = { node: [], job: [] };
  const ended = new Map<string, () => void>();
  const executor = new JobExecutor({
    runner,
    maxConcurrentJobs: 1,
    onJobComplete: async ({ job }) => ended.get(job.jobId)?.(),
  });
  await executor.start();
  for (let round = 0; round <= ROUNDS; round += 1) {
    const jobId = `${one.name}-${round}`;
    const over = new Promise<void>((resolve) => ended.set(jobId, resolve));
    const waiting = new Promise<void>((resolve) => {
      onWaiting = resolve;
    });
    await executor.submitJob(jobId, fileOf(one));
    await waiting;
    // The notice comes before the node's own work: give it time to be in the middle of it.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    let nodeMs = Number.NaN;
    const from = performance.now();
    onStopped = () => {
      nodeMs = performance.now() - from;
    };
    await executor.cancelJob(jobId, { reason: 'bench' });
    await over;
    const jobMs = performance.now() - from;
    // The first round warms up.
    if (round === 0) continue;
    times.node.push(nodeMs);
    times.job.push(jobMs);
  }
  await executor.stop();
  return times;
}

const at = (times: readonly number[], share: number): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN)
    .toFixed(1)
    .padStart(8);
};

const inProcess = new InProcessRunner({ ...common, ...librarySurroundings(library) });
const processes = new ProcessRunner({
  ...common,
  entry: new URL('../apps/robot/src/job-process.ts', import.meta.url),
  setup: jobProcessSetup(config),
  env: { ...process.env },
  mark: 'cancel-bench',
  registerPath: join(home, 'job-processes.json'),
  bootId: 'bench',
  warm: 1,
  keep: 1,
});

printSettings({ rounds: ROUNDS, browser: browser?.name ?? 'none' });
console.log(
  '\nms from the cancel to the end of the node: median, 95th percentile, longest; to the end of the job: median',
);
try {
  for (const [where, runner] of [
    ['in this process', inProcess],
    ['in a job process', processes],
  ] as const) {
    for (const one of cases.filter(({ name }) => `${name} ${where}`.includes(ONLY))) {
      const times = await measure(runner, one);
      const node = [0.5, 0.95, 1].map((share) => at(times.node, share)).join(' ');
      console.log(`  ${one.name.padEnd(18)} ${where.padEnd(17)} ${node}   ${at(times.job, 0.5)}`);
    }
  }
} finally {
  await processes.close();
  silent.closeAllConnections();
  silent.close();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}
