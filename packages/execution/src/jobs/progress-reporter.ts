/**
 * Tells the server how far each job is: per job, merged (the latest state wins) and at most once per
 * interval. Being offline loses nothing but intermediate states: what is newest is sent when sending
 * works again.
 */
import type { JsonObject } from '../json.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import type { Lease, LeaseOutcome } from './gateway-types.ts';
import { repeat } from './repeat.ts';

export type ProgressStage =
  | 'queued'
  | 'starting'
  | 'loading_workflow'
  | 'executing'
  | 'completing'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface ProgressSnapshot extends JsonObject {
  readonly stage: ProgressStage;
  /** 0 to 100; 100 only for a completed job. */
  readonly percent: number;
  readonly current_node: string | null;
  readonly current_node_type: string | null;
  readonly nodes_completed: number;
  readonly nodes_total: number;
  /** Node executions so far, each turn of a loop counted. */
  readonly steps: number;
  readonly updated_at: string;
}

export interface ProgressReporterOptions {
  readonly gateway: {
    reportProgress(lease: Lease, progress: JsonObject, options?: { signal?: AbortSignal }): Promise<LeaseOutcome>;
  };
  /** Ms between two reports of a job. Default 1,000. */
  readonly updateIntervalMs?: number;
  readonly clock?: Clock;
  readonly onReportFailed?: (jobId: string, error: unknown) => void;
}

export interface JobProgress {
  reportStage(stage: ProgressStage): void;
  reportNodeStart(nodeId: string, nodeType: string): void;
  reportNodeComplete(nodeId: string, result: { readonly success: boolean; readonly durationMs: number }): void;
  /** Counts nodes that an earlier process has completed. */
  resumeFrom(nodeIds: Iterable<string>): void;
  snapshot(): ProgressSnapshot;
  /** Ends reporting; the returned last state belongs into the job's completion. */
  endJob(end: { readonly status: 'completed' | 'failed' | 'cancelled' }): ProgressSnapshot;
  /** Ends reporting without a last word: the job goes on elsewhere or later. */
  detach(): void;
}

interface Tracked {
  readonly lease: Lease;
  dirty: boolean;
  readonly snapshot: () => ProgressSnapshot;
}

/**
 * @example
 * const reporter = new ProgressReporter({ gateway, updateIntervalMs: 1_000 });
 * const progress = reporter.startJob({ jobId, leaseToken }, { totalNodes: 10 });
 * progress.reportNodeStart('node-1', 'ClickElementNode');
 * progress.reportNodeComplete('node-1', { success: true, durationMs: 150 });
 * progress.endJob({ status: 'completed' });
 */
export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  readonly #clock: Clock;
  readonly #jobs = new Map<string, Tracked>();
  #loop: AbortController | null = null;

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  startJob(lease: Lease, job: { readonly totalNodes: number }): JobProgress {
    const clock = this.#clock;
    const completed = new Set<string>();
    let stage: ProgressStage = 'starting';
    let current: { id: string; type: string } | null = null;
    let steps = 0;
    let updatedAt = clock.now();
    const tracked: Tracked = {
      lease,
      dirty: true,
      snapshot: () => ({
        stage,
        percent: percentOf(stage, completed.size, job.totalNodes),
        current_node: current?.id ?? null,
        current_node_type: current?.type ?? null,
        nodes_completed: completed.size,
        nodes_total: job.totalNodes,
        steps,
        updated_at: new Date(updatedAt).toISOString(),
      }),
    };
    const touch = (): void => {
      updatedAt = clock.now();
      tracked.dirty = true;
    };
    this.#jobs.set(lease.jobId, tracked);
    this.#ensureLoop();
    return {
      reportStage: (next) => {
        stage = next;
        touch();
      },
      reportNodeStart: (nodeId, nodeType) => {
        stage = 'executing';
        current = { id: nodeId, type: nodeType };
        touch();
      },
      reportNodeComplete: (nodeId, result) => {
        if (result.success) completed.add(nodeId);
        steps += 1;
        touch();
      },
      resumeFrom: (nodeIds) => {
        for (const nodeId of nodeIds) completed.add(nodeId);
        touch();
      },
      snapshot: tracked.snapshot,
      endJob: (end) => {
        stage = end.status;
        current = null;
        touch();
        this.#untrack(tracked);
        return tracked.snapshot();
      },
      detach: () => this.#untrack(tracked),
    };
  }

  /** Sends what changed since the last report. Never rejects. */
  async flush(signal?: AbortSignal): Promise<void> {
    await Promise.all([...this.#jobs.values()].filter((job) => job.dirty).map((job) => this.#send(job, signal)));
  }

  stop(): void {
    this.#jobs.clear();
    this.#loop?.abort();
    this.#loop = null;
  }

  async #send(job: Tracked, signal?: AbortSignal): Promise<void> {
    job.dirty = false;
    try {
      await this.#options.gateway.reportProgress(job.lease, job.snapshot(), signal === undefined ? {} : { signal });
    } catch (error) {
      job.dirty = true;
      if (signal?.aborted !== true) this.#options.onReportFailed?.(job.lease.jobId, error);
    }
  }

  #untrack(tracked: Tracked): void {
    if (this.#jobs.get(tracked.lease.jobId) === tracked) this.#jobs.delete(tracked.lease.jobId);
    if (this.#jobs.size === 0) this.stop();
  }

  #ensureLoop(): void {
    if (this.#loop !== null) return;
    const loop = new AbortController();
    this.#loop = loop;
    const intervalMs = this.#options.updateIntervalMs ?? 1_000;
    void repeat(() => this.flush(loop.signal), { intervalMs, clock: this.#clock, signal: loop.signal });
  }
}

function percentOf(stage: ProgressStage, done: number, total: number): number {
  if (stage === 'completed') return 100;
  return total === 0 ? 0 : Math.min(99, Math.floor((100 * done) / total));
}
