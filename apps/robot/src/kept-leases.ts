/**
 * Leases of jobs that are over here and of whose end the server has not heard: they are renewed until it has, since a slow disk
 * or an outage delays that and nobody else may begin such a job meanwhile (I1). A restart of the robot changes nothing about it.
 */
import type { CancellationChecker, CancellationWatch, JobLocker, Lease } from '@casare/execution';
import type { JobStore } from './desk-ports.ts';

export interface KeptLeasesOptions {
  readonly store: Pick<JobStore, 'untold'>;
  readonly locker: Pick<JobLocker, 'adopt' | 'forget' | 'remainingMs'>;
  readonly checker: Pick<CancellationChecker, 'start'>;
}

export class KeptLeases {
  readonly #options: KeptLeasesOptions;
  /** By token, what keeps the lease renewed. */
  readonly #watches = new Map<string, CancellationWatch>();

  constructor(options: KeptLeasesOptions) {
    this.#options = options;
  }

  keep({ jobId, leaseToken }: Lease): void {
    this.#watches.set(leaseToken, this.#options.checker.start(jobId, {}, { leaseToken }));
  }

  /** The server knows now, or refuses to hear of it. */
  letGo({ jobId, leaseToken }: Lease): void {
    this.#watches.get(leaseToken)?.stop();
    this.#watches.delete(leaseToken);
    this.#options.locker.forget(jobId, leaseToken);
  }

  /**
   * Those of an earlier process, except of jobs that are held under another claim by now.
   *
   * @returns the jobs
   */
  async takeUp(): Promise<readonly string[]> {
    const { store, locker } = this.#options;
    const kept: string[] = [];
    for (const { jobId, leaseToken, leaseRemainingMs } of await store.untold()) {
      if (locker.remainingMs(jobId) !== null) continue;
      locker.adopt({ jobId, leaseToken }, leaseRemainingMs);
      this.keep({ jobId, leaseToken });
      kept.push(jobId);
    }
    return kept;
  }
}
