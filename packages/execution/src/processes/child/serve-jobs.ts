/**
 * The job process's side: makes the node library once, then runs one job after another with an `InProcessRunner` whose
 * journal and observer are at the other end of the channel.
 *
 * Nothing here opens a store. When the channel or the lifeline ends, the process ends itself and its whole tree.
 */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { requireObject } from '../../argument-error.ts';
import { aFunction, requireShape } from '../../argument-shapes.ts';
import type { JobTimeout, RunReport, StopRequest } from '../../engine/run-options.ts';
import { InProcessRunner, type InProcessRunnerOptions } from '../../jobs/in-process-runner.ts';
import { progressShapeData } from '../../jobs/progress-shape.ts';
import type { JsonObject } from '../../json.ts';
import { systemClock } from '../../system-clock.ts';
import { Channel, FrameTooLargeError, maxFrameBytes } from '../channel.ts';
import {
  channelFd,
  compileCacheVariable,
  jobVariable,
  type ProcessMessage,
  type SupervisorMessage,
} from '../messages.ts';
import { sinceBootMs } from '../process-deadline.ts';
import { leftRunning, nowRunning } from './left-running.ts';
import { holdLifeline } from './lifeline.ts';
import { killOwnTree, ownMark } from './own-tree.ts';
import { Questions } from './questions.ts';
import { RemoteJournal } from './remote-journal.ts';
import { type Outlet, RemoteObserver, remarkLogger } from './remote-observer.ts';

/** What runs need besides what comes from the supervisor. */
export type JobSurroundings = Omit<
  InProcessRunnerOptions,
  | 'journalFor'
  | 'workDirFor'
  | 'observerFor'
  | 'logger'
  | 'clock'
  | 'interruption'
  | 'nodeTimeoutMs'
  | 'jobTimeoutMs'
  | 'inDoubtPolicy'
  | 'cancelGraceMs'
  | 'abortGraceMs'
>;

export interface ServeOptions {
  /** Makes the node library from what the supervisor's `setup` says; when it throws, the process is no use. */
  readonly open: (setup: JsonObject) => Promise<JobSurroundings>;
}

/** How often the process says that its main thread answers, in ms. */
const ALIVE_INTERVAL_MS = 500;
/**
 * A node that does not end is not abandoned, but killed with its process. The supervisor does so after the grace; for
 * what it does not see (a branch that stops because another one failed), the engine gives up this much later, in ms.
 */
const ABANDON_MARGIN_MS = 15_000;
const MAX_ERROR_CHARS = 2_000;

/**
 * To be called once, by the script that a `ProcessRunner` is given as its `entry`. Resolves when it listens.
 *
 * @throws ArgumentError without a function `open`
 * @example
 * await serveJobs({ open: async () => ({ registry: createNodeRegistry(nodeTypes) }) });
 */
export async function serveJobs(options: ServeOptions): Promise<void> {
  requireObject('options', options);
  requireShape('open', options.open, aFunction);
  // A service manager that stops the robot may signal each of its processes; the supervisor decides what ends.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // biome-ignore lint/style/noProcessEnv: has been read by Node.js, and is not meant for what nodes start
  delete process.env[compileCacheVariable];
  await holdLifeline();
  new JobServer(options);
}

type RunMessage = Extract<SupervisorMessage, { readonly type: 'run' }>;

class JobServer {
  readonly #options: ServeOptions;
  readonly #channel: Channel<SupervisorMessage, ProcessMessage>;
  readonly #questions: Questions;
  readonly #outlet: Outlet;
  #surroundings: JobSurroundings | null = null;
  #stop: (request: StopRequest | JobTimeout) => void = () => undefined;

