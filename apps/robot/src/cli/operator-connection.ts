/** One command's connection to the database: made at once or not at all. */
import type { RobotConfig } from '@casare/config';
import type { ConnectionManager } from '@casare/connection';
import { type GatewayCallOptions, JobGateway, type JsonObject, type JsonValue, systemClock } from '@casare/execution';
import { openConnection } from '../compose-connection.ts';
import { callerClaim } from './account.ts';
import { placeEvents, withAnswerPlaces } from './answer-places.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { showDuration } from './show-duration.ts';

export interface OperatorConnection {
  readonly gateway: JobGateway;
  /** Running jobs whose robot has signed off say since when, as `robot_offline_since`; others are as they were. */
  withRobots(jobs: readonly JsonObject[]): Promise<readonly JsonObject[]>;
  /** The job with the places of the nodes whose questions were answered. */
  withPlaces(job: JsonObject): Promise<JsonObject>;
  /** Calls a database function that is not about jobs. */
  rpc(name: string, args: JsonObject): Promise<JsonValue>;
  close(): Promise<void>;
}

/** How long the server may take to answer, and whose server it is. */
export interface ConnectPatience {
  /** Default: 10 s, and a minute for an embedded one. */
  readonly limitMs?: number;
  /** Whether it is the embedded Supabase of this machine, whose address no person has given. Default: false */
  readonly isEmbedded?: boolean;
}

/** A person waits for the answer: an unreachable server is reported after this long. */
const defaultLimitMs = 10_000;
/** The embedded one is there, and slow when the machine is busy. */
const embeddedLimitMs = 60_000;

/** @throws CliError when the server cannot be reached, or refuses the key; ConfigError when URL or key is missing */
export async function connectOperator(
  config: RobotConfig,
  { isEmbedded = false, limitMs = isEmbedded ? embeddedLimitMs : defaultLimitMs }: ConnectPatience = {},
): Promise<OperatorConnection> {
  const connection = openConnection(config, { logger: { log: () => undefined } });
  const wait = waitFor(connection, limitMs);
  try {
    await connection.connect(wait.limit);
  } catch (error) {
    const { lastError } = connection.getStatus();
    await connection.disconnect();
    const { url } = config.connection;
    const why = wait.limit.aborted ? lastError : (error as Error);
    throw new CliError(exitCodes.unavailable, unreachable({ url, isEmbedded, waitedMs: wait.waitedMs() }, why));
  } finally {
    wait.end();
  }
  return {
    gateway: new JobGateway({ rpc: (name, args, call) => callAs(connection, name, args, call) }),
    withRobots: (jobs) => withRobots(connection, jobs),
    withPlaces: (job) => withPlaces(connection, job),
    rpc: (name, args) => connection.rpc(name, args),
    close: () => connection.disconnect(),
  };
}

/** Aborts `limit` after `limitMs`; earlier, after the usual time, when nobody listens there. */
function waitFor(connection: ConnectionManager, limitMs: number) {
  const limit = new AbortController();
  const ended = new AbortController();
  const beganAt = systemClock.monotonic();
  const giveUp = async (): Promise<void> => {
    await systemClock.sleep(Math.min(limitMs, defaultLimitMs), ended.signal);
    const isGone = connection.getStatus().lastError?.code === 'ECONNREFUSED';
    if (!isGone) await systemClock.sleep(Math.max(0, limitMs - defaultLimitMs), ended.signal);
    limit.abort();
  };
  giveUp().catch(() => undefined);
  return {
    limit: limit.signal,
    waitedMs: () => systemClock.monotonic() - beganAt,
    end: () => ended.abort(),
  };
}

interface Unreachable {
  readonly url: string | null;
  readonly isEmbedded: boolean;
  readonly waitedMs: number;
}

function unreachable(
  { url, isEmbedded, waitedMs }: Unreachable,
  error: { readonly message: string; readonly code?: unknown; readonly class?: unknown } | null,
): string {
  const why = error === null ? 'no answer' : error.message;
  const waited = `waited ${showDuration(waitedMs)}`;
  if (isEmbedded) {
    const remedy =
      error?.code === 'ECONNREFUSED'
        ? 'it has ended; start it again with `casare-robot start --local` or `casare-robot local`'
        : 'a very busy machine makes it slow: try again when there is less to do';
    return `cannot reach the embedded Supabase at ${url}: ${why} (${waited}); ${remedy}`;
  }
  return error?.class === 'U'
    ? `Supabase at ${url} refuses SUPABASE_KEY, or the sign-in of the configuration: ${why}`
    : `cannot reach Supabase at ${url}: ${why} (${waited}); check that this address (SUPABASE_URL, or connection.url of the configuration) is right and reachable from here, then try again`;
}

/** Several people may use one key: the call says who this is, which the database keeps as a claim. */
function callAs(
  connection: ConnectionManager,
  name: string,
  args: JsonObject,
  options: GatewayCallOptions = {},
): Promise<JsonValue> {
  return connection.execute<JsonValue>(
    async (client, signal) => client.rpc(name, args).setHeader('x-casare-caller', callerClaim()).abortSignal(signal),
    options,
  ) as Promise<JsonValue>;
}

async function withRobots(connection: ConnectionManager, jobs: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  const ids = new Set(jobs.filter(({ status }) => status === 'running').map(({ claimed_by: id }) => String(id)));
  if (ids.size === 0) return jobs;
  const robots = await connection
    .execute(
      (client, signal) =>
        client
          .from('robots')
          .select('id, last_seen')
          .eq('status', 'offline')
          .in('id', [...ids])
          .abortSignal(signal),
      { idempotent: true },
    )
    // Who may not look at robots is told of the jobs all the same.
    .catch(() => []);
  const since = new Map((robots ?? []).map(({ id, last_seen: seen }) => [String(id), seen as JsonValue]));
  return jobs.map((job) => {
    const offlineSince = job.status === 'running' ? since.get(String(job.claimed_by)) : undefined;
    return offlineSince === undefined ? job : { ...job, robot_offline_since: offlineSince };
  });
}

/** As many answers as a job tells of, each with its question. */
const maxPlaceEvents = 200;

async function withPlaces(connection: ConnectionManager, job: JsonObject): Promise<JsonObject> {
  if (!Array.isArray(job.past_answers) || job.past_answers.length === 0) return job;
  const events = await connection
    .execute(
      (client, signal) =>
        client
          .from('job_history')
          .select('node_id, payload')
          .eq('job_id', String(job.job_id))
          .in('kind', [...placeEvents])
          .order('lease_token', { ascending: false })
          .order('seq', { ascending: false })
          .limit(maxPlaceEvents)
          .abortSignal(signal),
      { idempotent: true },
    )
    // Who may not look at the history is told of the answers all the same.
    .catch(() => []);
  return withAnswerPlaces(job, ((events ?? []) as JsonObject[]).toReversed());
}
