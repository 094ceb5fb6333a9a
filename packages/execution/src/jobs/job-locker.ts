/**
 * Leases from the robot's side: claims them, renews all of them in one request, tells who lost or must
 * stop one, and hands them back (I1). The deadline of a lease runs from the moment the last successful
 * request was *sent*, on a clock that never steps back (I2).
 */
import { randomUUID } from 'node:crypto';
import { requireClock, requireMethods, requireOptions, requireText } from '../argument-error.ts';
import { anyMs, delayTimeMs, oneOf, plainObject, requireShape, shapeOf, text } from '../argument-shapes.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { jobKey, requireArguments } from './gateway-arguments.ts';
import type {
  ClaimedJob,
  GatewayCallOptions,
  Lease,
  LeaseAnswer,
  LeaseOutcome,
  RenewedLease,
  TurnAnswer,
  TurnRequest,
} from './gateway-types.ts';
import type { JobGateway } from './job-gateway.ts';
import { UnansweredClaims } from './unanswered-claims.ts';

export interface JobLockerOptions {
  readonly gateway: Pick<
    JobGateway,
    'claimJob' | 'claimJobs' | 'heartbeatJobs' | 'robotTurn' | 'releaseJob' | 'completeJob'
  >;
  readonly robotId: string;
  /** How long a lease stands without a renewal, in ms. Default 300,000. */
  readonly lockTimeoutMs?: number;
  readonly clock?: Clock;
  /** How many entries the robot's journal of a job has; the server is told of it with every renewal. Default: it is not. */
  readonly recordedOf?: (lease: Lease) => number | null;
}

/** No request that renews leases waits longer for its answer, in ms. */
const maxRenewalMs = 30_000;

const gatewayMethods = ['claimJob', 'claimJobs', 'heartbeatJobs', 'robotTurn', 'releaseJob', 'completeJob'] as const;

interface HeldLease extends Lease {
  /** Monotonic time at which the newest successful claim or renewal was sent. */
  readonly confirmedAt: number;
}

/**
 * @example
 * const locker = new JobLocker({ gateway, robotId });
 * const job = await locker.tryClaim(jobId);
 * if (job !== null) {
 *   await locker.heartbeat(jobId);
 *   await locker.release(jobId, { status: 'completed', result: { rows: 3 } });
 * }
 * // Every method throws an ArgumentError naming what it cannot take, and asks and changes nothing then.
 */
export class JobLocker {
  readonly lockTimeoutMs: number;
  readonly #gateway: JobLockerOptions['gateway'];
  readonly #robotId: string;
  readonly #clock: Clock;
  readonly #recordedOf: (lease: Lease) => number | null;
  readonly #held = new Map<string, HeldLease>();
  readonly #unanswered = new UnansweredClaims();

  /** @throws ArgumentError naming the option that cannot be */
  constructor(options: JobLockerOptions) {
    requireOptions('options', options, ['gateway', 'robotId', 'lockTimeoutMs', 'clock', 'recordedOf']);
    requireMethods('gateway', options.gateway, gatewayMethods);
    requireText('robotId', options.robotId);
    requireClock(options.clock);
    requireArguments({ lockTimeoutMs: options.lockTimeoutMs ?? 300_000 });
    this.#gateway = options.gateway;
    this.#robotId = options.robotId;
    this.lockTimeoutMs = options.lockTimeoutMs ?? 300_000;
    this.#clock = options.clock ?? systemClock;
    this.#recordedOf = options.recordedOf ?? (() => null);
  }

