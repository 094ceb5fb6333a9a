/** What the robot tells its page: the shapes of `/status.json` and `/details.json`, as far as the page shows them. */

export type RobotState = 'idle' | 'busy' | 'draining' | 'paused' | 'offline' | 'auth-failed' | 'stuck';

export interface NodeNow {
  readonly node_id: string;
  readonly node_type: string;
  readonly attempt: number;
  readonly running_ms: number;
  readonly limit_ms: number | null;
}

export interface NodeThen {
  readonly node_id: string;
  readonly node_type: string;
  readonly duration_ms: number;
  readonly success: boolean;
  /** Passed over by an answer or a policy: it neither completed nor failed. */
  readonly skipped: boolean;
}

export interface JobNow {
  readonly job_id: string;
  readonly name: string;
  readonly stage: string | null;
  readonly percent: number | null;
  readonly running_ms: number;
  readonly nodes_completed: number;
  readonly nodes_total: number;
  readonly running_nodes: readonly NodeNow[];
  readonly ended_nodes: readonly NodeThen[];
}

export interface JobInDoubt {
  readonly job_id: string;
  readonly name: string;
  readonly percent: number | null;
  readonly nodes_completed: number;
  readonly nodes_total: number;
  readonly questions: readonly Question[];
}

/** Whether an attempt of a node took effect; with no node, how the job as a whole goes on. */
export interface Question {
  readonly node_id: string | null;
  readonly node_type: string | null;
  readonly step: number | null;
  readonly attempt: number | null;
  readonly place: string | null;
  readonly reason: string;
  readonly answers: readonly string[];
}

export interface Status {
  readonly at: string;
  readonly state: RobotState;
  readonly ready: boolean;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly name: string;
  readonly robot_id: string;
  readonly version: string;
  readonly uptime_ms: number;
  readonly max_concurrent_jobs: number | null;
  readonly running: readonly JobNow[];
  readonly queued: readonly string[];
  readonly waiting: readonly JobInDoubt[];
  readonly audit_problem: string | null;
  readonly log_problem: string | null;
  readonly incidents: readonly {
    readonly kind: string;
    readonly at: string;
    readonly job_id: string | null;
    readonly detail: string;
  }[];
  readonly paused: {
    readonly note: string | null;
    readonly since: string;
    readonly remaining_ms: number | null;
  } | null;
  readonly connection: {
    readonly url: string | null;
    readonly state: string;
    readonly is_connected: boolean;
    readonly last_error: string | null;
    readonly next_attempt_ms: number | null;
    readonly breaker: { readonly state: string; readonly remaining_ms: number | null };
  } | null;
  readonly outbox: {
    readonly pending: number;
    readonly dead_letters: number;
    readonly dropped: number;
    readonly oldest_at: string | null;
  };
  readonly resources: {
    readonly cpu_percent: number | null;
    readonly memory_mb: number;
    readonly memory_percent: number;
    readonly processes: number;
    readonly disk_free_mb: number | null;
    readonly event_loop_p99_ms: number | null;
  } | null;
}

export interface EndedJob {
  readonly job_id: string;
  readonly name: string;
  readonly status: string;
  readonly ended_at: string;
  readonly duration_ms: number;
  readonly nodes_executed: number;
  readonly error: { readonly code: string; readonly message: string | null; readonly node_id: string | null } | null;
  readonly has_screenshot: boolean;
}

export interface Sample {
  readonly at: number;
  readonly cpu_percent: number | null;
  readonly memory_mb: number;
}

export interface Span {
  readonly at: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface NodeType {
  readonly type: string;
  readonly executions: number;
  readonly failures: number;
  readonly retries: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
  readonly max_ms: number | null;
}

export interface AuditRow {
  readonly at: string;
  readonly type: string;
  readonly severity: string;
  readonly message: string;
  readonly job_id: string | null;
  readonly node_id: string | null;
}

export interface Details {
  readonly summary: {
    readonly since: string;
    readonly total_jobs: number;
    readonly successful_jobs: number;
    readonly failed_jobs: number;
    readonly cancelled_jobs: number;
    readonly success_rate_percent: number | null;
  } | null;
  readonly node_types: readonly NodeType[];
  readonly timeline: readonly Span[];
  readonly resources: readonly Sample[];
  readonly recent_jobs: readonly EndedJob[];
  readonly audit: readonly AuditRow[];
}
