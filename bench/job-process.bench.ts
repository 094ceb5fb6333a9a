/**
 * What a process of its own costs a job: a job of two nodes in this process, in a process that is ready, and in one that
 * has to be started first; and what each step costs when its commit goes through a pipe. The journal is in memory, so
 * that nothing but the runner is measured; the node library is the robot's.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobRunner, memoryJournal } from '../packages/execution/src/index.ts';
import { inProcessRunner, loopWorkflow, processRunner, timeOfJob } from './loop-job.ts';
import { printSettings } from './settings.ts';

const JOBS = Number(process.env.BENCH_JOBS ?? 30);
const LOOPS = Number(process.env.BENCH_LOOPS ?? 500);

const home = mkdtempSync(join(tmpdir(), 'casare-bench-'));
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
  for (const [, runner] of runners) await timeOfJob(runner, workflowJson);
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, [, runner]] of runners.entries()) rows[n]?.[1].push(await timeOfJob(runner, workflowJson));
  }
  return rows;
}

printSettings({ jobs: JOBS, iterations: LOOPS });
const journalFor = () => memoryJournal();
const inside = ['in this process', await inProcessRunner(home, journalFor)] as const;
const kept = processRunner(home, 'kept', journalFor, { warm: 0, keep: 1 });
const cold = processRunner(home, 'cold', journalFor, { warm: 0, keep: 0 });
const ready = ['in a process that is ready', kept] as const;
const started = ['in a process that is started for it', cold] as const;
print('a job of two nodes', await compare([inside, ready, started], loopWorkflow(0), JOBS));
print(`a loop of ${LOOPS} iterations, each committed`, await compare([inside, ready], loopWorkflow(LOOPS), 5));
await Promise.all([kept.close(), cold.close()]);
rmSync(home, { recursive: true, force: true });
