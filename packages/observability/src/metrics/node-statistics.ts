/** What is known about the nodes of one type. */
import { isCount } from './count.ts';
import { DurationHistogram, type DurationSummary, type HistogramSnapshot } from './duration-histogram.ts';

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

export interface NodeStatisticsSnapshot {
  readonly successes: number;
  readonly failures: number;
  readonly retries: number;
  readonly durations: HistogramSnapshot;
}

export class NodeStatistics {
  #durations = new DurationHistogram();
  #successes = 0;
  #failures = 0;
  #retries = 0;

  /** @returns null for what is no snapshot of node statistics */
  static restore(value: unknown): NodeStatistics | null {
    const { successes, failures, retries, durations } = (value ?? {}) as Partial<NodeStatisticsSnapshot>;
    const restored = DurationHistogram.restore(durations);
    if (restored === null || !isCount(successes) || !isCount(failures) || !isCount(retries)) return null;
    const statistics = new NodeStatistics();
    statistics.#durations = restored;
    statistics.#successes = successes;
    statistics.#failures = failures;
    statistics.#retries = retries;
    return statistics;
  }

  get durations(): DurationHistogram {
    return this.#durations;
  }

  record(node: NodeRecord): void {
    this.#durations.record(node.durationMs);
    if (node.success) this.#successes += 1;
    else this.#failures += 1;
    this.#retries += node.retryCount ?? 0;
  }

  snapshot(): NodeStatisticsSnapshot {
    return {
      successes: this.#successes,
      failures: this.#failures,
      retries: this.#retries,
      durations: this.#durations.snapshot(),
    };
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
