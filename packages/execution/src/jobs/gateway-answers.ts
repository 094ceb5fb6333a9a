/** What the database functions answer: checked, and put into this package's names. */
import { z } from 'zod';
import type { DoubtAnswer } from '../engine/doubt.ts';
import type { JsonObject } from '../json.ts';
import type {
  ClaimedJob,
  ClaimProgress,
  InstanceAnswer,
  JobLogPage,
  Lease,
  LeaseAnswer,
  LeaseOutcome,
  TurnAnswer,
} from './gateway-types.ts';

const token = z.union([z.string(), z.int()]).transform(String);
export const outcome: z.ZodType<LeaseOutcome> = z.enum(['ok', 'stale', 'cancelled']);
/** It was parsed from JSON: looking into it would cost time, and the stack where somebody nested it deeply. */
export const jsonObject: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** Whether a write counted; `conflict`: another one of its number is there. */
export const writeOutcome: z.ZodType<LeaseOutcome | 'conflict'> = z.enum(['ok', 'stale', 'cancelled', 'conflict']);

const progressColumns = { last_seq: z.int().nullish(), recorded: z.int().nullish() };

function knownOf(row: {
  readonly last_seq?: number | null | undefined;
  readonly recorded?: number | null | undefined;
}): { readonly known?: ClaimProgress } {
  const { last_seq: lastSeq, recorded } = row;
  return lastSeq == null || recorded == null ? {} : { known: { lastSeq, recorded } };
}

export const claimedJob: z.ZodType<ClaimedJob> = z
  .object({
    job_id: z.string(),
    lease_token: token,
    name: z.string().nullish(),
    workflow: z.string(),
    variables: jsonObject.nullish(),
    attempt: z.int(),
    max_attempts: z.int(),
    timeout_ms: z.number().nullish(),
    on_lost: z.enum(['hold', 'restart']),
    in_doubt_policy: z.enum(['retry', 'skip', 'fail', 'ask']).nullish(),
    lease_ms: z.number(),
    cancel_requested: z.boolean().nullish(),
    ...progressColumns,
  })
  .transform(
    (row): ClaimedJob => ({
      jobId: row.job_id,
      leaseToken: row.lease_token,
      name: row.name ?? row.job_id,
      workflow: row.workflow,
      variables: row.variables ?? {},
      attempt: row.attempt,
      maxAttempts: row.max_attempts,
      timeoutMs: row.timeout_ms ?? null,
      onLost: row.on_lost,
      inDoubtPolicy: row.in_doubt_policy ?? null,
      leaseMs: row.lease_ms,
      cancelRequested: row.cancel_requested ?? false,
      ...knownOf(row),
    }),
  );

const doubtAnswer: z.ZodType<DoubtAnswer> = z.object({
  node_id: z.string().nullable(),
  step: z.int().nullable(),
  attempt: z
    .int()
    .nullish()
    .transform((attempt) => attempt ?? null),
  answer: z.enum(['retry', 'skip', 'fail', 'restart']),
  by: z.string(),
  at: z.string(),
});

const leaseAnswer: z.ZodType<LeaseAnswer> = z
  .object({
    job_id: z.string(),
    lease_token: token,
    outcome,
    cancel_reason: z.string().nullish(),
    cancel_requested_by: z.string().nullish(),
    answers: z.array(doubtAnswer).nullish(),
    ended: z.boolean().nullish(),
    ...progressColumns,
  })
  .transform(
    (row): LeaseAnswer => ({
      jobId: row.job_id,
      leaseToken: row.lease_token,
      outcome: row.outcome,
      cancelReason: row.cancel_reason ?? null,
      cancelRequestedBy: row.cancel_requested_by ?? null,
      answers: row.answers ?? [],
      ...(row.ended === true ? { known: 'ended' as const } : knownOf(row)),
    }),
  );

export const leaseAnswers: z.ZodType<{ readonly leases: readonly LeaseAnswer[] }> = z.object({
  leases: z.array(leaseAnswer),
});

export const turnAnswer: z.ZodType<TurnAnswer> = z
  .object({ leases: z.array(leaseAnswer), claims: z.array(claimedJob), fleet_size: z.int().nullish() })
  .transform(({ leases, claims, fleet_size }): TurnAnswer => ({ leases, claims, fleetSize: fleet_size ?? null }));

export const instanceAnswer: z.ZodType<InstanceAnswer> = z.discriminatedUnion('taken', [
  z
    .object({
      taken: z.literal(true),
      after: z.enum(['first', 'same', 'left', 'restart', 'silence']),
      host: z.string().nullable(),
    })
    .transform(({ after, host }) => ({ isTaken: true as const, after, host })),
  z
    .object({ taken: z.literal(false), host: z.string(), silent_ms: z.number(), wait_ms: z.number() })
    .transform((row) => ({ isTaken: false as const, host: row.host, silentMs: row.silent_ms, waitMs: row.wait_ms })),
]);

export const progressAnswers: z.ZodType<readonly (Lease & { readonly outcome: LeaseOutcome })[]> = z.array(
  z
    .object({ job_id: z.string(), lease_token: token, outcome })
    .transform((row) => ({ jobId: row.job_id, leaseToken: row.lease_token, outcome: row.outcome })),
);

export const foundJobs: z.ZodType<
  readonly { readonly jobId: string; readonly name: string; readonly status: string }[]
> = z.array(
  z
    .object({ job_id: z.string(), name: z.string(), status: z.string() })
    .transform((row) => ({ jobId: row.job_id, name: row.name, status: row.status })),
);

const logLine = z
  .object({
    lease_token: token,
    seq: z.int(),
    at: z.string().nullable(),
    level: z.enum(['debug', 'info', 'warning', 'error', 'critical']),
    node_id: z.string().nullable(),
    message: z.string(),
  })
  .transform(({ lease_token, seq, at, level, node_id, message }) => ({
    leaseToken: lease_token,
    seq,
    at,
    level,
    nodeId: node_id,
    message,
  }));

export const jobLogs: z.ZodType<JobLogPage> = z
  .object({
    lines: z.array(logLine),
    leases: z.array(
      z
        .object({
          lease_token: token,
          attempt: z.int(),
          next_seq: z.int(),
          dropped: z.int(),
          robot_name: z.string().nullable(),
        })
        .transform(({ lease_token, attempt, next_seq, dropped, robot_name }) => ({
          leaseToken: lease_token,
          attempt,
          nextSeq: next_seq,
          dropped,
          robotName: robot_name,
        })),
    ),
    has_more: z.boolean(),
  })
  .transform(({ lines, leases, has_more }): JobLogPage => ({ lines, leases, hasMore: has_more }));
