/**
 * A machine with a robot, a server, and a rival robot that takes every lease over as soon as it may. Desk, locker,
 * checker, executor, engine and local store are the real ones; time is moved by hand. The machine can be suspended and
 * rebooted, its wall clock set, the robot killed and started again, and the server be away.
 *
 * What must not happen is noted where it happens, as a sentence, by the server's time and nobody else's.
 */
import { join } from 'node:path';
import {
  CancellationChecker,
  createNodeRegistry,
  InProcessRunner,
  JobExecutor,
  JobLocker,
  type LeaseAnswer,
  type NodeRegistry,
} from '@casare/execution';
import { CheckpointManager, OfflineQueue } from '@casare/offline-store';
import { ManualClock } from '@casare/testing';
import { stepNode } from '../../../../packages/execution/test/processes/support/step-node.ts';
import { bootClockEra, createBootClock } from '../../src/boot-clock.ts';
import { durableJobs } from '../../src/durable-jobs.ts';
import { JobDesk } from '../../src/job-desk.ts';
import { guardIntervalMs, leaseMarginMs } from '../../src/lease-deadline.ts';
import { type Periodic, startPeriodic } from '../../src/periodic.ts';
import { chain } from '../support/workflows.ts';

export interface LeaseWorldOptions {
  /** A folder of this world's own. */
  readonly folder: string;
  readonly onLost: 'hold' | 'restart';
  /** Whether another robot waits for the job. */
  readonly hasRival: boolean;
  /** Nodes of the job, each an effect. Default 20. */
  readonly steps?: number;
  /** How long an effect takes. Default 1,000: as long as it is between two looks at the deadlines. */
  readonly stepMs?: number;
  readonly platform?: NodeJS.Platform;
  /**
   * A robot that is wrong about time, or does not do what its deadline asks for, to see that this is noticed.
   * `begins-without-asking`: a node begins whatever the lease says; the deadlines are looked at as ever.
   * `begins-without-a-last-look`: the lease is asked for when the intent is recorded, and not again before the node begins.
   */
  readonly defect?:
    | 'clock-stands-in-suspend'
    | 'clock-is-the-wall'
    | 'boot-is-never-new'
    | 'begins-without-asking'
    | 'begins-without-a-last-look'
    | 'deadline-is-ignored';
}

export const lockTimeoutMs = 30_000;
const jobId = '00000000-0000-4000-8000-00000000000a';
const robotId = '00000000-0000-4000-8000-000000000001';

/** What happened to one begin of a node. */
interface Effect {
  readonly nodeId: string;
  readonly beganAt: number;
  end: 'under way' | 'done' | 'cut off';
}

export class LeaseWorld {
  readonly violations: string[] = [];
  readonly effects: Effect[] = [];
  /** When each lease was renewed, by the server's time. */
  readonly renewals: number[] = [];
  isServerUp = true;
  /** When the rival took the job, by the server's time. */
  rivalSince: number | null = null;
  clock = new ManualClock();
  readonly #options: LeaseWorldOptions;
  readonly #workflow: string;
  #serverAhead = 0;
  #boots = 1;
  #lease = { token: 1, expiresAt: Number.POSITIVE_INFINITY, isOver: false };
  #life: Life | null = null;
  /** The record says that the robot has no part in the job any more, whichever of its lives noted that. */
  #isGivenUp = false;
  #sleepBehindIntentMs: number | null = null;

  private constructor(options: LeaseWorldOptions) {
    this.#options = options;
    const nodes = Array.from({ length: options.steps ?? 20 }, (_none, index) => ({
      id: `n${index}`,
      type: 'StepNode',
    }));
    this.#workflow = chain('job', nodes);
  }

  /** The job is claimed and its first node runs when this resolves. */
  static async begin(options: LeaseWorldOptions): Promise<LeaseWorld> {
    const world = new LeaseWorld(options);
    world.#life = await world.#start();
    const { locker, desk } = world.#life;
    const [claim] = await locker.claim({ requestId: robotId, limit: 1 });
    if (claim === undefined) throw new Error('the job can be claimed');
    await desk.admit(claim);
    await world.run(0);
    return world;
  }

