/**
 * Runs each job in a process of its own, so that a node that blocks, leaks, hangs or dies can hurt nothing but its job.
 *
 * The processes come from a pool, are named in a register for the supervisor that may come after this one, and are
 * watched for the memory they use. What becomes of one job: see `process-run.ts`.
 */
import {
  ArgumentError,
  requireClock,
  requireFunctions,
  requireMethods,
  requireObject,
  requireText,
} from '../argument-error.ts';
import {
  aFunction,
  anyMs,
  numberFrom,
  object,
  oneOf,
  requireShape,
  shapeOf,
  timeLimitMs,
  wholeFrom,
} from '../argument-shapes.ts';
import type { InDoubtPolicy, RunObserver, RunReport } from '../engine/run-options.ts';
import { jobLogger } from '../job-logger.ts';
import type { JobRunner, JobSpec } from '../jobs/job-runner.ts';
import type { ProgressShape } from '../jobs/progress-shape.ts';
import type { JsonObject } from '../json.ts';
import type { Clock, Logger, RunJournal } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { JobProcess } from './job-process.ts';
import { endLeftovers, LeftoverProcessesError } from './leftovers.ts';
import { MemoryWatch } from './memory-watch.ts';
import { compileCacheVariable } from './messages.ts';
import { ProcessPool } from './process-pool.ts';
import { ProcessRegister } from './process-register.ts';
import { ProcessRun } from './process-run.ts';

export interface ProcessRunnerOptions {
  /** The script that calls `serveJobs`. */
  readonly entry: URL;
  /** What the script needs to make the node library; plain data without secrets. */
  readonly setup: JsonObject;
  /** Environment of the processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the robot's own where Node.js keeps compiled code, so that processes start faster. Default: none. */
  readonly compileCacheDir?: string;
  /** Names this robot on this machine: what it marks its processes with. Letters, digits, `-` and `_`. */
  readonly mark: string;
  /** File that names the live processes. */
  readonly registerPath: string;
  /** Which boot of the machine this is. */
  readonly bootId: string;
  readonly journalFor: (job: JobSpec) => RunJournal;
  /**
   * For how long a job may still act, in ms; null: for as long as it takes. Asked again and again while it runs. The job's
   * process ends itself then, also when this one is stopped or hangs. Default: null.
   */
  readonly mayActForMs?: (job: JobSpec) => number | null;
  /**
   * For how long a node of the job may still begin, in ms; null: no matter when. Asked with each commit; the job's process
   * looks at it again right before it calls the node, since it may have been stopped meanwhile. Default: null.
   */
  readonly mayBeginForMs?: (job: JobSpec) => number | null;
  /** Absolute folder that the job's relative paths mean; asked for when the workflow has passed its check. */
  readonly workDirFor: (job: JobSpec) => Promise<string>;
  readonly observerFor?: (job: JobSpec, shape: ProgressShape) => RunObserver;
  /** For nodes whose workflow sets no limit, in ms. Default 120,000. */
  readonly nodeTimeoutMs?: number;
  /** For jobs without a limit of their own, in ms. Default: none. */
  readonly jobTimeoutMs?: number | null;
  /** For jobs without a policy of their own. Default `fail`. */
  readonly inDoubtPolicy?: InDoubtPolicy;
  /** How long a stopped node, and then finally bodies, may take to end before the process is killed, in ms. Default 10,000. */
  readonly cancelGraceMs?: number;
  /** Processes that are started before there are jobs for them. Default 1. */
  readonly warm?: number;
  /** Processes that are kept for further jobs once they have run one, at most. Default 3. */
  readonly keep?: number;
  /** Jobs after which a process is replaced. Default 100. */
  readonly recycleAfterJobs?: number;
  /** Age at which it is replaced, in ms. Default one hour. */
  readonly recycleAfterMs?: number;
  /** Resident memory after a job above which it is replaced, in bytes. Default 512 MB. */
  readonly recycleAboveBytes?: number;
  /** Memory that a job may use, its browser and all it starts included, in bytes; null: no limit. Default 2 GB. */
  readonly memoryLimitBytes?: number | null;
  readonly logger: Logger;
  readonly clock?: Clock;
}

const MEGABYTE = 1024 * 1024;

/**
 * @example
 * const runner = new ProcessRunner({ entry: new URL('./job-process.js', import.meta.url), setup: {}, ...rest });
 * await runner.reclaim();
 * const executor = new JobExecutor({ runner });
 * // ... at the end:
 * await executor.stop();
 * await runner.close();
 */
export class ProcessRunner implements JobRunner {
  readonly #options: ProcessRunnerOptions;
  readonly #clock: Clock;
  readonly #register: ProcessRegister;
  readonly #memory: MemoryWatch;
  #pool: ProcessPool | null = null;
  #started = 0;

