/** Jobs that wait for a slot: bounded (I7), by priority, then age. */
import type { JobSpec } from './job-runner.ts';

export class JobQueue {
  readonly #limit: number;
  #jobs: JobSpec[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#jobs.length;
  }

  get isFull(): boolean {
    return this.#jobs.length >= this.#limit;
  }

  get ids(): readonly string[] {
    return this.#jobs.map((job) => job.jobId);
  }

  /** Behind every job of the same or a higher priority. */
  add(job: JobSpec): void {
    const behind = this.#jobs.findIndex((other) => other.priority < job.priority);
    this.#jobs.splice(behind === -1 ? this.#jobs.length : behind, 0, job);
  }

  next(): JobSpec | undefined {
    return this.#jobs.shift();
  }

  /** Takes one job out; undefined when it does not wait here. */
  remove(jobId: string): JobSpec | undefined {
    const index = this.#jobs.findIndex((job) => job.jobId === jobId);
    return index === -1 ? undefined : this.#jobs.splice(index, 1)[0];
  }

  /** Takes all of them out, in their order. */
  clear(): readonly JobSpec[] {
    const jobs = this.#jobs;
    this.#jobs = [];
    return jobs;
  }
}
