/** What is known about the nodes of one type. */
import { DurationHistogram, type DurationSummary } from './duration-histogram.ts';

/** One finished node. */
export interface NodeRecord {
  readonly nodeId: string;
  readonly nodeType: string;
  readonly durationMs: number;
  readonly success: boolean;
  /** Tries after the first. Default 0. */
  readonly retryCount?: number;
  /** Code of the failure, for the error summary. */
  readonly errorCode?: string;
}

export interface NodeTypeStats extends Omit<DurationSummary, 'count'> {
  readonly totalExecutions: number;
  readonly successes: number;
  readonly failures: number;
  readonly retries: number;
}

export class NodeStatistics {
  readonly #durations = new DurationHistogram();
  #successes = 0;
  #failures = 0;
  #retries = 0;

  record(node: NodeRecord): void {
    this.#durations.record(node.durationMs);
    if (node.success) this.#successes += 1;
    else this.#failures += 1;
    this.#retries += node.retryCount ?? 0;
  }

  report(): NodeTypeStats {
    const { count, ...durations } = this.#durations.summary();
    return {
      totalExecutions: count,
      successes: this.#successes,
      failures: this.#failures,
      retries: this.#retries,
      ...durations,
    };
  }
}