  get now(): number {
    return this.#serverAhead + this.clock.sinceBoot();
  }

  /** The job has ended on this robot and the server knows, or the robot has given it up. */
  get isSettled(): boolean {
    return this.#lease.isOver || this.#isGivenUp;
  }

  /** Lets time pass, moment by moment, so that the disk is done with what one moment asks of it before the next comes. */
  async run(ms: number): Promise<void> {
    const until = this.clock.monotonic() + ms;
    do {
      await this.clock.advance(Math.min(this.clock.nextWakeInMs ?? ms, until - this.clock.monotonic()));
      await this.#life?.settled();
    } while (this.clock.monotonic() < until);
    this.#rivalLooks();
  }

  async suspend(ms: number): Promise<void> {
    this.#sleep(ms);
    await this.run(0);
  }

  /** Lets time pass until the next node is to begin, and suspends the machine when its intent is durable, before it does. */
  async suspendBehindIntent(ms: number): Promise<void> {
    this.#sleepBehindIntentMs = ms;
    while (this.#sleepBehindIntentMs !== null) await this.run(100);
  }

  #sleepBehindIntent(): void {
    const ms = this.#sleepBehindIntentMs;
    this.#sleepBehindIntentMs = null;
    if (ms !== null) this.#sleep(ms);
  }

