/**
 * The typed door to the database functions of `migrations/`. Every write about a job carries its lease
 * (job id and fencing token) and is answered `ok`, `stale` or `cancelled` (I1); times travel as
 * durations (I2). What the database answers is checked before it is believed.
 */
import { z } from 'zod';
import { requireMethods, requireObject } from '../argument-error.ts';
import type { DoubtDecision, DoubtQuestion } from '../engine/doubt.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { RpcPort } from '../ports.ts';
import {
  claimedJob,
  foundJobs,
  instanceAnswer,
  jobLogs,
  jsonObject,
  leaseAnswers,
  outcome,
  progressAnswers,
  turnAnswer,
  writeOutcome,
} from './gateway-answers.ts';
import { requireArguments, requireCallOptions, requireEnqueueRequest, uuid } from './gateway-arguments.ts';
import { GatewayError } from './gateway-error.ts';
import type {
  CancelAnswer,
  ClaimedJob,
  ClaimRequest,
  EnqueueRequest,
  GatewayCallOptions,
  InstanceAnswer,
  InstanceClaim,
  JobEvent,
  JobLogPage,
  JobLogPosition,
  Lease,
  LeaseAnswer,
  LeaseOutcome,
  LogBatch,
  RedriveAnswer,
  RenewedLease,
  ResolveAnswer,
  RobotRegistration,
  TurnAnswer,
  TurnRequest,
} from './gateway-types.ts';
import { requireStorable } from './require-storable.ts';
import { storableArguments } from './storable-json.ts';

const resolveAnswer: z.ZodType<ResolveAnswer> = z.enum([
  'answered',
  'restarted',
  'failed',
  'not-waiting',
  'not-offered',
  'already',
  'ambiguous',
  'final',
  'unknown',
]);
const ownAnswer: z.ZodType<ResolveAnswer | 'stale'> = z.union([resolveAnswer, z.literal('stale')]);
const redriveAnswer: z.ZodType<RedriveAnswer> = z.enum(['redriven', 'not-failed', 'duplicate', 'unknown']);

/**
 * Every method throws an ArgumentError naming the argument that is missing or of another kind, and sends nothing then.
 *
 * @example
 * const gateway = new JobGateway(connection);
 * const jobId = await gateway.enqueueJob({ workflow: await readFile('flow.json', 'utf8') });
 */
export class JobGateway {
  readonly #rpc: RpcPort;

  /** @throws ArgumentError */
  constructor(rpc: RpcPort) {
    requireMethods('rpc', rpc, ['rpc']);
    this.#rpc = rpc;
  }

  async schemaVersion(options?: GatewayCallOptions): Promise<number> {
    return this.#call('schema_version', {}, z.int(), options);
  }

