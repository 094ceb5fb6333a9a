/** A job that is a loop of small nodes, and runners that give it a process of its own or none. */
import { join } from 'node:path';
import { createNodeLibrary } from '../apps/robot/src/compose-nodes.ts';
import { jobProcessSetup } from '../apps/robot/src/job-process-setup.ts';
import { librarySurroundings } from '../apps/robot/src/library-surroundings.ts';
import { RobotConfig, validateConfig } from '../packages/config/src/index.ts';
import {
  InProcessRunner,
  type JobRunner,
  type JobSpec,
  ProcessRunner,
  type ProcessRunnerOptions,
  type RunJournal,
} from '../packages/execution/src/index.ts';

type JournalFor = (job: JobSpec) => RunJournal;

export function processRunner(
  home: string,
  mark: string,
  journalFor: JournalFor,
  options: Partial<ProcessRunnerOptions>,
): ProcessRunner {
  return new ProcessRunner({
    ...shared(home, journalFor),
    entry: new URL('../apps/robot/src/job-process.ts', import.meta.url),
    setup: jobProcessSetup(configOf(home)),
    env: process.env,
    compileCacheDir: join(home, 'compile-cache'),
    mark,
    registerPath: join(home, `${mark}.json`),
    bootId: 'bench',
    ...options,
  });
}

export async function inProcessRunner(home: string, journalFor: JournalFor): Promise<InProcessRunner> {
  const config = configOf(home);
  const library = await createNodeLibrary(config);
  return new InProcessRunner({ ...shared(home, journalFor), ...librarySurroundings(library, config) });
}

function configOf(home: string): ReturnType<typeof validateConfig> {
  return validateConfig(new RobotConfig({ robot: { home } }));
}

function shared(home: string, journalFor: JournalFor) {
  return { journalFor, workDirFor: async () => home, logger: { log: () => undefined } };
}

/** Start and end, with a loop of so many iterations between them. */
export function loopWorkflow(loops: number): string {
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

/** Ms that a job took. */
export async function timeOfJob(runner: JobRunner, workflowJson: string, jobId = 'job'): Promise<number> {
  const job = {
    jobId,
    name: jobId,
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
