/**
 * A job of which the local store has lost a part, so that nobody can tell what it has done: it must not go on from an
 * earlier step (I3). It can end, or begin anew under a new claim.
 */
import type { DoubtQuestion, RunError } from '@casare/execution';

/**
 * Codes of the store for a record that it cannot vouch for, or cannot open: with its keys put back the job goes on at the next
 * start of the robot, if nobody has answered meanwhile, and the question is withdrawn.
 */
const lostCodes: ReadonlySet<unknown> = new Set(['JOB_IN_DOUBT', 'STORE_CORRUPT', 'KEY_MISSING', 'KEY_WRONG']);

export function isRecordLost(error: unknown): boolean {
  return lostCodes.has((error as { code?: unknown } | null)?.code);
}

export function recordQuestion(why: string): DoubtQuestion {
  const reason = `part of the job's record on its robot is lost: ${why}`;
  return { node_id: null, step: null, attempt: null, reason, answers: ['restart', 'fail'] };
}

/** @param by who ended it; null: its own policy */
export function recordError(why: string, by: string | null): RunError {
  return {
    code: 'JOB_IN_DOUBT',
    category: 'permanent',
    message: `The run cannot go on: ${recordQuestion(why).reason}.`,
    node_id: null,
    ...(by === null ? {} : { details: { answered_by: by } }),
  };
}
