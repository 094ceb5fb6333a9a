/**
 * Learns that jobs were asked to stop, that their lease is lost, or what operators answered, by renewing all leases at an
 * interval: the same request is heartbeat and question. Answers that came with another request count as well, and put
 * the next check off (`answered`); a request that is still under way does not. A failed request changes nothing; the next
 * one asks again. A wake-up, or any other answer that says more than `ok`, calls `checkNow` to shorten the wait: whoever
 * hears of a cancel first, it is told by the one answer here, once.
 */

import {
  requireClock,
  requireFunctions,
  requireMethods,
  requireObject,
  requireObjects,
  requireOptions,
  requireText,
} from '../argument-error.ts';
import { anyMs, durationMs, requireShape } from '../argument-shapes.ts';
import type { DoubtAnswer } from '../engine/doubt.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from '../system-clock.ts';
import { jobKey } from './gateway-arguments.ts';
import type { ClaimProgress, LeaseAnswer } from './gateway-types.ts';

export interface Cancellation {
  readonly reason: string;
  readonly requestedBy: string | null;
}

export interface CancellationListener {
  onCancelled?(cancellation: Cancellation): void;
  /** Another token holds the job: the run must stop and its results are only evidence (I1). */
  onStale?(): void;
  /** How far the job has come as the server knows it: told once, with the first answer, before anything else of it. */
  onKnown?(known: ClaimProgress | 'ended' | null): void;
  /** The server has said that the lease stands, and that nobody asked the job to stop. Told once. */
  onConfirmed?(): void;
  /** What operators answered to the job's questions, the newest last. Told with every check while the questions stand. */
  onAnswers?(answers: readonly DoubtAnswer[]): void;
}

export interface CancellationWatch {
  readonly isCancelled: boolean;
  readonly isStale: boolean;
  readonly cancellation: Cancellation | null;
  stop(): void;
}

export interface CancellationCheckerOptions {
  /** Renews the leases and answers for each; a `JobLocker` fits. */
  readonly leases: { heartbeatAll(options?: { signal?: AbortSignal }): Promise<readonly LeaseAnswer[]> };
  /** Ms between two checks. Default 2,000. */
  readonly checkIntervalMs?: number;
  readonly clock?: Clock;
  /** Told about failed checks, and listeners that throw; the checker goes on either way. */
  readonly onCheckFailed?: (error: unknown) => void;
}

interface Watch {
  readonly leaseToken: string | null;
  isKnown: boolean;
  isConfirmed: boolean;
  cancellation: Cancellation | null;
  isStale: boolean;
  readonly listener: CancellationListener;
}

/**
 * @example
 * const checker = new CancellationChecker({ leases: locker, checkIntervalMs: 2_000 });
 * const watch = checker.start(jobId, { onCancelled: ({ reason }) => controller.abort(reason) });
 * // ... run the job ...
 * watch.stop();
 */
export class CancellationChecker {
  readonly #options: CancellationCheckerOptions;
  readonly #clock: Clock;
  readonly #watches = new Map<string, Watch>();
  #loop: AbortController | null = null;
  /** When the leases were last asked about, on the monotonic clock. */
  #askedAt = Number.NEGATIVE_INFINITY;
  /** The check that is under way, and the one that follows it because somebody asked meanwhile. */
  #check: Promise<void> | null = null;
  #following: Promise<void> | null = null;

