/** The same steps against the database, on as many connections as there are steps under way. */
import type { SupabaseServer } from '../../src/index.ts';
import { emptyWorkflow, newId } from '../orchestra.ts';
import { type JobModel, LATE_RESULT, type Rules, type Step } from './lease-model.ts';

const lateSeq = '9007199254740991';

export class RealJob {
  readonly #server: SupabaseServer;
  readonly #jobId: string;
  readonly #robots: readonly string[];
  readonly #requests = new Map<string, string>();
  /** Tokens in the order in which they were drawn, as the model numbers them. */
  #tokens: string[] = [];

  private constructor(server: SupabaseServer, jobId: string, robots: readonly string[]) {
    this.#server = server;
    this.#jobId = jobId;
    this.#robots = robots;
  }

  static async create(server: SupabaseServer, rules: Rules): Promise<RealJob> {
    const robots = [newId(), newId()];
    for (const robot of robots) await server.sql('select register_robot($1, $2)', [robot, `robot ${robot}`]);
    const [row] = await server.sql<{ id: string }>(
      'select enqueue_job($1, p_on_lost => $2, p_max_attempts => $3) as id',
      [emptyWorkflow, rules.onLost, rules.maxAttempts],
    );
    return new RealJob(server, row?.id ?? '', robots);
  }

  /** Answers like the model; a claim answers the token that it got, because its number is not known before all are in. */
  async run(step: Step): Promise<string> {
    switch (step.kind) {
      case 'claim': {
        const claim = await this.#ask<{ lease_token: string } | null>('claim_job($1, $2, 300000, $3)', [
          this.#jobId,
          this.#robots[step.robot],
          this.#request(step.robot, step.request),
        ]);
        return claim === null ? 'none' : `token ${claim.lease_token}`;
      }
      case 'heartbeat': {
        const token = this.#token(step.lease);
        const { leases } = await this.#ask<{ leases: { outcome: string }[] }>(
          'heartbeat_jobs($1, $2::text::jsonb, 300000)',
          [await this.#robotOf(token), JSON.stringify([{ job_id: this.#jobId, lease_token: token }])],
        );
        return leases[0]?.outcome ?? 'no answer';
      }
      case 'progress':
        return this.#ask('report_progress($1, $2, $3::text::jsonb)', [
          this.#jobId,
          this.#token(step.lease),
          JSON.stringify({ of: this.#token(step.lease) }),
        ]);
      case 'events': {
        const list = Array.from({ length: step.count }, (_, n) => ({ seq: step.from + n, kind: 'node_completed' }));
        return this.#ask('record_events($1, $2, $3::text::jsonb)', [
          this.#jobId,
          this.#token(step.lease),
          JSON.stringify(list),
        ]);
      }
      case 'complete': {
        const isFailure = step.ending.startsWith('failed');
        const category = step.ending === 'failed-for-now' ? 'transient' : 'permanent';
        return this.#ask('complete_job($1, $2, $3, null, $4::text::jsonb)', [
          this.#jobId,
          this.#token(step.lease),
          isFailure ? 'failed' : step.ending,
          isFailure ? JSON.stringify({ code: 'TEST', category }) : null,
        ]);
      }
      case 'release':
        return this.#ask('release_job($1, $2)', [this.#jobId, this.#token(step.lease)]);
      case 'expire':
        return this.#change("lease_expires_at = clock_timestamp() - interval '1 ms'", "status = 'running'");
      case 'make-due':
        return this.#change("run_at = clock_timestamp() - interval '1 ms'", 'true');
      case 'reap':
        await this.#server.sql('select reap_expired_jobs(10000)');
        return '';
      case 'cancel':
        return this.#ask('cancel_job($1)', [this.#jobId]);
      case 'restart':
        return this.#ask('resolve_job($1, $2)', [this.#jobId, 'restart']);
      case 'redrive':
        return this.#ask('redrive_job($1)', [this.#jobId]);
    }
  }

  /** Numbers the leases anew; afterwards `leaseOf` knows every token. */
  async refresh(): Promise<void> {
    const rows = await this.#server.sql<{ token: string }>(
      'select lease_token::text as token from job_attempts where job_id = $1 order by lease_token',
      [this.#jobId],
    );
    this.#tokens = rows.map(({ token }) => token);
  }

  /** `token T` in an answer as the model says it: `lease N`. */
  named(answer: string): string {
    return answer.startsWith('token ') ? `lease ${this.#tokens.indexOf(answer.slice('token '.length))}` : answer;
  }

  /** What can be seen of the job, in the model's words. */
  async seen(): Promise<unknown> {
    const [job] = await this.#server.sql<Record<string, unknown>>(
      `select status, attempt, max_attempts, cancel_requested, lease_token::text as token,
              coalesce(lease_expires_at <= clock_timestamp(), false) as expired, progress ->> 'of' as progress_of
         from jobs where id = $1`,
      [this.#jobId],
    );
    const attempts = await this.#server.sql<{ outcome: string | null; robot: string }>(
      'select outcome, robot_id::text as robot from job_attempts where job_id = $1 order by lease_token',
      [this.#jobId],
    );
    const history = await this.#server.sql<{ token: string; seq: string; superseded: boolean }>(
      'select lease_token::text as token, seq::text, superseded from job_history where job_id = $1',
      [this.#jobId],
    );
    const isRunning = job?.status === 'running';
    return {
      status: job?.status,
      attempt: job?.attempt,
      maxAttempts: job?.max_attempts,
      isCancelRequested: job?.cancel_requested,
      current: isRunning ? this.#tokens.indexOf(String(job?.token)) : null,
      isExpired: isRunning && job?.expired === true,
      leases: attempts.map(({ outcome, robot }) => ({ robot: this.#robots.indexOf(robot), outcome })),
      history: history
        .map(({ token, seq, superseded }) => [
          `${this.#tokens.indexOf(token)}:${seq === lateSeq ? LATE_RESULT : seq}`,
          superseded,
        ])
        .sort(),
      progressOf: job?.progress_of == null ? null : this.#tokens.indexOf(String(job.progress_of)),
    };
  }

  async #ask<T>(call: string, params: readonly unknown[]): Promise<T> {
    const [row] = await this.#server.sql<{ answer: T }>(`select public.${call} as answer`, params);
    return row?.answer as T;
  }

  async #change(set: string, where: string): Promise<string> {
    await this.#server.sql(`update jobs set ${set} where id = $1 and ${where}`, [this.#jobId]);
    return '';
  }

  async #robotOf(token: string): Promise<string> {
    const [row] = await this.#server.sql<{ robot: string }>(
      'select robot_id::text as robot from job_attempts where lease_token = $1',
      [token],
    );
    return row?.robot ?? '';
  }

  #request(robot: number, request: number): string {
    const key = `${robot}:${request}`;
    const id = this.#requests.get(key) ?? newId();
    this.#requests.set(key, id);
    return id;
  }

  #token(lease: number): string {
    const token = this.#tokens[lease];
    if (token === undefined) throw new Error(`there is no lease ${lease} yet`);
    return token;
  }
}

/** The model's side of `RealJob.seen`. */
export function seenOf(job: JobModel): unknown {
  const isRunning = job.status === 'running';
  return {
    status: job.status,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    isCancelRequested: job.isCancelRequested,
    current: isRunning ? job.current : null,
    isExpired: isRunning && job.isExpired,
    leases: job.leases.map(({ robot, outcome }) => ({ robot, outcome })),
    history: [...job.history].sort(),
    progressOf: job.progressOf,
  };
}
