/**
 * Requests for single jobs that failed, so that nobody knows whether they made a claim. A request is handed out once: two
 * callers who ask for one job at the same time must not both be told that it is theirs.
 */

/** The oldest are forgotten beyond it (I7): their leases end by themselves. */
const limit = 1_000;

export class UnansweredClaims {
  readonly #requests = new Map<string, string[]>();

  /** The oldest request that was made for the job; null without one. */
  take(jobId: string): string | null {
    const [oldest = null, ...others] = this.#requests.get(jobId) ?? [];
    this.#requests.delete(jobId);
    if (others.length > 0) this.#requests.set(jobId, others);
    return oldest;
  }

  keep(jobId: string, requestId: string): void {
    const others = this.#requests.get(jobId) ?? [];
    this.#requests.set(jobId, [...others, requestId].slice(-limit));
    for (const [oldest] of this.#requests) {
      if (this.#requests.size <= limit) break;
      this.#requests.delete(oldest);
    }
  }
}