  async registerRobot(robot: RobotRegistration, options?: GatewayCallOptions): Promise<void> {
    requireArguments({ robot });
    await this.#call(
      'register_robot',
      {
        p_robot_id: uuid('robotId', robot.robotId),
        p_name: robot.name,
        p_capabilities: robot.capabilities,
        p_tags: robot.tags,
        p_max_concurrent_jobs: robot.maxConcurrentJobs,
        p_version: robot.version,
        p_boot_id: robot.bootId,
      },
      z.looseObject({ robot_id: z.string() }),
      options,
    );
  }

  /** Makes a start of a robot the robot's instance, unless another one works. */
  async takeInstance(claim: InstanceClaim, options?: GatewayCallOptions): Promise<InstanceAnswer> {
    return this.#call(
      'take_instance',
      {
        p_robot_id: uuid('robotId', claim.robotId),
        p_instance: uuid('instance', claim.instance),
        p_previous: claim.previous.map((instance) => uuid('previous', instance)),
        p_machine: claim.machine,
        p_boot: claim.boot,
        p_host: claim.host,
        p_up_ms: Math.round(claim.upMs),
        p_presence_ms: claim.presenceMs,
        p_silent_ms: claim.silentMs,
      },
      instanceAnswer,
      options,
    );
  }

  /** The instance has ended: whoever starts next takes its place. Resolves with whether it was the robot's. */
  async leaveInstance(robotId: string, instance: string, options?: GatewayCallOptions): Promise<boolean> {
    const args = { p_robot_id: uuid('robotId', robotId), p_instance: uuid('instance', instance) };
    return this.#call('leave_instance', args, z.boolean(), options);
  }

  /** An operator says that a robot's instance is gone for good. Resolves with whether there is such a robot. */
  async releaseInstance(robotId: string, options?: GatewayCallOptions): Promise<boolean> {
    return this.#call('release_instance', { p_robot_id: uuid('robotId', robotId) }, z.boolean(), options);
  }

  async claimJobs(request: ClaimRequest, options?: GatewayCallOptions): Promise<readonly ClaimedJob[]> {
    requireArguments({ request });
    requireArguments({ lockTimeoutMs: request.lockTimeoutMs });
    return this.#call(
      'claim_jobs',
      {
        p_robot_id: uuid('robotId', request.robotId),
        p_request_id: uuid('requestId', request.requestId),
        p_limit: request.limit,
        p_lock_timeout_ms: request.lockTimeoutMs,
        p_capabilities: request.capabilities,
        p_tags: request.tags,
      },
      z.array(claimedJob),
      options,
    );
  }

  /**
   * Claims one job by id; null when it cannot be claimed (now).
   *
   * @param options.requestId a UUID; repeating it after a lost answer returns the same claim, while that stands (I6)
   */
  async claimJob(
    jobId: string,
    robotId: string,
    lockTimeoutMs: number,
    options: GatewayCallOptions & { readonly requestId?: string } = {},
  ): Promise<ClaimedJob | null> {
    requireObject('options', options);
    requireArguments({ lockTimeoutMs });
    const { requestId, ...call } = options;
    const args = {
      p_job_id: uuid('jobId', jobId),
      p_robot_id: uuid('robotId', robotId),
      p_lock_timeout_ms: lockTimeoutMs,
      p_request_id: requestId === undefined ? null : uuid('requestId', requestId),
    };
    return this.#call('claim_job', args, claimedJob.nullable(), call);
  }

  /** Extends every lease that still stands, and tells which were lost or asked to stop. */
  async heartbeatJobs(
    robotId: string,
    leases: readonly RenewedLease[],
    lockTimeoutMs: number,
    options?: GatewayCallOptions,
  ): Promise<readonly LeaseAnswer[]> {
    requireArguments({ lockTimeoutMs });
    const answer = await this.#call(
      'heartbeat_jobs',
      {
        p_robot_id: uuid('robotId', robotId),
        p_leases: leaseRows(leases),
        p_lock_timeout_ms: lockTimeoutMs,
      },
      leaseAnswers,
      options,
    );
    return answer.leases;
  }

  /** Renews leases, tells of the robot's presence and claims, in one request. */
  async robotTurn(turn: TurnRequest, options?: GatewayCallOptions): Promise<TurnAnswer> {
    requireArguments({ turn });
    const { robotId, leases, lockTimeoutMs, presence, claim } = turn;
    requireArguments({ lockTimeoutMs });
    return this.#call(
      'robot_turn',
      {
        p_robot_id: uuid('robotId', robotId),
        p_leases: leaseRows(leases),
        p_lock_timeout_ms: lockTimeoutMs,
        p_status: presence?.status ?? null,
        p_metrics: presence?.metrics ?? null,
        p_request_id: claim === null ? null : uuid('requestId', claim.requestId),
        p_limit: claim?.limit ?? 0,
        p_capabilities: claim?.capabilities ?? [],
        p_tags: claim?.tags ?? [],
      },
      turnAnswer,
      options,
    );
  }

  /** @returns how many robots the database has heard of lately, this one included; null when it does not say */
  async robotHeartbeat(
    robotId: string,
    status: string,
    metrics: JsonObject | null,
    options?: GatewayCallOptions,
  ): Promise<{ readonly fleetSize: number | null }> {
    requireArguments({ status, metrics });
    const args = { p_robot_id: uuid('robotId', robotId), p_status: status, p_metrics: metrics };
    const answer = await this.#call('robot_heartbeat', args, z.object({ fleet_size: z.int().optional() }), options);
    return { fleetSize: answer.fleet_size ?? null };
  }

  async reportProgress(lease: Lease, progress: JsonObject, options?: GatewayCallOptions): Promise<LeaseOutcome> {
    requireArguments({ progress });
    return this.#call('report_progress', { ...leaseArgs(lease), p_progress: progress }, outcome, options);
  }

  /** Tells the progress of several jobs in one request (at most 1,000); each is answered by itself. */
  async reportProgressBatch(
    reports: readonly { readonly lease: Lease; readonly progress: JsonObject }[],
    options?: GatewayCallOptions,
  ): Promise<readonly (Lease & { readonly outcome: LeaseOutcome })[]> {
    requireArguments({ reports });
    const rows = reports.map(({ lease, progress }) => ({
      job_id: uuid('jobId', lease.jobId),
      lease_token: lease.leaseToken,
      progress,
    }));
    return this.#call('report_progress_batch', { p_reports: rows }, progressAnswers, options);
  }

  /**
   * Idempotent by (job, token, seq); under a stale token they are kept as superseded evidence.
   *
   * @throws GatewayError `CONTENT_CONFLICT` when an event is there already with other content; the others are kept
   */
  async recordEvents(lease: Lease, events: readonly JobEvent[], options?: GatewayCallOptions): Promise<LeaseOutcome> {
    requireArguments({ events });
    const args = { ...leaseArgs(lease), p_events: events.map((event) => ({ ...event })) };
    return unlessConflict('an event', await this.#call('record_events', args, writeOutcome, options));
  }

  /** Says which questions are open; those that are not named any more are settled, and their answers are forgotten. */
  async setInDoubt(
    lease: Lease,
    questions: readonly DoubtQuestion[],
    options?: GatewayCallOptions,
  ): Promise<LeaseOutcome> {
    requireArguments({ questions });
    const asked = questions.map(({ answers, ...question }) => ({ ...question, answers: [...answers] }));
    const args = { ...leaseArgs(lease), p_in_doubt: asked };
    return this.#call('set_in_doubt', args, outcome, options);
  }

  /**
   * Ends the job. Repeating it with the same token is `ok` and changes nothing (I5).
   *
   * @throws GatewayError `CONTENT_CONFLICT` when it has ended otherwise under this token; that end stands, and this one is
   *   kept as superseded evidence
   */
  async completeJob(
    lease: Lease,
    end: {
      readonly status: 'completed' | 'failed' | 'cancelled';
      readonly result: JsonObject | null;
      readonly error: JsonObject | null;
      /** The last state of the progress, written together with the end. */
      readonly progress?: JsonObject | null;
    },
    options?: GatewayCallOptions,
  ): Promise<LeaseOutcome> {
    requireArguments({ end });
    const { status, result, error, progress = null } = end;
    const args = { ...leaseArgs(lease), p_status: status, p_result: result, p_error: error, p_progress: progress };
    return unlessConflict('the end of the job', await this.#call('complete_job', args, writeOutcome, options));
  }

  /** Hands the job back; it costs no attempt. `delayMs`: how long it cannot be claimed again, default 0. */
  async releaseJob(
    lease: Lease,
    reason: string,
    options: GatewayCallOptions & { readonly delayMs?: number } = {},
  ): Promise<LeaseOutcome> {
    requireObject('options', options);
    const { delayMs = 0, ...call } = options;
    requireArguments({ reason, delayMs });
    return this.#call('release_job', { ...leaseArgs(lease), p_reason: reason, p_delay_ms: delayMs }, outcome, call);
  }

  /**
   * @throws GatewayError `INVALID_TEXT` naming the place of a character that the database cannot store; `TOO_DEEP` for
   *   variables that no robot could store
   */
  async enqueueJob(request: EnqueueRequest, options?: GatewayCallOptions): Promise<string> {
    requireEnqueueRequest(request);
    requireStorable(request);
    const args: Record<string, JsonValue> = { p_workflow: request.workflow, p_variables: request.variables ?? {} };
    if (request.name !== undefined) args.p_name = request.name;
    if (request.priority !== undefined) args.p_priority = request.priority;
    if (request.inDoubtPolicy !== undefined) args.p_in_doubt_policy = request.inDoubtPolicy;
    if (request.onLost !== undefined) args.p_on_lost = request.onLost;
    if (request.timeoutMs !== undefined) args.p_timeout_ms = request.timeoutMs;
    if (request.maxAttempts !== undefined) args.p_max_attempts = request.maxAttempts;
    if (request.dedupKey !== undefined) args.p_dedup_key = request.dedupKey;
    return this.#call('enqueue_job', args, z.string(), options);
  }

  async cancelJob(jobId: string, reason: string | null, options?: GatewayCallOptions): Promise<CancelAnswer> {
    requireArguments({ reason });
    const args = { p_job_id: uuid('jobId', jobId), p_reason: reason };
    return this.#call('cancel_job', args, z.enum(['cancelled', 'requested', 'final', 'unknown']), options);
  }

  /**
   * An operator's answer about a job that is in doubt or lost.
   *
   * @param question which question is meant; not needed when there is one
   */
  async resolveJob(
    jobId: string,
    answer: DoubtDecision,
    question: { readonly nodeId?: string | null; readonly step?: number | null } = {},
    options?: GatewayCallOptions,
  ): Promise<ResolveAnswer> {
    requireArguments({ answer, question });
    const { nodeId = null, step = null } = question;
    const args = { p_job_id: uuid('jobId', jobId), p_answer: answer, p_node_id: nodeId, p_step: step };
    return this.#call('resolve_job', args, resolveAnswer, options);
  }

  /**
   * An answer that a person gave to the robot that has the job, to one question; `stale`: the job is not its any more.
   *
   * @param asked the question; all null: what is asked about the job as a whole
   * @param by whom the robot names; the database keeps it as a claim, beside who the robot is
   */
  async answerDoubt(
    lease: Lease,
    answer: DoubtDecision,
    asked: Pick<DoubtQuestion, 'node_id' | 'step' | 'attempt'>,
    by: string,
    options?: GatewayCallOptions,
  ): Promise<ResolveAnswer | 'stale'> {
    requireArguments({ lease, answer, asked, by });
    const { node_id, step, attempt } = asked;
    const question = { p_node_id: node_id, p_step: step, p_attempt: attempt };
    const args = { ...leaseArgs(lease), p_answer: answer, ...question, p_by: by };
    return this.#call('answer_doubt', args, ownAnswer, options);
  }

  /** Gives a job that failed or is dead one more attempt. */
  async redriveJob(jobId: string, options?: GatewayCallOptions): Promise<RedriveAnswer> {
    return this.#call('redrive_job', { p_job_id: uuid('jobId', jobId) }, redriveAnswer, options);
  }

  async getJob(jobId: string, options?: GatewayCallOptions): Promise<JsonObject | null> {
    return this.#call('get_job', { p_job_id: uuid('jobId', jobId) }, jsonObject.nullable(), options);
  }

  async listJobs(
    filter: { readonly status?: string; readonly limit?: number } = {},
    options?: GatewayCallOptions,
  ): Promise<readonly JsonObject[]> {
    requireArguments({ filter });
    const args = { p_status: filter.status ?? null, p_limit: filter.limit ?? 50 };
    return this.#call('list_jobs', args, z.array(jsonObject), options);
  }

  /** Jobs whose id begins with `prefix` (case does not matter), oldest first; at most `limit`, default 10. */
  async findJobs(
    prefix: string,
    limit = 10,
    options?: GatewayCallOptions,
  ): Promise<readonly { readonly jobId: string; readonly name: string; readonly status: string }[]> {
    requireArguments({ prefix, limit });
    return this.#call('find_jobs', { p_id_prefix: prefix, p_limit: limit }, foundJobs, options);
  }

  async getJobHistory(jobId: string, options?: GatewayCallOptions): Promise<readonly JsonObject[]> {
    const args = { p_job_id: uuid('jobId', jobId) };
    return this.#call('get_job_history', args, z.array(jsonObject), options);
  }

  /** Lines of jobs, in order per lease; each batch is answered by itself. Sending a line twice changes nothing (I6). */
  async appendJobLogs(
    batches: readonly LogBatch[],
    options?: GatewayCallOptions,
  ): Promise<readonly (Lease & { readonly outcome: LeaseOutcome })[]> {
    requireArguments({ batches });
    const rows = batches.map(({ jobId, leaseToken, firstSeq, lines }) => ({
      job_id: uuid('jobId', jobId),
      lease_token: leaseToken,
      first_seq: firstSeq,
      lines: lines.map(({ at, level, nodeId, message }) => ({ at, level, node_id: nodeId, message })),
    }));
    return this.#call('append_job_logs_batch', { p_batches: rows }, progressAnswers, options);
  }

  /** The lines behind `after`, at most `limit` (default 1,000); null for an unknown job. */
  async getJobLogs(
    jobId: string,
    after: JobLogPosition = { leaseToken: '0', seq: 0 },
    options: GatewayCallOptions & { readonly limit?: number } = {},
  ): Promise<JobLogPage | null> {
    requireObject('options', options);
    const { limit = 1_000, ...call } = options;
    requireArguments({ after, limit });
    const args = {
      p_job_id: uuid('jobId', jobId),
      p_after_token: after.leaseToken,
      p_after_seq: after.seq,
      p_limit: limit,
    };
    return this.#call('get_job_logs', args, jobLogs.nullable(), call);
  }

  async #call<Schema extends z.ZodType>(
    name: string,
    args: JsonObject,
    schema: Schema,
    options?: GatewayCallOptions,
  ): Promise<z.output<Schema>> {
    requireCallOptions(options);
    const answer = await this.#rpc.rpc(name, storableArguments(args), options);
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new GatewayError(
      'GATEWAY_ANSWER_INVALID',
      `the database function ${name} answered something else than expected; are the migrations of this robot's version applied?`,
    );
  }
}

function unlessConflict(what: string, answer: LeaseOutcome | 'conflict'): LeaseOutcome {
  if (answer !== 'conflict') return answer;
  throw new GatewayError(
    'CONTENT_CONFLICT',
    `the server has ${what} already, and with other content: what it has stands (a store that was restored from an older copy leads to this)`,
  );
}

function leaseArgs(lease: Lease): JsonObject {
  requireArguments({ lease });
  return { p_job_id: uuid('jobId', lease.jobId), p_lease_token: lease.leaseToken };
}

function leaseRows(leases: readonly RenewedLease[]): JsonValue[] {
  requireArguments({ leases });
  return leases.map(({ jobId, leaseToken, recorded }) => ({
    job_id: uuid('jobId', jobId),
    lease_token: leaseToken,
    ...(recorded === undefined ? {} : { recorded }),
  }));
}
