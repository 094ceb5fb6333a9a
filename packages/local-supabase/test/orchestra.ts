/** The product as its users see it: robots that claim, operators that submit, over supabase-js. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { SupabaseServer } from '../src/index.ts';

export interface Claim {
  readonly job_id: string;
  readonly lease_token: string;
  readonly name: string;
  readonly workflow: string;
  readonly variables: unknown;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly timeout_ms: number | null;
  readonly on_lost: string;
  readonly in_doubt_policy: string | null;
  readonly cancel_requested: boolean;
  readonly lease_ms: number;
}

export interface Attempt {
  readonly attempt: number;
  readonly robot_name: string;
  readonly ended_at: string | null;
  readonly outcome: string | null;
  readonly error: { readonly code?: string } | null;
}

export interface Job {
  readonly job_id: string;
  readonly name: string;
  readonly status: string;
  readonly lost: boolean;
  readonly in_doubt: readonly unknown[];
  readonly answers: readonly unknown[];
  readonly past_answers: readonly unknown[];
  readonly progress: unknown;
  readonly error: { readonly code?: string } | null;
  readonly result: unknown;
  readonly variables: unknown;
  readonly run_at: string;
  readonly completed_at: string | null;
  readonly claimed_by: string | null;
  readonly robot_name: string | null;
  readonly cancel_requested: boolean;
  readonly cancel_reason: string | null;
  readonly attempt: number;
  readonly attempts: readonly Attempt[];
}

export interface HistoryEvent {
  readonly lease_token: string;
  readonly seq: number;
  readonly kind: string;
  readonly node_id: string | null;
  readonly payload: unknown;
  readonly superseded: boolean;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

type Args = Record<string, unknown>;

export const newId = (): string => crypto.randomUUID();
export const emptyWorkflow = '{"nodes":{}}';

/** A caller with a key or a sign-in of its own. */
export class Caller {
  readonly client: SupabaseClient;

  constructor(client: SupabaseClient) {
    this.client = client;
  }

  async rpc<T>(name: string, args: Args = {}): Promise<T> {
    const { data, error } = await this.client.rpc(name, args);
    if (error) throw new Error(`${name}: ${error.code} ${error.message}`);
    return data as T;
  }

  /** The refusal of a call that must not succeed. */
  async refused(name: string, args: Args = {}): Promise<Refusal> {
    const { data, error, status } = await this.client.rpc(name, args);
    if (!error) throw new Error(`${name} was not refused but answered ${JSON.stringify(data)}`);
    return { code: error.code, message: error.message, status };
  }
}

const quiet = { auth: { persistSession: false, autoRefreshToken: false } };

export class Orchestra extends Caller {
  readonly server: SupabaseServer;
  readonly anon: Caller;

  constructor(server: SupabaseServer) {
    super(createClient(server.url, server.serviceKey, quiet));
    this.server = server;
    this.anon = new Caller(createClient(server.url, server.anonKey, quiet));
  }

  async clear(): Promise<void> {
    await this.server.sql('truncate robots, jobs, job_attempts, job_history, job_logs, robot_metrics, operators');
  }

  signedIn(userId: string): Caller {
    const accessToken = (): Promise<string> => this.server.userToken(userId);
    return new Caller(createClient(this.server.url, this.server.anonKey, { accessToken }));
  }

  async robot(options: { tags?: string[]; capabilities?: string[]; userId?: string } = {}): Promise<string> {
    const id = newId();
    await this.rpc('register_robot', {
      p_robot_id: id,
      p_name: `robot ${id.slice(0, 4)}`,
      p_capabilities: options.capabilities ?? [],
      p_tags: options.tags ?? [],
      p_max_concurrent_jobs: 3,
      p_version: '1.0.0',
      p_boot_id: 'boot',
    });
    if (options.userId)
      await this.server.sql('update robots set auth_user_id = $1 where id = $2', [options.userId, id]);
    return id;
  }

  enqueue(options: Args = {}): Promise<string> {
    return this.rpc('enqueue_job', { p_workflow: emptyWorkflow, ...options });
  }

  claim(robot: string, options: Args = {}): Promise<Claim[]> {
    return this.rpc('claim_jobs', { p_robot_id: robot, p_request_id: newId(), p_limit: 1, ...options });
  }

  /** A job that `robot` has just claimed. */
  async running(robot: string, options: Args = {}): Promise<Claim> {
    const jobId = await this.enqueue(options);
    const claim = await this.rpc<Claim | null>('claim_job', { p_job_id: jobId, p_robot_id: robot });
    if (claim === null) throw new Error('the job could not be claimed');
    return claim;
  }

  job(jobId: string): Promise<Job> {
    return this.rpc('get_job', { p_job_id: jobId });
  }

  history(jobId: string): Promise<HistoryEvent[]> {
    return this.rpc('get_job_history', { p_job_id: jobId });
  }

  complete(claim: Claim, status = 'completed', extra: Args = {}): Promise<string> {
    return this.rpc('complete_job', { ...lease(claim), p_status: status, p_result: null, p_error: null, ...extra });
  }

  async heartbeat(robot: string, ...claims: readonly Claim[]): Promise<string[]> {
    const { leases } = await this.rpc<{ leases: { outcome: string }[] }>('heartbeat_jobs', {
      p_robot_id: robot,
      p_leases: claims.map(({ job_id, lease_token }) => ({ job_id, lease_token })),
      p_lock_timeout_ms: 300_000,
    });
    return leases.map(({ outcome }) => outcome);
  }

  /** Lets the lease of a job run out, by the database's clock. */
  async expire(jobId: string): Promise<void> {
    await this.server.sql("update jobs set lease_expires_at = clock_timestamp() - interval '1 ms' where id = $1", [
      jobId,
    ]);
  }

  /** Makes a job that waits for its next attempt due. */
  async makeDue(jobId: string): Promise<void> {
    await this.server.sql("update jobs set run_at = clock_timestamp() - interval '1 ms' where id = $1", [jobId]);
  }
}

/** What a starting robot says of itself, but for the instance that it is. */
export const instanceOf = (robot: string): Args => ({
  ...{ p_robot_id: robot, p_previous: [], p_machine: 'one', p_boot: 'first', p_host: 'one, /home' },
  ...{ p_up_ms: 3_600_000, p_presence_ms: 10_000, p_silent_ms: 300_000 },
});

export const lease = (claim: Claim): Args => ({ p_job_id: claim.job_id, p_lease_token: claim.lease_token });
