/** Ends of jobs that no run has ended. */
import type { Cancellation, RunOutcome } from '@casare/execution';

export const noStatistics = { duration_ms: 0, nodes_total: 0, nodes_executed: 0, nodes_skipped: 0 };

export function cancelled({ reason, requestedBy }: Cancellation): RunOutcome {
  return { status: 'cancelled', reason, requested_by: requestedBy, ...noStatistics };
}

/** A defect of the robot. */
export function internalError(message: string): RunOutcome {
  return {
    status: 'failed',
    error: { code: 'INTERNAL_ERROR', category: 'unknown', message, node_id: null },
    ...noStatistics,
  };
}
