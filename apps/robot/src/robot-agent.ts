/**
 * The robot: claims jobs, runs them, tells the server, and stops without losing any (I9).
 *
 * `created -> starting -> running -> stopping -> stopped`. Starting needs no database: unfinished jobs of an earlier
 * process are resumed at once, and the connection is made in the background. The database is polled;
 * nothing depends on being told.
 */
import { loadConfig, type RobotConfig } from '@casare/config';
import type { MetricsCollector } from '@casare/observability';
import { composeRobot, type RobotOverrides, type RobotParts } from './compose.ts';
import { messageOf } from './message-of.ts';
import { type Periodic, startPeriodic } from './periodic.ts';
import { presenceOf } from './presence.ts';
import { robotVersion } from './version.ts';

/** How long stopping may wait for the server to take what the outbox holds; the rest is sent after the next start. */
const lastSyncMs = 5_000;
/** How often the local store drops what its retention allows (I7). */
const retentionIntervalMs = 3_600_000;

export interface StopOptions {
  /** `drain` (default): running jobs finish first. `cancel`: they end as cancelled. `suspend`: they resume later. */
  readonly mode?: 'drain' | 'cancel' | 'suspend';
}

export type AgentState = 'created' | 'starting' | 'running' | 'stopping' | 'stopped';

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
  readonly #config: RobotConfig;
  readonly #overrides: RobotOverrides;
  readonly #end = new AbortController();
  #resolveStopped: () => void = () => undefined;
  #parts: RobotParts | null = null;
  #loops: Periodic[] = [];
  #intake: Periodic | null = null;
  #sync: Periodic | null = null;
  #state: AgentState = 'created';
  #stopping: Promise<void> | null = null;
  #isStopRequested = false;
  /** The last problem of each loop, so that it is told once and not at every turn. */
  readonly #problems = new Map<string, string>();

  /**
   * @param config default: what file and environment say. URL and key that it leaves out are taken from there, too
   * @throws ConfigError when file or environment are needed and wrong
   */
  constructor(config: RobotConfig = loadConfig().config, overrides: RobotOverrides = {}) {
    this.#config = withConnection(config);
    this.#overrides = overrides;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
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
        onOutbox: () => this.#sync?.kick(),
        onJobGone: () => this.#intake?.kick(),
        onConnected: () => this.#connected(),
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
    this.#state = 'running';
    const { executor, desk, audit, metrics, config, logger, identity } = parts;
    await executor.start();
    audit?.robotStarted({ version: robotVersion, bootId: identity.bootId });
    if (config.observability.resourceMonitoringEnabled) await metrics?.startResourceMonitoring();
    const recovered = await desk.recover().catch((error: unknown) => {
      if (this.#stopping !== null) return 0;
      throw error;
    });
    if (recovered > 0) logger.log('info', `took up ${recovered} unfinished job(s) of an earlier run`);
    if (this.#stopping !== null) return;
    void this.#keepConnecting();
    this.#startLoops();
  }

  /**
   * Stops taking jobs and ends what runs, as `mode` says. A later call may ask for more than an earlier
   * one; all resolve when the robot has stopped. A robot that is still starting does not come up.
   */
  stop(options: StopOptions = {}): Promise<void> {
    const parts = this.#parts;
    if (parts === null) {
      this.#isStopRequested = true;
      if (this.#state === 'created') this.#stopped();
      return this.stopped;
    }
    if (this.#stopping !== null) {
      if (options.mode !== undefined && options.mode !== 'drain') void parts.executor.stop({ mode: options.mode });
      return this.#stopping;
    }
    this.#state = 'stopping';
    this.#stopping = this.#stop(parts, options);
    return this.#stopping;
  }

  getStatus(): {
    readonly state: AgentState;
    readonly executor: ReturnType<RobotParts['executor']['getStatus']> | null;
    readonly connection: ReturnType<RobotParts['connection']['getStatus']> | null;
    readonly inDoubt: readonly string[];
  } {
    return {
      state: this.#state,
      executor: this.#parts?.executor.getStatus() ?? null,
      connection: this.#parts?.connection.getStatus() ?? null,
      inDoubt: this.#parts?.desk.inDoubt ?? [],
    };
  }

  async #stop(parts: RobotParts, options: StopOptions): Promise<void> {
    const { executor, desk, connection, audit, metrics, logger, clock, config } = parts;
    try {
      desk.stop();
      await this.#intake?.stop();
      const limit = config.jobExecution.drainTimeoutMs;
      const drained = new AbortController();
      if (limit !== null && (options.mode ?? 'drain') === 'drain') {
        void clock.sleep(limit, drained.signal).then(
          () => executor.stop({ mode: 'suspend', reason: 'the time to drain is over' }),
          () => undefined,
        );
      }
      await executor.stop({ mode: options.mode ?? 'drain' });
      drained.abort();
      await this.#lastSync(parts);
    } catch (error) {
      logger.log('error', `stopping met a problem: ${messageOf(error)}`);
    } finally {
      this.#end.abort();
      await Promise.all(this.#loops.map((loop) => loop.stop()));
      parts.checker.stop();
      parts.reporter?.stop();
      await metrics?.stopResourceMonitoring();
      await connection.disconnect();
      audit?.robotStopped({});
      await parts.close();
      this.#stopped();
    }
  }

  #stopped(): void {
    this.#state = 'stopped';
    this.#resolveStopped();
  }

  async #lastSync(parts: RobotParts): Promise<void> {
    await this.#sync?.stop();
    if (!parts.connection.isConnected) return;
    const enough = AbortSignal.timeout(lastSyncMs);
    await parts.outboxSync.drain(enough);
    await parts.gateway.robotHeartbeat(parts.identity.robotId, 'offline', null, { signal: enough });
  }

  #startLoops(): void {
    const { clock, desk, config, queue, intake } = this.#partsOrThrow();
    const onError = (name: string, error: unknown): void => this.#problem(name, messageOf(error));
    const loop = (name: string, intervalMs: number, turn: (signal: AbortSignal) => Promise<void>): Periodic => {
      const told = async (signal: AbortSignal): Promise<void> => {
        await turn(signal);
        this.#problems.delete(name);
      };
      const periodic = startPeriodic({ name, intervalMs, clock, turn: told, onError });
      this.#loops.push(periodic);
      return periodic;
    };
    this.#intake = loop('claiming jobs', config.jobExecution.pollIntervalMs, (signal) => intake.turn(signal));
    this.#sync = loop('sending results', 1_000, (signal) => this.#drain(signal));
    loop('presence', config.jobExecution.heartbeatIntervalMs, (signal) => this.#presence(signal));
    loop('connection', 2_000, async () => this.#watchConnection());
    loop('lease deadlines', 1_000, () => desk.guardDeadlines());
    loop('retention', retentionIntervalMs, async () => void (await queue.cleanup()));
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { connection, outboxSync } = this.#partsOrThrow();
    if (connection.isConnected) await outboxSync.drain(signal);
  }

  async #presence(signal: AbortSignal): Promise<void> {
    const { connection, gateway, identity, executor, metrics, intake } = this.#partsOrThrow();
    if (!connection.isConnected || !intake.isRegistered) return;
    const status = this.#state === 'stopping' ? 'draining' : executor.getStatus().runningCount > 0 ? 'busy' : 'idle';
    await gateway.robotHeartbeat(identity.robotId, status, metrics === null ? null : presenceOf(metrics), { signal });
  }

  #connected(): void {
    this.#parts?.intake.registerAgain();
    this.#intake?.kick();
    this.#sync?.kick();
    void this.#parts?.checker.checkNow();
  }

  /** Being refused for good (a wrong key, say) is told loudly and tried again slowly. */
  async #keepConnecting(): Promise<void> {
    const { connection, clock, logger, config } = this.#partsOrThrow();
    while (!this.#end.signal.aborted) {
      try {
        await connection.connect(this.#end.signal);
        return;
      } catch (error) {
        if (this.#end.signal.aborted) return;
        logger.log('error', `cannot connect to Supabase: ${messageOf(error)}`);
      }
      await clock.sleep(Math.min(30_000, config.connection.maxDelayMs), this.#end.signal).catch(() => undefined);
    }
  }

  /** An unreachable database is told with its cause, as any other problem of a loop. */
  #watchConnection(): void {
    const { connection, config } = this.#partsOrThrow();
    const { isConnected, lastError } = connection.getStatus();
    if (isConnected || lastError === null) return;
    throw new Error(`${config.connection.url} cannot be reached (${lastError.message}); trying again, jobs go on`);
  }

  /** Tells a problem once, not at every turn of a loop that keeps meeting it. */
  #problem(name: string, problem: string): void {
    if (this.#problems.get(name) === problem) return;
    this.#problems.set(name, problem);
    this.#parts?.logger.log('warning', `${name}: ${problem}`);
  }

  #partsOrThrow(): RobotParts {
    if (this.#parts === null) throw new Error('the robot has not started');
    return this.#parts;
  }
}

function withConnection(config: RobotConfig): RobotConfig {
  const { connection } = config;
  if (connection.url === null || connection.key === null) {
    const loaded = loadConfig().config.connection;
    connection.url ??= loaded.url;
    connection.key ??= loaded.key;
  }
  return config;
}
