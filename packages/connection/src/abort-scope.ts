/**
 * Joins the ways in which waiting can end, and takes its timer and listeners with it when it is closed: nothing
 * stays behind on a signal or clock that outlives the work.
 */
import type { Clock } from './ports.ts';
import { Watch } from './watch.ts';

export interface AbortScope {
  /** Aborts as soon as a parent does, the time is over, or `abort` is called. */
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Removes the timer and all listeners. Does not abort. */
  close(): void;
}

export interface AbortScopeOptions {
  readonly parents: readonly (AbortSignal | undefined)[];
  /** With a limit: the time and what to abort with when it is over. */
  readonly limit?: { readonly clock: Pick<Clock, 'sleep'>; readonly timeoutMs: number; readonly reason: () => unknown };
}

export function openScope({ parents, limit }: AbortScopeOptions): AbortScope {
  const controller = new AbortController();
  const closing = new AbortController();
  for (const parent of parents) {
    if (parent === undefined) continue;
    if (parent.aborted) controller.abort(parent.reason);
    else
      parent.addEventListener('abort', () => controller.abort(parent.reason), { once: true, signal: closing.signal });
  }
  if (limit !== undefined && Number.isFinite(limit.timeoutMs) && !controller.signal.aborted) {
    limit.clock.sleep(limit.timeoutMs, closing.signal).then(
      () => controller.abort(limit.reason()),
      (error: unknown) => {
        if (!closing.signal.aborted) controller.abort(error);
      },
    );
  }
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    close: () => closing.abort(),
  };
}

/**
 * Settles as `work` does, or rejects with the signal's reason when it aborts: even if `work` never settles.
 *
 * @param onAbort called just before an abort rejects
 */
export function abortable<T>(
  work: PromiseLike<T> | T,
  signal: AbortSignal,
  onAbort?: (reason: unknown) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const watch = new Watch({
      signal,
      strike: (reason) => {
        onAbort?.(reason);
        reject(reason);
      },
    });
    Promise.resolve(work).then(
      (value) => {
        watch.end();
        resolve(value);
      },
      (error: unknown) => {
        watch.end();
        reject(error);
      },
    );
  });
}