  /** What was under way when the lid was closed cannot be helped. */
  #sleep(ms: number): void {
    this.clock.suspend(ms);
    this.#rivalLooks('asleep');
  }

  /** The robot is killed and started again at once. */
  async restartRobot(): Promise<void> {
    await this.#kill();
    await this.#startAgain();
  }

  /** The machine is off for `offMs` and starts anew. */
  async reboot(offMs: number): Promise<void> {
    await this.#kill();
    const { now } = this;
    this.clock = new ManualClock({ startAtMs: this.clock.now() + offMs });
    this.#serverAhead = now + offMs;
    this.#boots += 1;
    this.#rivalLooks();
    await this.#startAgain();
  }

  /** Everything is well again; ends the robot. What is left to notice is noted. */
  async settle(): Promise<void> {
    this.isServerUp = true;
    for (let waited = 0; !this.isSettled && waited < 600_000; waited += 1_000) await this.run(1_000);
    if (!this.isSettled) this.violations.push('the job is neither ended nor given up after ten minutes');
    if (this.rivalSince === null) this.#checkSteps();
    await this.#kill();
  }

  #checkSteps(): void {
    for (let index = 0; index < (this.#options.steps ?? 20); index += 1) {
      const begins = this.effects.filter(({ nodeId }) => nodeId === `n${index}`);
      const done = begins.filter(({ end }) => end === 'done').length;
      if (done !== 1) this.violations.push(`the effect n${index} was done ${done} times`);
    }
  }

  async #startAgain(): Promise<void> {
    this.#life = await this.#start();
    const { desk } = this.#life;
    await desk.recover();
    if (desk.progressOf(jobId) === null) this.#isGivenUp = true;
    await this.run(0);
  }

  async #kill(): Promise<void> {
    await this.#life?.end();
    this.#life = null;
  }

  #rivalLooks(machine: 'awake' | 'asleep' = 'awake'): void {
    const { expiresAt, isOver } = this.#lease;
    const { hasRival, onLost } = this.#options;
    if (!hasRival || onLost === 'hold' || isOver || this.rivalSince !== null || this.now < expiresAt) return;
    this.rivalSince = expiresAt;
    this.#lease.token += 1;
    if (machine === 'asleep') return;
    for (const { nodeId, end } of this.effects)
      if (end === 'under way') this.violations.push(`${nodeId} runs here when the other robot begins the job`);
  }

  #renew(): void {
    this.renewals.push(this.now);
    this.#lease.expiresAt = this.now + lockTimeoutMs;
  }

  #effectBegins(nodeId: string): Effect {
    const { expiresAt } = this.#lease;
    this.#rivalLooks();
    if (this.#options.onLost === 'restart' && this.now >= expiresAt - leaseMarginMs(lockTimeoutMs)) {
      this.violations.push(`${nodeId} begins ${this.now - expiresAt} ms after the deadline, or too shortly before it`);
    }
    const effect: Effect = { nodeId, beganAt: this.now, end: 'under way' };
    this.effects.push(effect);
    return effect;
  }

  #gateway(): ConstructorParameters<typeof JobLocker>[0]['gateway'] {
    const reach = (): void => {
      if (!this.isServerUp) throw new Error('offline');
      this.#rivalLooks();
    };
    const answer = (leaseToken: string): LeaseAnswer['outcome'] => {
      if (leaseToken !== String(this.#lease.token) || this.#lease.isOver) return 'stale';
      this.#renew();
      return 'ok';
    };
    const heartbeatJobs = async (_robot: string, leases: readonly { jobId: string; leaseToken: string }[]) => {
      reach();
      return leases.map((lease) => ({
        ...lease,
        outcome: answer(lease.leaseToken),
        cancelReason: null,
        cancelRequestedBy: null,
        answers: [],
      }));
    };
    return {
      heartbeatJobs,
      claimJob: async () => null,
      claimJobs: async () => {
        reach();
        this.#renew();
        const { onLost } = this.#options;
        const more = { attempt: 1, maxAttempts: 1, timeoutMs: null, leaseMs: lockTimeoutMs, cancelRequested: false };
        const policy = { onLost, inDoubtPolicy: 'retry' as const };
        const what = { jobId, leaseToken: '1', name: 'job', workflow: this.#workflow, variables: {} };
        return [{ ...what, ...policy, ...more }];
      },
      robotTurn: async ({ leases }) => ({
        leases: await heartbeatJobs(robotId, leases),
        claims: [],
        fleetSize: null,
      }),
      completeJob: async () => 'ok',
      releaseJob: async () => 'ok',
    };
  }

  async #start(): Promise<Life> {
    const { folder, defect, platform = 'linux' } = this.#options;
    const { clock } = this;
    const wallOrMonotonic = {
      'clock-stands-in-suspend': () => clock.monotonic(),
      'clock-is-the-wall': () => clock.now(),
    };
    const bootClock =
      defect === 'clock-stands-in-suspend' || defect === 'clock-is-the-wall'
        ? wallOrMonotonic[defect]
        : createBootClock(platform, {
            uptimeMs: () => (platform === 'linux' ? clock.sinceBoot() : clock.monotonic()),
            wallMs: () => clock.now(),
            monotonicMs: () => clock.monotonic(),
          });
    const queue = new OfflineQueue({ dbPath: join(folder, 'store.db'), robotId, synchronous: 'normal' });
    const life = new Life({ queue, clock });
    const logger = { log: () => undefined };
    const store = durableJobs({
      queue,
      checkpoints: new CheckpointManager(queue),
      bootId: defect === 'boot-is-never-new' ? 'boot' : bootClockEra(`boot ${this.#boots}`, platform),
      bootClock,
    });
    let isRecording = false;
    const sees: Record<string, () => boolean> = {
      'begins-without-asking': () => !isRecording,
      'deadline-is-ignored': () => false,
    };
    const locker = new DefectiveLocker(sees[defect ?? ''] ?? (() => true), {
      gateway: this.#gateway(),
      robotId,
      lockTimeoutMs,
      clock: { now: () => clock.now(), sleep: (ms, signal) => clock.sleep(ms, signal), monotonic: bootClock },
    });
    const checker = new CancellationChecker({ leases: locker, checkIntervalMs: 2_000, clock });
    const desk = new JobDesk({
      store: {
        ...store,
        supersede: async (id) => {
          await store.supersede(id);
          this.#isGivenUp = true;
        },
      },
      locker,
      checker,
      inDoubtPolicy: 'ask',
      reporter: null,
      telemetry: silent,
      checkpoints: { enabled: true, onEveryNode: true },
      logger,
      clock,
      retryStoreMs: 1_000,
      onOutbox: () => undefined,
      claimUnderWay: () => null,
    });
    const runner = new InProcessRunner({
      registry: this.#nodes(life),
      journalFor: (job) => {
        const journal = desk.journalFor(job);
        const isDefective = defect === 'begins-without-asking';
        const commit: typeof journal.commit = async (entries) => {
          isRecording = isDefective;
          await journal.commit(entries).finally(() => {
            isRecording = false;
          });
          if (entries.some(({ kind }) => kind === 'intent')) this.#sleepBehindIntent();
        };
        return {
          snapshotEveryEntries: journal.snapshotEveryEntries ?? 1_000,
          load: () => journal.load(),
          commit,
          ...(isDefective || defect === 'begins-without-a-last-look'
            ? {}
            : { beforeNode: () => journal.beforeNode?.() }),
        };
      },
      workDirFor: async () => folder,
      logger,
      clock,
    });
    const executor = new JobExecutor({
      runner,
      onJobComplete: async (end) => {
        await desk.onJobComplete(end);
        if (!life.isOver && end.kind === 'ran' && end.report.end.status === 'completed') this.#lease.isOver = true;
      },
      clock,
    });
    desk.attach(executor);
    await executor.start();
    life.begin({ desk, locker, checker, executor });
    return life;
  }

  #nodes(life: Life): NodeRegistry {
    const step = stepNode(async (nodeId, signal) => {
      if (life.isOver) throw new Error('this robot is dead');
      const effect = this.#effectBegins(nodeId);
      try {
        await this.clock.sleep(this.#options.stepMs ?? 1_000, AbortSignal.any([signal, life.signal]));
      } catch (error) {
        effect.end = 'cut off';
        throw error;
      }
      effect.end = 'done';
    });
    return createNodeRegistry([step]);
  }
}

