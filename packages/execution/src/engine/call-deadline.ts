/**
 * Time limits of calls. What a call has used is folded from its steps, so that a restart goes on with the rest; within
 * one process the clock counts from there, so that waits and branches count, too.
 */
import { NodeError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { CallFrame } from './frames.ts';
import type { Lane } from './run-state.ts';

/** When the call must be over, on the monotonic clock; noted when it is first looked at. */
const deadlines = new WeakMap<CallFrame, number>();

/** Ms that the calls around a lane's next step leave it; null: they set no limit. */
export function remainingOfCalls(lane: Lane, clock: Clock): number | null {
  let least: number | null = null;
  for (let at: Lane | null = lane; at !== null; at = at.parent) {
    for (const frame of at.frames) {
      const remaining = frame.kind === 'call' ? remainingOf(frame, clock) : null;
      if (remaining !== null && (least === null || remaining < least)) least = remaining;
    }
  }
  return least === null ? null : Math.max(0, least);
}

/** The outermost call of this lane whose time is over. */
export function expiredCall(lane: Lane, clock: Clock): CallFrame | undefined {
  return lane.frames.find((frame): frame is CallFrame => {
    const remaining = frame.kind === 'call' ? remainingOf(frame, clock) : null;
    return remaining !== null && remaining <= 0;
  });
}

export function callTimeout(limitMs: number | null, isAmbiguous: boolean): NodeError {
  const limit = limitMs === null ? 'its time limit' : `its "timeout_seconds" of ${limitMs / 1_000} s`;
  return new NodeError(`The sub-workflow did not end within ${limit}.`, {
    code: 'CALL_TIMEOUT',
    ambiguous: isAmbiguous,
    errorType: 'TimeoutError',
  });
}

function remainingOf(frame: CallFrame, clock: Clock): number | null {
  if (frame.limitMs === null) return null;
  const known = deadlines.get(frame);
  if (known !== undefined) return known - clock.monotonic();
  const remaining = frame.limitMs - frame.spentMs;
  deadlines.set(frame, clock.monotonic() + remaining);
  return remaining;
}
