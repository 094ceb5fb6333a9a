/** The journal's form of a stop. */
import type { RunError } from '../errors.ts';
import type { StopEntry } from './journal.ts';
import { type Lane, laneMark } from './run-state.ts';
import type { StopCause } from './stop-control.ts';

/** Names the node that is under way, if there is one. */
export function stopEntry(cause: Exclude<StopCause, { readonly kind: 'suspend' }>, lane: Lane, at: number): StopEntry {
  const interrupted = lane.intent ?? lane.retrying;
  return {
    kind: 'stop',
    ...(interrupted === null ? {} : laneMark(lane)),
    step: interrupted?.step ?? null,
    node_id: interrupted?.node_id ?? null,
    stop:
      cause.kind === 'cancel'
        ? { status: 'cancelled', reason: cause.reason, requested_by: cause.requestedBy }
        : {
            status: 'failed',
            error: cause.kind === 'refused' ? cause.error : timeoutError(cause.limitMs, interrupted?.node_id ?? null),
          },
    at,
  };
}

/** The stop was told by a failure of the node itself, which says what is known of its effect; nothing cut it off. */
export function isOwnFailure({ stop }: StopEntry): boolean {
  return stop.status === 'failed' && stop.error.code !== JOB_TIMEOUT;
}

const JOB_TIMEOUT = 'JOB_TIMEOUT';

function timeoutError(limitMs: number, nodeId: string | null): RunError {
  return {
    code: JOB_TIMEOUT,
    category: 'permanent',
    message: `The job did not end within its time limit of ${limitMs} ms.`,
    node_id: nodeId,
    error_type: 'TimeoutError',
  };
}
