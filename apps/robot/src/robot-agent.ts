/**
 * The robot: claims jobs, runs them, tells the server, and stops without losing any (I9).
 *
 * `created -> starting -> running -> stopping -> stopped`. Starting needs no database: unfinished jobs of an earlier
 * process are resumed at once, and the connection is made in the background. The database is polled;
 * nothing depends on being told, being told only makes it faster.
 */
import { loadConfig, type RobotConfig } from '@casare/config';
import { ArgumentError, type Logger } from '@casare/execution';
import type { MetricsCollector } from '@casare/observability';
import { type AnswerRequest, answerAtRobot } from './answer-at-robot.ts';
import { recordExit, recordOutboxChange, recordStopRequest } from './audited-actions.ts';
import { composeRobot, type RobotOverrides, type RobotParts } from './compose.ts';
import { credentialsOf } from './compose-connection.ts';
import { ControlServer } from './control/control-server.ts';
import { outboxCommands } from './control/outbox-control.ts';
import { robotCommands } from './control/robot-commands.ts';
import type { PauseOptions, ResumeOptions } from './intake-pause.ts';
import { messageOf } from './message-of.ts';
import type { RobotTwinError } from './one-place.ts';
import { redactedRequest } from './redacted-request.ts';
import { actorOf, type Requester } from './requester.ts';
import { RobotLoops } from './robot-loops.ts';
import { type AgentState, type RobotDescription, type RobotStatus, statusOf } from './robot-status.ts';
import { openStatusPage } from './status/open-status-page.ts';
import type { StatusServer } from './status/status-server.ts';
import { robotVersion } from './version.ts';

/** How long stopping may wait for the server to take what the outbox holds; the rest is sent after the next start. */
const lastSyncMs = 5_000;

/** Where a call comes from that says nothing else. */
const inProcess = 'program';

export interface StopOptions extends Requester {
  /** `drain` (default): running jobs finish first. `cancel`: they end as cancelled. `suspend`: they resume later. */
  readonly mode?: 'drain' | 'cancel' | 'suspend';
  /** Shown with jobs that are cancelled by it. Default `the robot is stopping`. */
  readonly reason?: string;
  /** Who asked; shown with jobs that are cancelled by it, too. Default: nobody is named. */
  readonly requestedBy?: string | null;
}

/**
 * @example
 * const config = new RobotConfig();
 * config.jobExecution.maxConcurrentJobs = 5;
 * config.observability.auditEnabled = true;
 * const agent = new RobotAgent(config);
 * await agent.start();
 * // ... it works until:
 * await agent.stop();
 */
export class RobotAgent {
  /** Resolves when the robot has stopped, however that came about. */
  readonly stopped: Promise<void>;
  /** Resolves when the robot begins to stop. */
  readonly stopping: Promise<void>;
  readonly #config: RobotConfig;
  readonly #overrides: RobotOverrides;
  #resolveStopped: () => void = () => undefined;
  #resolveStopping: () => void = () => undefined;
  #parts: RobotParts | null = null;
  #loops: RobotLoops | null = null;
  #control: ControlServer | null = null;
  #page: StatusServer | null = null;
  #opening: Promise<unknown> = Promise.resolve();
  #startedAt = 0;
  #state: AgentState = 'created';
  #stopping: Promise<void> | null = null;
  #isStopRequested = false;
  #twin: RobotTwinError | null = null;

