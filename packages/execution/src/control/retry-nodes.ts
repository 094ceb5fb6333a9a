/**
 * Retry regions: RetryNode runs `retry_body` until it comes to its end, at most `max_attempts` times; then `success` or
 * `failed`. A body also ends at a RetrySuccessNode, and fails at a RetryFailNode.
 */
import { z } from 'zod';
import { NodeError } from '../errors.ts';
import type { NodeType } from '../node-contract.ts';
import { flag, integer, number, text } from './control-params.ts';
import { type ControlVisit, defineControl } from './control-type.ts';

export const retryNode: NodeType = defineControl({
  type: 'RetryNode',
  description: 'Runs `retry_body` until it comes to its end; then `success`, or `failed` when no attempt is left.',
  params: z.object({
    max_attempts: integer(3),
    initial_delay: number(1),
    backoff_multiplier: number(2),
    retry_ambiguous: flag(false),
  }),
  exits: ['retry_body', 'success', 'failed'],
  outputs: ['attempt', 'last_error'],
  waitMs({ params, visit }) {
    if (visit.openRetry === null) return 0;
    const { initial_delay: seconds, backoff_multiplier: factor } = params;
    return Math.min(MAX_DELAY_MS, Math.max(0, seconds * 1_000 * factor ** (visit.openRetry.attempt - 1)));
  },
  run({ params, visit }) {
    const { openRetry } = visit;
    if (openRetry !== null) {
      return {
        exit: 'retry_body',
        outputs: { attempt: openRetry.attempt + 1, last_error: openRetry.lastError },
        control: { op: 'next_attempt' },
      };
    }
    const { max_attempts: attempts, retry_ambiguous: retriesAmbiguous } = params;
    if (attempts < 1) {
      throw new NodeError('"max_attempts" must be at least 1.', { code: 'INVALID_INPUT', errorType: 'ValueError' });
    }
    return {
      exit: 'retry_body',
      outputs: { attempt: 1, last_error: '' },
      control: { op: 'open_retry', max_attempts: attempts, retry_ambiguous: retriesAmbiguous },
    };
  },
});

/** A delay that has grown past this many ms grows no further: one day. */
const MAX_DELAY_MS = 24 * 60 * 60 * 1_000;

export const retrySuccessNode: NodeType = defineControl({
  type: 'RetrySuccessNode',
  description: 'Ends the attempt of the retry region around it: it has worked.',
  params: z.object({}),
  outputs: [],
  run({ visit }) {
    assertInRetry(visit);
    return { exit: null, control: { op: 'end_attempt', message: null } };
  },
});

export const retryFailNode: NodeType = defineControl({
  type: 'RetryFailNode',
  description: 'Ends the attempt of the retry region around it: it has failed.',
  params: z.object({ error_message: text('The attempt failed.') }),
  outputs: [],
  run({ params, visit }) {
    assertInRetry(visit);
    return { exit: null, control: { op: 'end_attempt', message: params.error_message } };
  },
});

function assertInRetry(visit: ControlVisit): void {
  if (visit.isInRetry) return;
  throw new NodeError("It is not inside a RetryNode's body.", { code: 'NO_OPEN_RETRY', errorType: 'RetryError' });
}
