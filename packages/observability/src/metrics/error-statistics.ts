/** Failures by their code. */
import { BoundedLabels } from './bounded-labels.ts';
import { isCount } from './count.ts';
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

  restoreOverflowed(count: number): void {
    this.#byCode.restoreOverflowed(count);
  }

  record(kind: 'jobs' | 'nodes', code: string, atMs: number): void {
    const stats = this.#byCode.of(code);
    stats[kind] += 1;
    stats.lastAtMs = atMs;
    this.#total += 1;
  }

  /** Goes on from an earlier report; what is none is left out. */
  restore(report: unknown): void {
    const { totalErrors, byCode } = (report ?? {}) as Partial<ErrorSummary>;
    if (isCount(totalErrors)) this.#total = totalErrors;
    for (const [code, stats] of Object.entries(byCode ?? {})) {
      const { jobs, nodes, lastAtMs } = (stats ?? {}) as Partial<ErrorCodeStats>;
      if (isCount(jobs) && isCount(nodes) && isCount(lastAtMs)) this.#byCode.restore(code, { jobs, nodes, lastAtMs });
    }
  }

  report(): ErrorSummary {
    return { totalErrors: this.#total, byCode: this.#byCode.report((stats) => ({ ...stats })) };
  }
}