  /** @throws ArgumentError naming the option that cannot be */
  constructor(options: ProcessRunnerOptions) {
    requireRunnerOptions(options);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { registerPath: path, bootId, mark } = options;
    this.#register = new ProcessRegister({
      path,
      bootId,
      mark,
      onError: (error) =>
        options.logger.log('warning', `the list of job processes cannot be written: ${String(error)}`, { path }),
    });
    this.#memory = new MemoryWatch(
      options.memoryLimitBytes === undefined ? 2_048 * MEGABYTE : options.memoryLimitBytes,
      this.#clock,
    );
  }

  /**
   * Kills what an earlier supervisor of this robot has left, proves it gone, and makes the first processes ready. To be
   * called once, before any job is taken up.
   *
   * @throws LeftoverProcessesError when something of an earlier supervisor cannot be ended: its jobs must not be resumed
   */
  async reclaim(): Promise<void> {
    const left = await endLeftovers(this.#register.leftovers(), this.#clock);
    if (left.length > 0) throw new LeftoverProcessesError(left);
    this.#register.clear();
    this.#poolOrNew();
  }

  async run(job: JobSpec, signal: AbortSignal): Promise<RunReport> {
    const {
      nodeTimeoutMs = 120_000,
      jobTimeoutMs = null,
      cancelGraceMs = 10_000,
      inDoubtPolicy = 'fail',
    } = this.#options;
    const { journalFor, workDirFor, observerFor, mayActForMs, mayBeginForMs, logger } = this.#options;
    return new ProcessRun({
      job,
      signal,
      journal: journalFor(job),
      workDir: () => workDirFor(job),
      observe: (shape) => observerFor?.(job, shape) ?? null,
      limits: { nodeTimeoutMs, jobTimeoutMs, cancelGraceMs, inDoubtPolicy },
      mayActForMs: () => mayActForMs?.(job) ?? null,
      mayBeginForMs: () => mayBeginForMs?.(job) ?? null,
      pool: this.#poolOrNew(),
      memory: this.#memory,
      clock: this.#clock,
      logger: jobLogger(logger, job.jobId),
    }).run();
  }

  /** Ends the idle processes. Jobs that still run end with the supervisor. */
  async close(): Promise<void> {
    await this.#pool?.close();
    this.#memory.stop();
  }

  #poolOrNew(): ProcessPool {
    const { warm = 1, keep = 3, recycleAfterJobs = 100, recycleAfterMs = 3_600_000 } = this.#options;
    this.#pool ??= new ProcessPool({
      start: () => this.#startProcess(),
      warm,
      keep,
      recycle: {
        afterJobs: recycleAfterJobs,
        afterMs: recycleAfterMs,
        aboveBytes: this.#options.recycleAboveBytes ?? 512 * MEGABYTE,
      },
      onGone: (process) => this.#register.remove(process.owned),
      clock: this.#clock,
      logger: this.#options.logger,
    });
    return this.#pool;
  }

  #startProcess(): JobProcess {
    const { entry, setup, env, compileCacheDir, mark, logger, memoryLimitBytes } = this.#options;
    this.#started += 1;
    const heapMegabytes =
      memoryLimitBytes === null ? null : Math.round((memoryLimitBytes ?? 2_048 * MEGABYTE) / MEGABYTE);
    return new JobProcess({
      entry,
      setup,
      env: compileCacheDir === undefined ? env : { ...env, [compileCacheVariable]: compileCacheDir },
      mark: `${mark}.${process.pid}.${this.#started}`,
      nodeFlags: heapMegabytes === null ? [] : [`--max-old-space-size=${heapMegabytes}`],
      logger,
      clock: this.#clock,
      onOwned: (processes) => this.#register.add(processes),
      onDisowned: (processes) => this.#register.remove(processes),
    });
  }
}

const optionsShape = shapeOf({
  setup: object,
  env: object,
  journalFor: aFunction,
  workDirFor: aFunction,
  nodeTimeoutMs: timeLimitMs.optional(),
  jobTimeoutMs: timeLimitMs.nullish(),
  inDoubtPolicy: oneOf(['retry', 'skip', 'fail', 'ask']).optional(),
  cancelGraceMs: anyMs.optional(),
  warm: wholeFrom(0).optional(),
  keep: wholeFrom(0).optional(),
  recycleAfterJobs: wholeFrom(1).optional(),
  recycleAfterMs: timeLimitMs.optional(),
  recycleAboveBytes: numberFrom(1).optional(),
  memoryLimitBytes: numberFrom(1).nullish(),
});

function requireRunnerOptions(options: ProcessRunnerOptions): void {
  requireObject('options', options);
  const { entry, mark, registerPath, bootId, logger, clock, mayActForMs, observerFor } = options;
  if (!(entry instanceof URL)) throw new ArgumentError('entry', 'the URL of a script', entry);
  for (const [name, value] of Object.entries({ mark, registerPath, bootId })) requireText(name, value);
  requireMethods('logger', logger, ['log']);
  requireClock(clock);
  requireFunctions({ mayActForMs, observerFor });
  requireShape('options', options, optionsShape);
}
