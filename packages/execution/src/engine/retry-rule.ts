/** Whether a failed attempt is followed by another one. */
import { controlBehaviour } from '../control/control-type.ts';
import { type Failure, isHopeless } from './failure.ts';
import type { PreparedStep } from './prepare-step.ts';

/**
 * The node's own `retry_count` asks for a repetition whatever happened. The workflow's setting leaves alone
 * what is permanent, and never repeats an effect that may have happened (I4).
 *
 * @param done how many retries there have been
 */
export function mayRetry(step: PreparedStep, failure: Failure, done: number): boolean {
  if (isHopeless(failure)) return false;
  if (step.retries.own > 0) return done < step.retries.own;
  // A decision that failed once fails again, unless its author knows better.
  if (controlBehaviour(step.type) !== undefined) return false;
  if (done >= step.retries.fromSettings || failure.error.category === 'permanent') return false;
  return step.effect !== 'effect' || !failure.isAmbiguous;
}
