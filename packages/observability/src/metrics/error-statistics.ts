/** Failures by their code. */
import { BoundedLabels } from './bounded-labels.ts';
import type { ErrorCodeStats, ErrorSummary } from './metric-reports.ts';

export class ErrorStatistics {
  readonly #byCode: BoundedLabels<{ -readonly [K in keyof ErrorCodeStats]: ErrorCodeStats[K] }>;
  #total = 0;

  constructor(maxCodes: number) {
    this.#byCode = new BoundedLabels(maxCodes, () => ({ jobs: 0, nodes: 0, lastAtMs: 0 }));
  }

  get overflowed(): number {
    return this.#byCode.overflowed;
  }

  record(kind: 'jobs' | 'nodes', code: string, atMs: number): void {
    const stats = this.#byCode.of(code);
    stats[kind] += 1;
    stats.lastAtMs = atMs;
    this.#total += 1;
  }

  report(): ErrorSummary {
    return { totalErrors: this.#total, byCode: this.#byCode.report((stats) => ({ ...stats })) };
  }
}