  /** The leases that this locker holds, oldest first. */
  get held(): readonly Lease[] {
    return [...this.#held.values()];
  }

  /**
   * Claims one job; null when somebody has it (this robot perhaps), or it cannot be claimed (now). When it fails, the claim
   * may have been made: asking again for the job recovers it (I6).
   *
   * @param options.requestId a UUID; who stores it before the call can repeat it after a restart. Default: one of the locker's
   */
  async tryClaim(
    jobId: string,
    options: GatewayCallOptions & { readonly requestId?: string } = {},
  ): Promise<ClaimedJob | null> {
    requireText('jobId', jobId);
    requireOptions('options', options, ['signal', 'timeoutMs', 'requestId']);
    const { requestId = this.#unanswered.take(jobKey(jobId)) ?? randomUUID(), ...call } = options;
    const sentAt = this.#clock.monotonic();
    try {
      const job = await this.#gateway.claimJob(jobId, this.#robotId, this.lockTimeoutMs, { ...call, requestId });
      if (job !== null) this.#hold(job, sentAt);
      return job;
    } catch (error) {
      this.#unanswered.keep(jobKey(jobId), requestId);
      throw error;
    }
  }

  /** Claims up to `limit` waiting jobs. A repeated `requestId` returns the same claims (I6). */
  async claim(
    request: {
      readonly requestId: string;
      readonly limit: number;
      readonly capabilities?: readonly string[];
      readonly tags?: readonly string[];
    },
    options?: GatewayCallOptions,
  ): Promise<readonly ClaimedJob[]> {
    requireArguments({ request: { capabilities: [], tags: [], ...request } });
    const sentAt = this.#clock.monotonic();
    const jobs = await this.#gateway.claimJobs(
      {
        robotId: this.#robotId,
        requestId: request.requestId,
        limit: request.limit,
        lockTimeoutMs: this.lockTimeoutMs,
        capabilities: request.capabilities ?? [],
        tags: request.tags ?? [],
      },
      options,
    );
    for (const job of jobs) this.#hold(job, sentAt);
    return jobs;
  }

  /** Takes up a lease that an earlier process held, with the ms that it is still known to stand. */
  adopt(lease: Lease, remainingMs: number): void {
    requireArguments({ lease });
    requireShape('remainingMs', remainingMs, anyMs);
    this.#hold(lease, this.#clock.monotonic() + remainingMs - this.lockTimeoutMs);
  }

  /** Renews one lease. `stale` when it is not held (any more). */
  async heartbeat(jobId: string, options?: GatewayCallOptions): Promise<LeaseOutcome> {
    requireText('jobId', jobId);
    const lease = this.#held.get(jobKey(jobId));
    if (lease === undefined) return 'stale';
    const answers = await this.#renew([lease], options);
    return answers[0]?.outcome ?? 'stale';
  }

  /** Renews every held lease in one request. */
  async heartbeatAll(options?: GatewayCallOptions): Promise<readonly LeaseAnswer[]> {
    return this.#held.size === 0 ? [] : this.#renew([...this.#held.values()], options);
  }

  /**
   * A robot's regular request: renews every held lease, and tells of its presence and claims as asked. When it fails,
   * nothing was renewed, and a claim may have been made: repeat its `requestId` (I6).
   */
  async turn(request: Pick<TurnRequest, 'presence' | 'claim'>, options?: GatewayCallOptions): Promise<TurnAnswer> {
    requireArguments({ turn: request });
    const leases = this.#renewed([...this.#held.values()]);
    const sentAt = this.#clock.monotonic();
    const answer = await this.#gateway.robotTurn(
      { ...request, robotId: this.#robotId, lockTimeoutMs: this.lockTimeoutMs, leases },
      this.#inTime(options),
    );
    this.#confirm(answer.leases, sentAt);
    for (const job of answer.claims) this.#hold(job, sentAt);
    return answer;
  }

  /** Ms until a lease has to be taken for expired; null when it is not held. Negative: already so. */
  remainingMs(jobId: string): number | null {
    const lease = this.#held.get(jobKey(jobId));
    return lease === undefined ? null : lease.confirmedAt + this.lockTimeoutMs - this.#clock.monotonic();
  }

  /**
   * Ends the lease on the server: with a terminal status the job is over, without one it is handed back
   * to wait for another claim, which costs no attempt.
   */
  async release(
    jobId: string,
    end: {
      readonly status?: 'completed' | 'failed' | 'cancelled';
      readonly result?: Parameters<JobGateway['completeJob']>[1]['result'];
      readonly error?: Parameters<JobGateway['completeJob']>[1]['error'];
      readonly reason?: string;
      /** Without a status: how long the job cannot be claimed again, in ms. Default 0. */
      readonly delayMs?: number;
    } = {},
    options?: GatewayCallOptions,
  ): Promise<LeaseOutcome> {
    requireText('jobId', jobId);
    requireRelease(end);
    const lease = this.#held.get(jobKey(jobId));
    if (lease === undefined) return 'stale';
    const answer =
      end.status === undefined
        ? await this.#gateway.releaseJob(lease, end.reason ?? 'released by its robot', {
            ...options,
            delayMs: end.delayMs ?? 0,
          })
        : await this.#gateway.completeJob(
            lease,
            { status: end.status, result: end.result ?? null, error: end.error ?? null },
            options,
          );
    if (this.#held.get(jobKey(jobId))?.leaseToken === lease.leaseToken) this.#held.delete(jobKey(jobId));
    return answer;
  }

  /**
   * Stops renewing a lease, without a word to the server: it ended another way.
   *
   * @param leaseToken only the lease of this claim. Default: whichever is held
   */
  forget(jobId: string, leaseToken?: string): void {
    if (leaseToken === undefined || this.#held.get(jobKey(jobId))?.leaseToken === leaseToken)
      this.#held.delete(jobKey(jobId));
  }

  async #renew(leases: readonly HeldLease[], options?: GatewayCallOptions): Promise<readonly LeaseAnswer[]> {
    const sentAt = this.#clock.monotonic();
    const answers = await this.#gateway.heartbeatJobs(
      this.#robotId,
      this.#renewed(leases),
      this.lockTimeoutMs,
      this.#inTime(options),
    );
    this.#confirm(answers, sentAt);
    return answers;
  }

  #renewed(leases: readonly Lease[]): RenewedLease[] {
    return leases.map(({ jobId, leaseToken }) => {
      const recorded = this.#recordedOf({ jobId, leaseToken });
      return { jobId, leaseToken, ...(recorded === null ? {} : { recorded }) };
    });
  }

  #confirm(answers: readonly LeaseAnswer[], sentAt: number): void {
    for (const answer of answers) {
      const current = this.#held.get(jobKey(answer.jobId));
      if (current === undefined || current.leaseToken !== answer.leaseToken) continue;
      if (answer.outcome === 'stale') this.#held.delete(jobKey(answer.jobId));
      else this.#hold(current, sentAt);
    }
  }

  /** A renewal that gets no answer must leave time for the next one. */
  #inTime(options: GatewayCallOptions = {}): GatewayCallOptions {
    return { timeoutMs: Math.min(maxRenewalMs, Math.floor(this.lockTimeoutMs / 3)), ...options };
  }

  /** Answers may arrive in another order than they were asked for: the newest request counts (I2). */
  #hold({ jobId, leaseToken }: Lease, sentAt: number): void {
    const held = this.#held.get(jobKey(jobId));
    const former = held?.leaseToken === leaseToken ? held.confirmedAt : sentAt;
    this.#held.set(jobKey(jobId), { jobId, leaseToken, confirmedAt: Math.max(former, sentAt) });
  }
}

const endParts = {
  status: oneOf(['completed', 'failed', 'cancelled']).optional(),
  result: plainObject.nullish(),
  error: plainObject.nullish(),
  reason: text.optional(),
  delayMs: delayTimeMs.optional(),
};
const endShape = shapeOf(endParts);

/** An end whose status is misspelled would hand the job back instead. */
function requireRelease(end: object): void {
  requireOptions('end', end, Object.keys(endParts));
  requireShape('end', end, endShape);
}
