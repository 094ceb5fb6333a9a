/**
 * Tells that a job left the executor, so that no listener can hold the executor up: one that throws is
 * reported, and one that does not settle in time is no longer waited for.
 */
import type { RunReport, StopRequest } from '../engine/run-options.ts';
import type { Clock } from '../ports.ts';
import type { JobSpec } from './job-runner.ts';

/** How a job left the executor. `crashed` is a defect of the robot, not a failure of the job. */
export type JobEnd =
  | { readonly kind: 'ran'; readonly job: JobSpec; readonly report: RunReport }
  | { readonly kind: 'never-started'; readonly job: JobSpec; readonly request: StopRequest }
  | { readonly kind: 'crashed'; readonly job: JobSpec; readonly error: unknown };

export type JobCompleteListener = (end: JobEnd) => void | Promise<void>;

export interface CompletionOptions {
  readonly clock: Clock;
  /** How long a listener may take, in ms. */
  readonly limitMs: number;
  /** Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** Resolves when every listener has settled or its time is over. Never rejects. */
export async function tellCompletion(
  listeners: Iterable<JobCompleteListener>,
  end: JobEnd,
  options: CompletionOptions,
): Promise<void> {
  await Promise.all([...listeners].map((listener) => tellOne(listener, end, options)));
}

async function tellOne(listener: JobCompleteListener, end: JobEnd, options: CompletionOptions): Promise<void> {
  const { clock, limitMs, onError } = options;
  const settled = new AbortController();
  const told = (async () => listener(end))()
    .catch(onError)
    .finally(() => settled.abort());
  const late = clock.sleep(limitMs, settled.signal).then(
    () => onError(new Error(`a listener for the end of job ${end.job.jobId} has not settled within ${limitMs} ms`)),
    () => undefined,
  );
  await Promise.race([told, late]);
}
