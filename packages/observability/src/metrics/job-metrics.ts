/**
 * The metrics of one run of one job: a handle of its own, so that jobs that run at the same time never mix.
 * States: running -> ended. What comes after the end is refused and counted, never thrown.
 */
import * as must from '../arguments.ts';
import type { Clock } from '../ports.ts';
import { isDuration } from './count.ts';
import type { NodeRecord } from './node-statistics.ts';
import { shortText } from './short-text.ts';

/** `in_doubt` and `suspended` end a run without ending the job: it will be taken up again. */
export type RunStatus = 'completed' | 'failed' | 'cancelled' | 'in_doubt' | 'suspended';

export interface JobFailure {
  readonly errorCode?: string;
  /** What went wrong, without secrets; its first 500 characters are kept. */
  readonly errorMessage?: string;
  /** The node that failed. */
  readonly nodeId?: string;
}

export type JobEnd = JobFailure & ({ readonly success: boolean } | { readonly status: RunStatus });

export interface JobStartOptions {
  /** Nodes of the workflow; null when not known. Default null. */
  readonly totalNodes?: number | null;
  /** How long the job waited on this robot before it began, in ms; null when not known. Default null. */
  readonly queueWaitMs?: number | null;
}

/** A run as far as it got. */
export interface ActiveJob {
  readonly jobId: string;
  readonly name: string;
  /** Wall-clock ms since the epoch. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly totalNodes: number | null;
  /** Node executions, a node in a loop counting each time. */
  readonly nodesExecuted: number;
  readonly nodesFailed: number;
  readonly retries: number;
  readonly queueWaitMs: number | null;
}

export interface FinishedJob extends ActiveJob {
  readonly status: RunStatus;
  readonly endedAtMs: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** The node that failed; null when none did. */
  readonly failedNodeId: string | null;
}

/** Where a handle reports to. */
export interface JobMetricsSink {
  nodeRecorded(node: NodeRecord): void;
  jobEnded(handle: JobMetrics, job: FinishedJob): void;
  refused(reason: 'late' | 'invalid'): void;
}

export class JobMetrics {
  readonly jobId: string;
  readonly name: string;
  readonly #totalNodes: number | null;
  readonly #queueWaitMs: number | null;
  readonly #clock: Clock;
  readonly #sink: JobMetricsSink;
  readonly #startedAtMs: number;
  readonly #startedMonotonic: number;
  #nodesExecuted = 0;
  #nodesFailed = 0;
  #retries = 0;
  #ended = false;

  constructor(jobId: string, name: string, options: JobStartOptions, clock: Clock, sink: JobMetricsSink) {
    this.jobId = jobId;
    this.name = shortText(name, 200);
    this.#totalNodes = options.totalNodes ?? null;
    this.#queueWaitMs = options.queueWaitMs ?? null;
    this.#clock = clock;
    this.#sink = sink;
    this.#startedAtMs = clock.now();
    this.#startedMonotonic = clock.monotonic();
  }

  /**
   * Counts one finished node. A duration or retry count that is no such thing, or a `success` that is neither true nor
   * false, is refused and counted in `invalidRecords`.
   *
   * @example
   * job.recordNode({ nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150, success: true, retryCount: 0 });
   */
  recordNode(node: NodeRecord): void {
    if (this.#ended) {
      this.#sink.refused('late');
      return;
    }
    if (typeof node !== 'object' || node === null || typeof node.success !== 'boolean') {
      this.#sink.refused('invalid');
      return;
    }
    const { retryCount = 0 } = node;
    if (!isDuration(node.durationMs) || !Number.isSafeInteger(retryCount) || retryCount < 0) {
      this.#sink.refused('invalid');
      return;
    }
    this.#nodesExecuted += 1;
    if (!node.success) this.#nodesFailed += 1;
    this.#retries += retryCount;
    this.#sink.nodeRecorded(node);
  }

  /**
   * Ends the run. Only the first call counts (I5).
   *
   * @throws ArgumentError without `success` or a known `status`, or where the two contradict each other; the run goes on then
   * @example
   * job.endJob({ success: true });
   * job.endJob({ status: 'cancelled' }); // refused: the run has ended
   */
  endJob(end: JobEnd): void {
    requireEnd('end', end);
    if (this.#ended) {
      this.#sink.refused('late');
      return;
    }
    this.#ended = true;
    const status = 'status' in end ? end.status : end.success ? 'completed' : 'failed';
    const { errorCode = null, errorMessage, nodeId = null } = end;
    this.#sink.jobEnded(this, {
      ...this.progress(),
      status,
      endedAtMs: this.#clock.now(),
      errorCode,
      errorMessage: errorMessage === undefined ? null : shortText(errorMessage, 500),
      failedNodeId: nodeId,
    });
  }

  progress(): ActiveJob {
    return {
      jobId: this.jobId,
      name: this.name,
      startedAtMs: this.#startedAtMs,
      durationMs: Math.max(0, this.#clock.monotonic() - this.#startedMonotonic),
      totalNodes: this.#totalNodes,
      nodesExecuted: this.#nodesExecuted,
      nodesFailed: this.#nodesFailed,
      retries: this.#retries,
      queueWaitMs: this.#queueWaitMs,
    };
  }
}

const runStatuses: readonly RunStatus[] = ['completed', 'failed', 'cancelled', 'in_doubt', 'suspended'];
const failureParts = {
  errorCode: must.optional(must.text),
  errorMessage: must.optional(must.text),
  nodeId: must.optional(must.text),
};
const requireSuccess = must.options({ success: must.flag, ...failureParts });
const requireStatus = must.options({
  status: must.oneOf(runStatuses),
  success: must.optional(must.flag),
  ...failureParts,
});

function requireEnd(argument: string, end: JobEnd): void {
  must.object(argument, end);
  if (!('status' in end)) {
    requireSuccess(argument, end);
    return;
  }
  requireStatus(argument, end);
  const success = 'success' in end ? end.success : undefined;
  const isCompleted = end.status === 'completed';
  if (success !== undefined && success !== isCompleted) {
    must.refuse(`${argument}.success`, `left out, or be ${isCompleted} as the status is ${end.status}`, success);
  }
}
