/**
 * One attempt of a node: from its start to its end, or to the end of our patience with it.
 *
 * A node is told to stop through its signal, by its time limit or by the run's stop. If it ends all the same
 * with a result, that result counts: the effect happened. If it does not end within `abortGraceMs`, it is
 * abandoned: whatever it does later is ignored.
 */
import type { Clock } from '../ports.ts';
import { longSleep } from './long-sleep.ts';
import type { NodeStopCause, StopControl } from './stop-control.ts';

/** How long an aborted node may take to end, in ms. */
export const DEFAULT_ABORT_GRACE_MS = 5_000;

export type AttemptEnd<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly thrown: unknown }
  | { readonly kind: 'timed_out'; readonly hasEnded: boolean }
  | { readonly kind: 'stopped'; readonly cause: NodeStopCause | 'grace_over'; readonly hasEnded: boolean };

export interface AttemptOptions<T> {
  readonly run: (signal: AbortSignal) => Promise<T>;
  readonly clock: Clock;
  readonly limitMs: number | null;
  readonly abortGraceMs: number;
  readonly control: StopControl;
  /** Why the run's stop ends this attempt now; null while it does not. */
  readonly mustStop: () => NodeStopCause | 'grace_over' | null;
}

type Interruption =
  | { readonly kind: 'timed_out' }
  | { readonly kind: 'stopped'; readonly cause: NodeStopCause | 'grace_over' };

export async function runAttempt<T>(options: AttemptOptions<T>): Promise<AttemptEnd<T>> {
  const { clock, limitMs, control } = options;
  const node = new AbortController();
  const timers = new AbortController();
  let hasTimer = limitMs !== null;
  const interruption = Promise.withResolvers<Interruption>();
  const interrupt = (by: Interruption): void => {
    if (node.signal.aborted) return;
    node.abort(abortReason(by));
    interruption.resolve(by);
  };
  const watch = (): void => {
    const cause = options.mustStop();
    if (cause !== null) interrupt({ kind: 'stopped', cause });
  };
  const unwatch = control.onChange(watch);
  if (limitMs !== null) longSleep(clock, limitMs, timers.signal).then(() => interrupt({ kind: 'timed_out' }), ignore);
  try {
    watch();
    if (node.signal.aborted) return { ...(await interruption.promise), hasEnded: true };
    const running = settled(options.run, node.signal);
    const first = await Promise.race([running, interruption.promise]);
    if (first.kind === 'done' || first.kind === 'failed') {
      return first.kind === 'failed' && node.signal.aborted
        ? { ...(await interruption.promise), hasEnded: true }
        : first;
    }
    hasTimer = true;
    const patience = clock.sleep(options.abortGraceMs, timers.signal).catch(ignore);
    const late = await Promise.race([running, patience]);
    return late?.kind === 'done' ? late : { ...first, hasEnded: late !== undefined };
  } finally {
    unwatch();
    if (hasTimer) timers.abort(NO_LONGER_NEEDED);
  }
}

type Settled<T> = { readonly kind: 'done'; readonly value: T } | { readonly kind: 'failed'; readonly thrown: unknown };

async function settled<T>(run: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<Settled<T>> {
  try {
    return { kind: 'done', value: await run(signal) };
  } catch (thrown) {
    return { kind: 'failed', thrown };
  }
}

/** What the node sees as `signal.reason`. */
function abortReason(reason: Interruption): DOMException {
  return reason.kind === 'timed_out'
    ? new DOMException('The time limit of the node has passed.', 'TimeoutError')
    : new DOMException('The run is being stopped.', 'AbortError');
}

/** Saves the making of an error for each timer that was not needed. */
const NO_LONGER_NEEDED = 'no longer needed';

function ignore(): void {}
