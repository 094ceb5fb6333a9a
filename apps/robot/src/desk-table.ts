/** Which jobs are on the desk, one per id, and which are over here without the server's knowing. */
import type { ClaimedJob } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';

export class DeskTable {
  readonly #jobs = new Map<string, DeskJob>();
  /** Jobs that are over here while the server still has them as running: it has not heard of the end yet. */
  readonly untold: Set<string> = new Set();

  /** As it is now: jobs may come and go while it is looked at. */
  get all(): readonly DeskJob[] {
    return [...this.#jobs.values()];
  }

  get inDoubt(): readonly DeskJob[] {
    return this.all.filter((job) => job.isInDoubt);
  }

  find(jobId: string): DeskJob | undefined {
    return this.#jobs.get(jobId);
  }

  /** @throws Error for a job that is not here */
  get(jobId: string): DeskJob {
    const job = this.#jobs.get(jobId);
    if (job === undefined) throw new Error(`job ${jobId} is not on the desk`);
    return job;
  }

  /** Whether this very claim is here. */
  hasClaim({ jobId, leaseToken }: ClaimedJob): boolean {
    return this.#jobs.get(jobId)?.record.leaseToken === leaseToken;
  }

  /** Whether it has not been replaced or removed meanwhile. */
  isHere(job: DeskJob): boolean {
    return this.#jobs.get(job.record.jobId) === job;
  }

  put(job: DeskJob): void {
    this.#jobs.set(job.record.jobId, job);
  }

  remove(job: DeskJob): void {
    if (this.isHere(job)) this.#jobs.delete(job.record.jobId);
  }

  /**
   * Places that are taken besides those of the executor: jobs on their way into it, or that wait here, will need one
   * without being asked again; those that are over keep theirs until the server knows, so that it, too, never sees more
   * running jobs than the limit.
   *
   * @param isOutside whether a job is not in the executor
   */
  placesBesides(isOutside: (jobId: string) => boolean): number {
    const coming = this.all.filter((job) => !job.isInDoubt && !job.cannotEnd).map(({ record }) => record.jobId);
    return new Set([...coming, ...this.untold].filter(isOutside)).size;
  }
}