/** Does not see that a lease ends while `sees` says so. */
class DefectiveLocker extends JobLocker {
  readonly #sees: () => boolean;

  constructor(sees: () => boolean, options: ConstructorParameters<typeof JobLocker>[0]) {
    super(options);
    this.#sees = sees;
  }

  override remainingMs(id: string): number | null {
    return this.#sees() ? super.remainingMs(id) : this.lockTimeoutMs;
  }
}

interface LifeParts {
  readonly desk: JobDesk;
  readonly locker: JobLocker;
  readonly checker: CancellationChecker;
  readonly executor: JobExecutor;
}

/** One process of the robot. */
class Life {
  readonly #outer: { readonly queue: OfflineQueue; readonly clock: ManualClock };
  readonly #over = new AbortController();
  #parts: LifeParts | null = null;
  #guard: Periodic | null = null;

  constructor(outer: { readonly queue: OfflineQueue; readonly clock: ManualClock }) {
    this.#outer = outer;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get desk(): JobDesk {
    return this.#partsOrThrow().desk;
  }

  get locker(): JobLocker {
    return this.#partsOrThrow().locker;
  }

  begin(parts: LifeParts): void {
    this.#parts = parts;
    this.#guard = startPeriodic({
      name: 'guard',
      intervalMs: guardIntervalMs(lockTimeoutMs),
      clock: this.#outer.clock,
      turn: () => parts.desk.guardDeadlines(),
      onError: () => undefined,
    });
  }

  /** Resolves when the disk has done what it was asked for, and what came of that. */
  async settled(): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      await this.#outer.queue.getStats();
      await this.#outer.clock.advance(0);
    }
  }

  /** As SIGKILL does it: the store keeps what it has, nothing more comes. */
  async end(): Promise<void> {
    const { checker, desk, executor } = this.#partsOrThrow();
    await this.#outer.queue.close();
    this.#over.abort();
    checker.stop();
    desk.stop();
    await this.#guard?.stop();
    await executor.stop({ mode: 'suspend' });
  }

  #partsOrThrow(): LifeParts {
    if (this.#parts === null) throw new Error('it has not begun');
    return this.#parts;
  }
}

const silent: ConstructorParameters<typeof JobDesk>[0]['telemetry'] = {
  metricsFor: () => null,
  auditFor: () => null,
  received: () => undefined,
  resumed: () => undefined,
  leaseLost: () => undefined,
  released: () => undefined,
  cancelRequested: () => undefined,
  answered: () => undefined,
  ended: () => undefined,
  stepsLost: () => undefined,
};
