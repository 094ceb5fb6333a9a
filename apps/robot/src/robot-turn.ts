/**
 * The robot's regular request. Whenever there is something to ask or tell, one request carries all of it: the presence
 * when it is due, the renewal of all leases, with the cancels and answers that come back, and the claim for free slots.
 * Between two turns the leases are renewed when their time comes, see `CancellationChecker`; such a request takes along
 * a presence that is due.
 *
 * A turn is all or nothing in the database. After one that failed the leases are renewed at once without it, and while
 * claiming is what fails, the presence is told without claiming. A turn that hangs delays no renewal.
 */
import type {
  CancellationChecker,
  Clock,
  GatewayCallOptions,
  JobGateway,
  JobLocker,
  LeaseAnswer,
  Presence,
  RobotRegistration,
  TurnAnswer,
} from '@casare/execution';
import { otherInstanceCode } from './instance/robot-instance.ts';
import type { ClaimUnderWay, JobIntake } from './job-intake.ts';

export interface RobotTurnOptions {
  readonly connection: { readonly isConnected: boolean };
  readonly gateway: Pick<JobGateway, 'schemaVersion' | 'registerRobot'>;
  readonly locker: Pick<JobLocker, 'turn' | 'heartbeatAll' | 'held'>;
  readonly checker: Pick<CancellationChecker, 'answered' | 'checkNow'>;
  readonly intake: Pick<JobIntake, 'begin'>;
  /** Default: the robot can only be here. */
  readonly instance?: {
    readonly isHeld: boolean;
    settle(options: GatewayCallOptions): Promise<void>;
    askAgain(): void;
    doubt(): void;
  };
  /** Read anew for every registration. */
  readonly robot: () => RobotRegistration;
  readonly presence: () => Presence;
  /** Ms between two tellings of the presence. */
  readonly presenceIntervalMs: number;
  readonly clock: Clock;
  /** The server knows this robot now. */
  readonly onRegistered?: () => void;
  readonly onFleetSize?: (size: number) => void;
}

/** `robot_turn` as it is used here. */
const requiredSchemaVersion = 7;

export class RobotTurn {
  readonly #options: RobotTurnOptions;
  #isRegistered = false;
  #presenceToldAt = Number.NEGATIVE_INFINITY;
  #hasClaimFailed = false;

  constructor(options: RobotTurnOptions) {
    this.#options = options;
  }

  /** Whether the server knows this robot: what refers to it has to wait until then. */
  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** After a connect: the server may be another one, or have forgotten the robot. Also when the limit has changed. */
  registerAgain(): void {
    this.#isRegistered = false;
    this.#options.instance?.askAgain();
  }

  /** What the server is told of the robot has changed: the next turn tells it. */
  tellPresence(): void {
    this.#presenceToldAt = Number.NEGATIVE_INFINITY;
  }

  /** Registers the robot where that is due, and sends what there is to send. Does nothing while disconnected. */
  async take(signal: AbortSignal): Promise<void> {
    const { connection, intake } = this.#options;
    if (!connection.isConnected) return;
    if (!this.#isRegistered) await this.#register(signal);
    if (this.#hasClaimFailed && this.#isPresenceDue) await this.#send(null, signal);
    const claim = intake.begin();
    const tellsOnly = this.#isPresenceDue && this.#options.locker.held.length === 0;
    if (claim !== null || tellsOnly) await this.#send(claim, signal);
  }

  /** Renews all leases, for the checker. */
  async heartbeatAll(options: GatewayCallOptions = {}): Promise<readonly LeaseAnswer[]> {
    const { connection, locker, presence, clock, instance } = this.#options;
    // Also before the connection stands: a renewal that waits for it would be sent before anything is settled.
    if (instance?.isHeld === false) await instance.settle(options);
    if (connection.isConnected && this.#isRegistered && this.#isPresenceDue && locker.held.length > 0) {
      this.#presenceToldAt = clock.monotonic();
      try {
        return this.#heard(await locker.turn({ presence: presence(), claim: null }, options)).leases;
      } catch (error) {
        this.tellPresence();
        this.#heardRefusal(error);
        if (options.signal?.aborted) throw error;
      }
    }
    return locker.heartbeatAll(options).catch((error: unknown) => {
      this.#heardRefusal(error);
      throw error;
    });
  }

  get #isPresenceDue(): boolean {
    const { clock, presenceIntervalMs } = this.#options;
    return clock.monotonic() - this.#presenceToldAt >= presenceIntervalMs;
  }

  async #send(claim: ClaimUnderWay | null, signal: AbortSignal): Promise<void> {
    const { locker, checker, presence, clock } = this.#options;
    const sentAt = clock.monotonic();
    const tellsPresence = this.#isPresenceDue;
    if (tellsPresence) this.#presenceToldAt = sentAt;
    try {
      const request = { presence: tellsPresence ? presence() : null, claim: claim?.request ?? null };
      const options = { signal: claim === null ? signal : AbortSignal.any([signal, claim.signal]) };
      const { leases, claims } = this.#heard(await locker.turn(request, options));
      checker.answered(leases, sentAt);
      if (claim !== null) this.#hasClaimFailed = false;
      claim?.claimed(claims);
    } catch (error) {
      if (tellsPresence) this.tellPresence();
      this.#heardRefusal(error);
      if (claim !== null) this.#hasClaimFailed = true;
      claim?.failed();
      if (claim?.signal.aborted) return;
      if (!signal.aborted) void checker.checkNow();
      throw error;
    }
  }

  /** Another instance is the robot's now: before anything else, it is asked which one. */
  #heardRefusal(error: unknown): void {
    if ((error as { code?: unknown } | undefined)?.code !== otherInstanceCode) return;
    this.#options.instance?.doubt();
    this.#isRegistered = false;
  }

  #heard(answer: TurnAnswer): TurnAnswer {
    if (answer.fleetSize !== null) this.#options.onFleetSize?.(answer.fleetSize);
    return answer;
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { gateway, robot, onRegistered } = this.#options;
    const version = await gateway.schemaVersion({ signal });
    if (version < requiredSchemaVersion) {
      throw new Error(
        `the database has schema version ${version}, this robot needs ${requiredSchemaVersion}: apply migrations/; until then it takes no jobs, and renews the leases of those it has`,
      );
    }
    await this.#options.instance?.settle({ signal });
    this.#isRegistered = true;
    try {
      await gateway.registerRobot(robot(), { signal });
    } catch (error) {
      this.#isRegistered = false;
      this.#heardRefusal(error);
      throw error;
    }
    onRegistered?.();
  }
}
