/**
 * What a running robot does again and again: look for jobs, send results, say that it is there, keep connected, watch
 * its leases, tidy its store. A problem is told once, not at every turn of a loop that keeps meeting it.
 */
import type { RobotParts } from './compose.ts';
import { messageOf } from './message-of.ts';
import { type Periodic, startPeriodic } from './periodic.ts';
import { presenceOf } from './presence.ts';

/** How often the local store drops what its retention allows (I7). */
const retentionIntervalMs = 3_600_000;

export class RobotLoops {
  readonly #parts: RobotParts;
  readonly #isStopping: () => boolean;
  readonly #end = new AbortController();
  /** The last problem of each loop. */
  readonly #problems = new Map<string, string>();
  #loops: Periodic[] = [];
  #intake: Periodic | null = null;
  #sync: Periodic | null = null;
  #presence: Periodic | null = null;

  constructor(parts: RobotParts, isStopping: () => boolean) {
    this.#parts = parts;
    this.#isStopping = isStopping;
  }

  start(): void {
    const { desk, config, queue, intake, pacer } = this.#parts;
    const { heartbeatIntervalMs } = config.jobExecution;
    const pollIntervalMs = (): number => pacer.intervalMs;
    void this.#keepConnecting();
    this.#intake = this.#loop('claiming jobs', pollIntervalMs, (signal) => intake.turn(signal));
    this.#sync = this.#loop('sending results', 1_000, (signal) => this.#drain(signal));
    this.#presence = this.#loop('presence', heartbeatIntervalMs, (signal) => this.#tellPresence(signal));
    this.#loop('connection', 2_000, async () => this.#watchConnection());
    this.#loop('lease deadlines', 1_000, () => desk.guardDeadlines());
    this.#loop('retention', retentionIntervalMs, async () => void (await queue.cleanup()));
  }

  /** There may be a free slot, or a new job. */
  kickIntake(): void {
    this.#intake?.kick();
  }

  /** The outbox may have something new. */
  kickSync(): void {
    this.#sync?.kick();
  }

  /** What the server is told of the robot has changed. */
  kickPresence(): void {
    this.#presence?.kick();
  }

  stopIntake(): Promise<void> {
    return this.#intake?.stop() ?? Promise.resolve();
  }

  stopSync(): Promise<void> {
    return this.#sync?.stop() ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Tells a problem unless it is the same as the last one under this name. */
  problem(name: string, error: unknown): void {
    const problem = messageOf(error);
    if (this.#problems.get(name) === problem) return;
    this.#problems.set(name, problem);
    this.#parts.logger.log('warning', `${name}: ${problem}`);
  }

  #loop(name: string, intervalMs: number | (() => number), turn: (signal: AbortSignal) => Promise<void>): Periodic {
    const periodic = startPeriodic({
      name,
      intervalMs,
      clock: this.#parts.clock,
      turn: async (signal) => {
        await turn(signal);
        this.#problems.delete(name);
      },
      onError: (_name, error) => this.problem(name, error),
    });
    this.#loops.push(periodic);
    return periodic;
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { connection, outboxSync } = this.#parts;
    if (connection.isConnected) await outboxSync.drain(signal);
  }

  async #tellPresence(signal: AbortSignal): Promise<void> {
    const { connection, gateway, identity, executor, fleet, metrics, intake, pause } = this.#parts;
    if (!connection.isConnected || !intake.isRegistered) return;
    const state = pause.current !== null ? 'paused' : executor.getStatus().runningCount > 0 ? 'busy' : 'idle';
    const status = this.#isStopping() ? 'draining' : state;
    const answer = await gateway.robotHeartbeat(identity.robotId, status, presenceOf(metrics, pause), { signal });
    fleet.size = answer.fleetSize ?? fleet.size;
  }

  /** Being refused for good (a wrong key, say) is told loudly and tried again slowly. */
  async #keepConnecting(): Promise<void> {
    const { connection, clock, logger, config } = this.#parts;
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
    const { connection, config } = this.#parts;
    const { isConnected, state, lastError } = connection.getStatus();
    if (isConnected || lastError === null) return;
    if (state === 'AUTH_FAILED') {
      throw new Error(`${config.connection.url} refuses this robot's credentials (${lastError.message}); jobs go on`);
    }
    throw new Error(`${config.connection.url} cannot be reached (${lastError.message}); trying again, jobs go on`);
  }
}