  constructor(options: ServeOptions) {
    this.#options = options;
    const channel = new Channel<SupervisorMessage, ProcessMessage>(new Socket({ fd: channelFd }), {
      onMessage: (message) => this.#take(message),
      onClosed: () => killOwnTree(ownMark()),
    });
    this.#channel = channel;
    this.#questions = new Questions((question) => channel.send(question));
    this.#outlet = {
      send: (message) => channel.send(message),
      get queuedBytes() {
        return channel.queuedBytes;
      },
      now: () => systemClock.monotonic(),
    };
    process.on('uncaughtExceptionMonitor', (error) => {
      this.#channel.send({ type: 'dying', message: String(error).slice(0, MAX_ERROR_CHARS) });
    });
    setInterval(() => channel.send({ type: 'alive', rssBytes: process.memoryUsage.rss() }), ALIVE_INTERVAL_MS).unref();
  }

  #take(message: SupervisorMessage): void {
    switch (message.type) {
      case 'setup':
        void this.#setUp(message.setup);
        return;
      case 'run':
        void this.#run(message);
        return;
      case 'stop':
        this.#stop(message.request);
        return;
      default:
        this.#questions.take(message);
    }
  }

  async #setUp(setup: JsonObject): Promise<void> {
    try {
      this.#surroundings = await this.#options.open(setup);
      this.#channel.send({ type: 'ready' });
      // Node.js would do so at its exit, but this process is killed.
      flushCompileCache();
    } catch (error) {
      this.#channel.send({ type: 'unfit', message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #run(message: RunMessage): Promise<void> {
    const before = nowRunning();
    const observer = new RemoteObserver(this.#outlet);
    const journal = new RemoteJournal({
      questions: this.#questions,
      sinceBootMs,
      snapshotEveryEntries: message.snapshotEveryEntries,
      onTooLarge: (bytes) => this.#channel.send({ type: 'too_large', bytes, limitBytes: maxFrameBytes }),
      onHeld: () => observer.hold(),
    });
    try {
      const report = await this.#runJob(message, journal, observer);
      await nextTurn();
      this.#finish(report, journal, observer, leftRunning(before));
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#channel.send({ type: 'crashed', message: text.slice(0, MAX_ERROR_CHARS) });
    } finally {
      this.#stop = () => undefined;
    }
  }

  async #runJob(message: RunMessage, journal: RemoteJournal, observer: RemoteObserver): Promise<RunReport> {
    const { job, resumption, limits } = message;
    const controller = new AbortController();
    this.#stop = (request) => controller.abort(request);
    if (resumption.stop !== undefined) controller.abort(resumption.stop);
    if (this.#surroundings === null) throw new Error('a job came before the setup');
    // biome-ignore lint/style/noProcessEnv: whatever a node starts inherits the job's name
    process.env[jobVariable] = job.jobId;
    const runner = new InProcessRunner({
      ...this.#surroundings,
      journalFor: () => journal,
      workDirFor: () => this.#questions.workDir(),
      observerFor: (_job, workflow) => {
        this.#channel.send({ type: 'checked', shape: progressShapeData(workflow) });
        return observer.port;
      },
      logger: remarkLogger(this.#outlet),
      nodeTimeoutMs: limits.nodeTimeoutMs,
      jobTimeoutMs: limits.jobTimeoutMs,
      inDoubtPolicy: limits.inDoubtPolicy,
      cancelGraceMs: resumption.finallyGraceMs ?? limits.cancelGraceMs,
      abortGraceMs: limits.cancelGraceMs + ABANDON_MARGIN_MS,
      ...(resumption.interruption === undefined ? {} : { interruption: resumption.interruption }),
    });
    return runner.run(job, controller.signal);
  }

  /** Values that are too large for a message are left out of the report; the journal has them. */
  #finish(report: RunReport, journal: RemoteJournal, observer: RemoteObserver, leftovers: readonly string[]): void {
    const { held } = journal;
    const rssBytes = process.memoryUsage.rss();
    const message = { type: 'finished', held, notices: observer.finish(), leftovers, rssBytes } as const;
    try {
      this.#channel.send({ ...message, report });
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error;
      this.#finishWithoutValues(message, report);
    }
  }

  #finishWithoutValues(message: Omit<FinishedWithReport, 'report'>, report: RunReport): void {
    const bare = { ...report, variables: {}, outputs: {} };
    try {
      this.#channel.send({ ...message, report: bare });
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error;
      this.#channel.send({ type: 'too_large', bytes: error.bytes, limitBytes: maxFrameBytes });
      const { duration_ms, nodes_total, nodes_executed, nodes_skipped } = report.end;
      const statistics = { duration_ms, nodes_total, nodes_executed, nodes_skipped };
      const end = { status: 'suspended', cause: 'journal', reason: error.message, ...statistics } as const;
      this.#channel.send({ ...message, held: [], notices: [], report: { ...bare, end } });
    }
  }
}

type FinishedWithReport = Extract<ProcessMessage, { readonly type: 'finished' }>;
