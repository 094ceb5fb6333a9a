/**
 * What a running robot does again and again: take its turn with the server, send results, keep connected, watch its
 * leases, tidy its store. A problem is told once, not at every turn of a loop that keeps meeting it.
 */
import type { RobotParts } from './compose.ts';
import { guardIntervalMs } from './lease-deadline.ts';
import { notWritten } from './logs/compose-logs.ts';
import { messageOf } from './message-of.ts';
import { type Periodic, startPeriodic } from './periodic.ts';
import { StoreRoom } from './store-room.ts';

/** How often the local store drops what its retention allows (I7). */
const retentionIntervalMs = 3_600_000;
/** How often it is tried out whether the store can be written to. */
const probeIntervalMs = 5_000;
/** How often it is tried out whether the log's files can be written to while they could not. */
const logLookMs = 30_000;
/** How often it is looked whether an anchor of the audit log is due. */
const anchorLookMs = 5_000;

export class RobotLoops {
  readonly #parts: RobotParts;
  readonly #end = new AbortController();
  /** The last problem of each loop. */
  readonly #problems = new Map<string, string>();
  readonly #room: StoreRoom;
  #loops: Periodic[] = [];
  #turn: Periodic | null = null;
  #sync: Periodic | null = null;

  constructor(parts: RobotParts) {
    this.#parts = parts;
    this.#room = new StoreRoom({
      store: parts.queue.store,
      limitMb: parts.config.jobExecution.storeLimitMb,
      onRoom: () => parts.desk.roomIsBack(),
    });
  }

  start(): void {
    const { desk, config, queue, turn, pacer, polls, connection, audit, auditAnchors } = this.#parts;
    const { heartbeatIntervalMs } = config.jobExecution;
    const turnIntervalMs = (): number => Math.min(pacer.intervalMs, heartbeatIntervalMs);
    void this.#keepConnecting();
    this.#turn = this.#loop('claiming jobs', turnIntervalMs, (signal) =>
      polls.watch(
        () => connection.isConnected,
        () => turn.take(signal),
      ),
    );
    this.#sync = this.#loop('sending results', 1_000, (signal) => this.#drain(signal));
    this.#loop('sending logs', 1_000, (signal) => this.#sendLogs(signal));
    this.#loop('connection', 2_000, async () => this.#watchConnection());
    this.#loop('lease deadlines', guardIntervalMs(config.jobExecution.lockTimeoutMs), () => desk.guardDeadlines());
    this.#loop('trying the store', probeIntervalMs, () => this.#tryStore());
    this.#loop('retention', retentionIntervalMs, async () => {
      await queue.cleanup();
      await audit?.maintain();
    });
    this.#loop('anchoring the audit log', anchorLookMs, async (signal) => {
      if (turn.isRegistered) await auditAnchors?.send(signal);
    });
    this.#loop('the log', logLookMs, async () => this.#tryLog());
    this.#loop('room in the local store', 2_000, () => this.#room.look());
  }

  /** There may be a free slot, or a new job. */
  kickTurn(): void {
    this.#turn?.kick();
  }

  /** The outbox may have something new. */
  kickSync(): void {
    this.#sync?.kick();
  }

  /** What the server is told of the robot has changed. */
  tellPresence(): void {
    this.#parts.turn.tellPresence();
    this.kickTurn();
  }

  stopSync(): Promise<void> {
    return this.#sync?.stop() ?? Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /**
   * Tells a problem unless it is the same as the last one under this name; null: it is over. That there is no connection
   * is told once, by the connection, and not by everything that has to wait for it.
   */
  problem(name: string, error: unknown): void {
    if (error === null) {
      this.#problems.delete(name);
      return;
    }
    const code = (error as { code?: unknown } | undefined)?.code;
    if (code === 'NOT_CONNECTED' || code === 'CONNECTION_LOST') return;
    const problem = messageOf(error);
    // Its text says for how much longer.
    const key = code === 'CIRCUIT_OPEN' ? code : problem;
    if (this.#problems.get(name) === key) return;
    this.#problems.set(name, key);
    this.#parts.logger.log('warning', `${name}: ${problem}`);
  }

  #loop(name: string, intervalMs: number | (() => number), turn: (signal: AbortSignal) => Promise<void>): Periodic {
    const periodic = startPeriodic({
      name,
      intervalMs,
      clock: this.#parts.clock,
      turn: async (signal) => {
        await turn(signal);
        this.problem(name, null);
      },
      onError: (_name, error) => this.problem(name, error),
    });
    this.#loops.push(periodic);
    return periodic;
  }

  /** What could not be recorded is not claimed. Asked also while no slot is free: what has passed must not be told on. */
  async #tryStore(): Promise<void> {
    const { probe, gate, auditRecord } = this.#parts;
    await probe.look();
    gate.hold('store', probe.problem ?? null);
    auditRecord.tryToWrite();
  }

  /** A line is also how it is found out whether the files can be written again. */
  async #tryLog(): Promise<void> {
    const { logs, logger, config } = this.#parts;
    if (logs.problem === null) return;
    logger.log('warning', `${notWritten(config.observability.logDir)} (${logs.problem})`);
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { connection, outboxSync } = this.#parts;
    if (connection.isConnected) await outboxSync.drain(signal);
  }

  async #sendLogs(signal: AbortSignal): Promise<void> {
    const { connection, jobLogs, instance } = this.#parts;
    if (connection.isConnected && instance.isHeld) await jobLogs?.drain(signal);
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
