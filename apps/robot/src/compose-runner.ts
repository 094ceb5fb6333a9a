/** What runs the robot's jobs: processes of their own, or the robot's own process. */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ValidSettings } from '@casare/config';
import {
  type Clock,
  InProcessRunner,
  type JobRunner,
  type JobSpec,
  type Logger,
  ProcessRunner,
  progressShape,
} from '@casare/execution';
import { secretsOf } from './compose-connection.ts';
import type { NodeLibrary } from './compose-nodes.ts';
import type { RobotIdentity } from './identity.ts';
import type { JobDesk } from './job-desk.ts';
import { jobProcessSetup } from './job-process-setup.ts';
import { librarySurroundings } from './library-surroundings.ts';

export interface RobotRunner extends JobRunner {
  /** Ends what an earlier process of this robot has left; to be called before any job is taken up. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

export interface RunnerParts {
  readonly config: ValidSettings;
  readonly identity: RobotIdentity;
  readonly desk: JobDesk;
  readonly library: NodeLibrary;
  /** Node types that only this process has: with them jobs run here. */
  readonly hasOwnNodes: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
}

const megabyte = 1024 * 1024;

export function composeRunner(parts: RunnerParts): RobotRunner {
  const isolated = parts.config.jobExecution.isolation === 'process' && !parts.hasOwnNodes;
  return isolated ? processRunner(parts) : inProcessRunner(parts);
}

function processRunner({ config, identity, desk, library, logger, clock }: RunnerParts): RobotRunner {
  const { home } = config.robot;
  const { jobProcesses } = config;
  const runner = new ProcessRunner({
    ...commonOptions(config, desk, library),
    entry: new URL(`./job-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
    setup: jobProcessSetup(config),
    env: jobEnvironment(config),
    compileCacheDir: compileCacheDir(home),
    mark: markOf(home, identity.robotId),
    registerPath: join(home, 'job-processes.json'),
    bootId: identity.bootId,
    observerFor: (job, shape) => desk.observerFor(job, shape),
    mayActForMs: (job) => desk.mayActForMs(job),
    mayBeginForMs: (job) => desk.mayBeginForMs(job),
    warm: jobProcesses.warm,
    keep: config.jobExecution.maxConcurrentJobs,
    recycleAfterJobs: jobProcesses.recycleAfterJobs,
    recycleAfterMs: jobProcesses.recycleAfterMs,
    recycleAboveBytes: jobProcesses.recycleAboveMb * megabyte,
    memoryLimitBytes: jobProcesses.memoryLimitMb === null ? null : jobProcesses.memoryLimitMb * megabyte,
    logger,
    clock,
  });
  return {
    run: (job, signal) => runner.run(job, signal),
    prepare: () => runner.reclaim(),
    close: () => runner.close(),
  };
}

function inProcessRunner({ config, desk, library, logger, clock }: RunnerParts): RobotRunner {
  const runner = new InProcessRunner({
    ...commonOptions(config, desk, library),
    ...librarySurroundings(library, config),
    observerFor: (job, workflow) => desk.observerFor(job, progressShape(workflow)),
    logger,
    clock,
  });
  return {
    run: (job, signal) => runner.run(job, signal),
    prepare: async () => undefined,
    close: async () => undefined,
  };
}

function commonOptions({ robot, jobExecution }: ValidSettings, desk: JobDesk, library: NodeLibrary) {
  return {
    journalFor: (job: JobSpec) => desk.journalFor(job),
    workDirFor: async (job: JobSpec) => {
      const folder = join(robot.home, 'work', job.jobId);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // From here on the robot's own log knows the secrets that the job's process may print (I8).
      await library.withoutSecrets(job.workflowJson, null);
      return folder;
    },
    nodeTimeoutMs: jobExecution.nodeTimeoutMs,
    jobTimeoutMs: jobExecution.jobTimeoutMs,
    inDoubtPolicy: jobExecution.inDoubtPolicy,
    cancelGraceMs: jobExecution.cancelGraceMs,
  };
}

/** What systemd tells a service, and nobody else. */
const serviceVariables: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']);

/** The database is the supervisor's: no node, and no command that a node starts, has any use for its keys (I8). */
function jobEnvironment(config: ValidSettings): Readonly<Record<string, string | undefined>> {
  const secrets = new Set(secretsOf(config));
  const isOurs = ([name, value = '']: readonly [string, string | undefined]): boolean =>
    secrets.has(value) || serviceVariables.has(name);
  // biome-ignore lint/style/noProcessEnv: what the robot was started with is what its jobs may see, but for the keys
  return Object.fromEntries(Object.entries(process.env).filter((variable) => !isOurs(variable)));
}

/** Node.js's own variable is respected, so that several robots can share what they have compiled. */
function compileCacheDir(home: string): string {
  // biome-ignore lint/style/noProcessEnv: a setting of Node.js, not of the robot
  if (process.env.NODE_COMPILE_CACHE !== undefined) return process.env.NODE_COMPILE_CACHE;
  const folder = join(home, 'compile-cache');
  // Node.js would make it for everybody, as far as the umask lets it.
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Two robots on a machine have different homes, and a home that was copied has another path. */
function markOf(home: string, robotId: string): string {
  return createHash('sha256')
    .update(`${realpathSync(home)}\0${robotId}`)
    .digest('hex')
    .slice(0, 24);
}