  /** @throws ArgumentError naming the option that cannot be */
  constructor(options: CancellationCheckerOptions) {
    requireOptions('options', options, ['leases', 'checkIntervalMs', 'clock', 'onCheckFailed']);
    requireMethods('leases', options.leases, ['heartbeatAll']);
    requireClock(options.clock);
    requireFunctions({ onCheckFailed: options.onCheckFailed });
    requireShape('checkIntervalMs', options.checkIntervalMs ?? 2_000, durationMs);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Starts asking about a job. Asking again about the same job replaces the former listener.
   *
   * @param options.leaseToken answers about another claim of the job are not meant for this watch. Default: any
   * @throws ArgumentError
   */
  start(
    jobId: string,
    listener: CancellationListener = {},
    options: { readonly leaseToken?: string } = {},
  ): CancellationWatch {
    requireText('jobId', jobId);
    requireOptions('listener', listener, ['onCancelled', 'onStale', 'onKnown', 'onConfirmed', 'onAnswers']);
    requireFunctions({ ...listener });
    requireObject('options', options);
    const { leaseToken = null } = options;
    if (leaseToken !== null) requireText('leaseToken', leaseToken);
    const watch: Watch = {
      leaseToken,
      isKnown: false,
      isConfirmed: false,
      cancellation: null,
      isStale: false,
      listener,
    };
    this.#watches.set(jobKey(jobId), watch);
    this.#ensureLoop();
    return {
      get isCancelled() {
        return watch.cancellation !== null;
      },
      get isStale() {
        return watch.isStale;
      },
      get cancellation() {
        return watch.cancellation;
      },
      stop: () => {
        if (this.#watches.get(jobKey(jobId)) === watch) this.#watches.delete(jobKey(jobId));
        if (this.#watches.size === 0) this.stop();
      },
    };
  }

  /**
   * Asks at once. A check that is under way may have been answered before the caller knew what it knows, so another
   * one follows it, which all who ask meanwhile share. Resolves when the answer has been told; never rejects.
   */
  checkNow(): Promise<void> {
    if (this.#check === null) return this.#begin();
    this.#following ??= this.#check.then(() => {
      this.#following = null;
      return this.checkNow();
    });
    return this.#following;
  }

  /** What another request about the leases was answered; `sentAt` is when it was sent, on the monotonic clock, in ms. */
  answered(answers: readonly LeaseAnswer[], sentAt: number): void {
    requireObjects('answers', answers);
    requireShape('sentAt', sentAt, anyMs);
    this.#askedAt = Math.max(this.#askedAt, sentAt);
    for (const answer of answers) {
      try {
        this.#deliver(answer);
      } catch (error) {
        this.#options.onCheckFailed?.(error);
      }
    }
  }

  #begin(): Promise<void> {
    this.#check = this.#ask().finally(() => {
      this.#check = null;
    });
    return this.#check;
  }

  /** Stops asking about every job and forgets them. */
  stop(): void {
    this.#watches.clear();
    this.#loop?.abort();
    this.#loop = null;
  }

  #ensureLoop(): void {
    if (this.#loop !== null) return;
    const loop = new AbortController();
    this.#loop = loop;
    void this.#checkUntil(loop.signal);
  }

  async #checkUntil(signal: AbortSignal): Promise<void> {
    const intervalMs = this.#options.checkIntervalMs ?? 2_000;
    while (!signal.aborted) {
      const waitMs = this.#askedAt + intervalMs - this.#clock.monotonic();
      if (waitMs <= 0) await this.checkNow();
      else await this.#wait(waitMs, signal);
    }
  }

  async #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(waitMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #ask(): Promise<void> {
    const sentAt = this.#clock.monotonic();
    this.#askedAt = sentAt;
    let answers: readonly LeaseAnswer[];
    try {
      const signal = this.#loop?.signal;
      answers = await this.#options.leases.heartbeatAll(signal === undefined ? {} : { signal });
    } catch (error) {
      if (this.#loop !== null) this.#options.onCheckFailed?.(error);
      return;
    }
    this.answered(answers, sentAt);
  }

  #deliver(answer: LeaseAnswer): void {
    const watch = this.#watches.get(jobKey(answer.jobId));
    if (watch === undefined || watch.isStale || (watch.leaseToken !== null && watch.leaseToken !== answer.leaseToken))
      return;
    if (answer.outcome !== 'stale' && !watch.isKnown) {
      watch.isKnown = true;
      watch.listener.onKnown?.(answer.known ?? null);
    }
    if (answer.outcome === 'ok' && !watch.isConfirmed) {
      watch.isConfirmed = true;
      watch.listener.onConfirmed?.();
    }
    if (answer.outcome === 'ok' && answer.answers.length > 0) watch.listener.onAnswers?.(answer.answers);
    if (answer.outcome === 'stale') {
      watch.isStale = true;
      watch.listener.onStale?.();
    }
    if (answer.outcome === 'cancelled' && watch.cancellation === null) {
      watch.cancellation = {
        reason: answer.cancelReason ?? 'cancel requested',
        requestedBy: answer.cancelRequestedBy,
      };
      watch.listener.onCancelled?.(watch.cancellation);
    }
  }
}
