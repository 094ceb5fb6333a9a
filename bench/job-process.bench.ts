/**
 * What a process of its own costs a job: a job of two nodes in this process, in a process that is ready, and in one that
 * has to be started first; and what each step costs when its commit goes through a pipe. The journal is in memory, so
 * that nothing but the runner is measured; the node library is the robot's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeLibrary } from '../apps/robot/src/compose-nodes.ts';
import { jobProcessSetup } from '../apps/robot/src/job-process-setup.ts';
import { librarySurroundings } from '../apps/robot/src/library-surroundings.ts';
import { RobotConfig, validateConfig } from '../packages/config/src/index.ts';
import {
  InProcessRunner,
  type JobRunner,
  memoryJournal,
  ProcessRunner,
  type ProcessRunnerOptions,
} from '../packages/execution/src/index.ts';
import { printSettings } from './settings.ts';

const JOBS = Number(process.env.BENCH_JOBS ?? 30);
const LOOPS = Number(process.env.BENCH_LOOPS ?? 500);

const home = mkdtempSync(join(tmpdir(), 'casare-bench-'));
const config = validateConfig(new RobotConfig({ robot: { home } }));
const shared = {
  journalFor: () => memoryJournal(),
  workDirFor: async () => home,
  logger: { log: () => undefined },
};

function processRunner(mark: string, options: Partial<ProcessRunnerOptions>): ProcessRunner {
  return new ProcessRunner({
    ...shared,
    entry: new URL('../apps/robot/src/job-process.ts', import.meta.url),
    setup: jobProcessSetup(config),
    env: process.env,
    compileCacheDir: join(home, 'compile-cache'),
    mark,
    registerPath: join(home, `${mark}.json`),
    bootId: 'bench',
    ...options,
  });
}

function flow(loops: number): string {
  const nodes = {
    start: { node_id: 'start', node_type: 'StartNode', config: {} },
    loop: { node_id: 'loop', node_type: 'ForLoopStartNode', config: { mode: 'range', start: 0, end: loops } },
    set: {
      node_id: 'set',
      node_type: 'SetVariableNode',
      config: { variable_name: 'n', value: '{{loop.current_index}}' },
    },
    loop_end: { node_id: 'loop_end', node_type: 'ForLoopEndNode', config: { paired_start_id: 'loop' } },
    end: { node_id: 'end', node_type: 'EndNode', config: {} },
  };
  const exec = (source_node: string, target_node: string, source_port = 'exec_out') => {
    return { source_node, source_port, target_node, target_port: 'exec_in' };
  };
  const connections =
    loops === 0
      ? [exec('start', 'end')]
      : [exec('start', 'loop'), exec('loop', 'set', 'body'), exec('set', 'loop_end'), exec('loop', 'end', 'completed')];
  const used = loops === 0 ? { start: nodes.start, end: nodes.end } : nodes;
  return JSON.stringify({ nodes: used, connections });
}

async function timeOf(runner: JobRunner, workflowJson: string): Promise<number> {
  const job = {
    jobId: 'job',
    name: 'job',
    workflowJson,
    variables: {},
    priority: 0,
    inDoubtPolicy: null,
    timeoutMs: null,
  };
  const startedAt = performance.now();
  const { end } = await runner.run(job, new AbortController().signal);
  if (end.status !== 'completed') throw new Error(JSON.stringify(end));
  return performance.now() - startedAt;
}

function print(title: string, rows: readonly (readonly [name: string, times: readonly number[]])[]): void {
  console.log(`\n${title} (ms: median, lowest, highest; ratio to the first)`);
  const medians = rows.map(([, times]) => at(times, 0.5));
  for (const [n, [name, times]] of rows.entries()) {
    const figures = [0.5, 0, 1].map((share) => at(times, share).toFixed(2).padStart(9)).join(' ');
    console.log(`  ${name.padEnd(38)} ${figures}   ${((medians[n] ?? 0) / (medians[0] ?? 1)).toFixed(2)}x`);
  }
}

function at(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))] ?? Number.NaN;
}

/** Rounds are interleaved, so that what disturbs the machine disturbs all runners. */
async function compare(
  runners: readonly (readonly [name: string, runner: JobRunner])[],
  workflowJson: string,
  rounds: number,
): Promise<readonly (readonly [name: string, times: readonly number[]])[]> {
  const rows = runners.map(([name]) => [name, [] as number[]] as const);
  for (const [, runner] of runners) await timeOf(runner, workflowJson);
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, [, runner]] of runners.entries()) rows[n]?.[1].push(await timeOf(runner, workflowJson));
  }
  return rows;
}

printSettings({ jobs: JOBS, iterations: LOOPS });
const inside = [
  'in this process',
  new InProcessRunner({ ...shared, ...librarySurroundings(await createNodeLibrary(config)) }),
] as const;
const kept = processRunner('kept', { warm: 0, keep: 1 });
const cold = processRunner('cold', { warm: 0, keep: 0 });
const ready = ['in a process that is ready', kept] as const;
const started = ['in a process that is started for it', cold] as const;
print('a job of two nodes', await compare([inside, ready, started], flow(0), JOBS));
print(`a loop of ${LOOPS} iterations, each committed`, await compare([inside, ready], flow(LOOPS), 5));
await Promise.all([kept.close(), cold.close()]);
rmSync(home, { recursive: true, force: true });