  /**
   * @param config default: what file and environment say. URL, key and sign-in that it leaves out are taken from there, too
   * @throws ConfigError when file or environment are needed and wrong
   */
  constructor(config: RobotConfig = loadConfig().config, overrides: RobotOverrides = {}) {
    this.#config = withConnection(config);
    this.#overrides = overrides;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    this.stopping = new Promise((resolve) => {
      this.#resolveStopping = resolve;
    });
  }

  get name(): string {
    return this.#config.robot.name;
  }

  /** Known once the robot has started. */
  get robotId(): string {
    return this.#partsOrThrow().identity.robotId;
  }

  /** Null when metrics are off, or the robot has not started. */
  get metrics(): MetricsCollector | null {
    return this.#parts?.metrics ?? null;
  }

  /** Its own log, for what belongs to the robot and happens beside it; null when it has not started. */
  get logger(): Logger | null {
    return this.#parts?.logger ?? null;
  }

  /** Where its status page is; null when it has none, or has not started. */
  get statusPage(): string | null {
    return this.#page?.url ?? null;
  }

  /** Why it has stopped by itself: the robot works elsewhere. Null: it has not, or was told to. */
  get twin(): RobotTwinError | null {
    return this.#twin;
  }

  get state(): AgentState {
    return this.#state;
  }

  /**
   * Resolves when the robot is up and its unfinished jobs are under way; it need not be connected yet.
   *
   * @throws ConfigError when the configuration is wrong or names no Supabase
   * @throws StoreOwnedError when another robot uses the same home folder
   */
  async start(): Promise<void> {
    if (this.#state !== 'created') throw new Error(`this robot is ${this.#state}; make a new one to start again`);
    this.#state = 'starting';
    let parts: RobotParts;
    try {
      parts = await composeRobot(this.#config, {
        ...this.#overrides,
        onOutbox: () => this.#loops?.kickSync(),
        onJobGone: () => this.#loops?.kickTurn(),
        onConnected: () => this.#connected(),
        onJobs: () => this.#loops?.kickTurn(),
        onPause: () => this.#loops?.tellPresence(),
        onTwin: (error) => this.#stopForTwin(error),
        onProblem: (name, error) => this.#loops?.problem(name, error),
      });
    } catch (error) {
      this.#stopped();
      throw error;
    }
    if (this.#isStopRequested) {
      await parts.close();
      this.#stopped();
      return;
    }
    this.#parts = parts;
    this.#loops = new RobotLoops(parts);
    this.#opening = Promise.all([this.#openControl(parts), this.#openPage(parts)]);
    this.#state = 'running';
    this.#startedAt = parts.clock.monotonic();
    const { executor, desk, audit, logger, identity } = parts;
    await executor.start();
    audit?.robotStarted({ version: robotVersion, bootId: identity.bootId });
    if (this.#stopping !== null) return;
    await parts.startMeasuring();
    const recovered = await desk.recover().catch((error: unknown) => {
      if (this.#stopping !== null) return 0;
      throw error;
    });
    if (recovered > 0) logger.log('info', `took up ${recovered} unfinished job(s) of an earlier run`);
    if (this.#stopping === null) this.#loops.start();
    await this.#opening;
  }

  /**
   * Stops taking jobs and ends what runs, as `mode` says. A later call may ask for more than an earlier
   * one; all resolve when the robot has stopped. A robot that is still starting does not come up.
   *
   * @throws ArgumentError for an unknown mode
   */
  stop(request: StopOptions = {}): Promise<void> {
    requireStopMode(request.mode);
    const parts = this.#parts;
    const options = parts === null ? request : redactedRequest(request, parts.redactor);
    if (parts === null) {
      this.#isStopRequested = true;
      if (this.#state === 'created') this.#stopped();
      return this.stopped;
    }
    recordStopRequest(parts.audit, options);
    if (this.#stopping !== null) {
      if (options.mode !== undefined && options.mode !== 'drain') void parts.executor.stop(stopOfJobs(options));
      return this.#stopping;
    }
    this.#state = 'stopping';
    this.#resolveStopping();
    this.#stopping = this.#stop(parts, options);
    return this.#stopping;
  }

  /**
   * Takes no new jobs until `resume`, or until `timeoutMs` is over; running jobs go on. Survives a restart.
   *
   * @throws ArgumentError; Error when the robot has not started
   */
  pause(options: PauseOptions = {}): Promise<void> {
    return this.#partsOrThrow().pause.pause({ requestedFrom: inProcess, ...options });
  }

  /** Takes new jobs again. Resolves with whether the robot was paused. */
  resume(options: ResumeOptions = {}): Promise<boolean> {
    return this.#partsOrThrow().pause.resume({ requestedFrom: inProcess, ...options });
  }

  /**
   * How many jobs may run at the same time, until the robot stops; the configuration stays as it is. Running jobs go on
   * when it is lowered.
   *
   * @throws ArgumentError unless it is a whole number of at least 1; Error when the robot has not started
   */
  setMaxConcurrent(limit: number, requester: Requester = { requestedFrom: inProcess }): void {
    const { executor, turn, logger, audit } = this.#partsOrThrow();
    const former = executor.getStatus().maxConcurrentJobs;
    executor.setMaxConcurrent(limit);
    if (limit === former) return;
    const setting = 'jobExecution.maxConcurrentJobs';
    audit?.configChanged({ setting, from: former, to: limit, ...actorOf(requester) });
    logger.log('info', `up to ${limit} job(s) at the same time from now on (before: ${former})`);
    turn.registerAgain();
    this.#loops?.kickTurn();
  }

  /**
   * Cancels a job of this robot, as `job cancel` does; its `finally` bodies run. Works with the database down.
   *
   * @returns whether the robot has such a job
   * @throws Error when the robot has not started
   */
  cancelJob(jobId: string, options: Requester & { readonly reason?: string } = {}): Promise<boolean> {
    const { desk, redactor } = this.#partsOrThrow();
    const {
      reason = 'cancelled by hand',
      requestedBy = null,
      requestedFrom = inProcess,
    } = redactedRequest(options, redactor);
    return desk.cancel(jobId, { reason, requestedBy }, requestedFrom);
  }

  /**
   * Answers a question about a job of this robot that is in doubt, as `job resolve` does: the job goes on as soon as the
   * database has taken it. Who asks (`requestedBy`) is kept with the answer, as a claim.
   *
   * @throws AnswerError when the answer does not count; ConnectionError; Error when the robot has not started
   */
  async answerJob(request: AnswerRequest): Promise<void> {
    const parts = this.#partsOrThrow();
    const { requestedBy = null, requestedFrom = inProcess } = redactedRequest(request, parts.redactor);
    const by = `${requestedBy ?? requestedFrom} of ${this.name}`;
    await answerAtRobot(parts, { ...request, requestedFrom }, by);
  }

  /** The process ends at once, without `stop`: leaves a word of it. Returns when that is on disk. */
  recordExit(requester: Requester): void {
    recordExit(this.#parts?.audit ?? null, requester);
  }

  getStatus(): RobotStatus {
    return statusOf(this.#state, this.#parts);
  }

  /**
   * The status with the robot's name, process and outbox.
   *
   * @throws Error when the robot has not started
   */
  async describe(): Promise<RobotDescription> {
    const { identity, config, clock, queue, incidents, metrics } = this.#partsOrThrow();
    const { outbox } = await queue.getStats();
    return {
      robot: {
        robotId: identity.robotId,
        name: this.name,
        version: robotVersion,
        pid: process.pid,
        uptimeMs: Math.round(clock.monotonic() - this.#startedAt),
        url: config.connection.url,
      },
      status: this.getStatus(),
      incidents,
      outbox,
      resources: metrics?.getCurrentResources() ?? null,
      statusPage: this.statusPage,
    };
  }

  async #stop(parts: RobotParts, options: StopOptions): Promise<void> {
    const { executor, desk, intake, connection, gate, pause, audit, logger, clock, config } = parts;
    // Whatever one step meets, the next one is due: a robot that goes leaves no job running behind it.
    const step = (work: () => Promise<void>): Promise<void> =>
      work().catch((error: unknown) => logger.log('error', `stopping met a problem: ${messageOf(error)}`));
    try {
      gate.stopping();
      pause.stopping();
      desk.stop();
      await step(() => intake.close());
      this.#loops?.tellPresence();
      const limit = config.jobExecution.drainTimeoutMs;
      const drained = new AbortController();
      if (limit !== null && (options.mode ?? 'drain') === 'drain') {
        void clock.sleep(limit, drained.signal).then(
          () => executor.stop({ mode: 'suspend', reason: 'the time to drain is over' }),
          () => undefined,
        );
      }
      await step(() => executor.stop(stopOfJobs(options)));
      drained.abort();
      await step(() => this.#lastSync(parts));
      await step(() => intake.retire());
    } finally {
      await this.#loops?.stop();
      parts.checker.stop();
      parts.reporter?.stop();
      await parts.stopMeasuring();
      await parts.wakeUps?.stop();
      await connection.disconnect();
      const { mode = 'drain', reason = null } = options;
      audit?.robotStopped({ mode, reason, ...actorOf(options) });
      await this.#opening;
      await this.#control?.close();
      await this.#page?.close();
      await parts.close();
      this.#stopped();
    }
  }

  /** A robot without its control socket works; it can only not be asked on this machine. */
  async #openControl({ config, logger, queue, audit, redactor }: RobotParts): Promise<void> {
    const outbox = outboxCommands(queue.store.outbox, {
      onRequeued: () => this.#loops?.kickSync(),
      record: (change) => recordOutboxChange(audit, change),
    });
    const commands = new Map([...robotCommands(this, redactor), ...outbox]);
    try {
      this.#control = await ControlServer.open({ home: config.robot.home, commands, logger });
    } catch (error) {
      logger.log(
        'warning',
        `no control socket, so status, pause and limit do not reach this robot: ${messageOf(error)}`,
      );
    }
  }

  /** A robot without its status page works, too. */
  async #openPage(parts: RobotParts): Promise<void> {
    try {
      this.#page = await openStatusPage(this, parts);
      if (this.#page !== null) parts.logger.log('info', `status page: ${this.#page.url}`);
    } catch (error) {
      parts.logger.log('warning', `no status page, no health probes and no metrics: ${messageOf(error)}`);
    }
  }

  #stopForTwin(error: RobotTwinError): void {
    if (this.#twin !== null || this.#stopping !== null) return;
    this.#twin = error;
    this.#parts?.logger.log('critical', error.message);
    void this.stop({ mode: 'suspend', reason: error.message });
  }

  #stopped(): void {
    this.#state = 'stopped';
    this.#resolveStopping();
    this.#resolveStopped();
  }

  async #lastSync(parts: RobotParts): Promise<void> {
    await this.#loops?.stopSync();
    if (!parts.connection.isConnected || !parts.instance.isHeld) return;
    const enough = AbortSignal.timeout(lastSyncMs);
    await parts.intake.handBackLostClaim(enough);
    await parts.outboxSync.drain(enough);
    await parts.auditAnchors?.send(enough, { now: true });
    await parts.jobLogs?.drain(enough).catch(() => undefined);
    await parts.gateway.robotHeartbeat(parts.identity.robotId, 'offline', null, { signal: enough });
    // As long as a node may still act, nobody may go on with its job.
    if (parts.desk.unending.length === 0) await parts.instance.leave(parts.gateway, { signal: enough });
  }

  #connected(): void {
    this.#parts?.turn.registerAgain();
    this.#loops?.kickTurn();
    this.#loops?.kickSync();
    this.#parts?.reporter?.reportNow();
    void this.#parts?.checker.checkNow();
  }

  #partsOrThrow(): RobotParts {
    if (this.#parts === null) throw new Error('the robot has not started');
    return this.#parts;
  }
}

function requireStopMode(mode: unknown): void {
  if (mode === undefined || mode === 'drain' || mode === 'cancel' || mode === 'suspend') return;
  throw new ArgumentError('mode', '"drain", "cancel" or "suspend"', mode);
}

function withConnection(config: RobotConfig): RobotConfig {
  const { connection } = config;
  if (connection.url === null || connection.key === null) {
    const loaded = loadConfig().config.connection;
    const hasSignIn = credentialsOf(connection).kind !== 'key';
    if (connection.key === null && !hasSignIn) {
      const { email, password, jwt, jwtFile } = loaded;
      Object.assign(connection, { email, password, jwt, jwtFile });
    }
    connection.url ??= loaded.url;
    connection.key ??= loaded.key;
  }
  return config;
}

/** What of a request to stop is for the jobs; where it came from is for the audit log. */
function stopOfJobs({ mode, reason, requestedBy }: StopOptions): Parameters<RobotParts['executor']['stop']>[0] {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(reason === undefined ? {} : { reason }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
  };
}
