/** The mark of a claim at a position. */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { isOver } from '../jobs/job-state.ts';
import { identityOf, type Mark } from './mark-slot.ts';

export function markOf(run: RunRef, position: RunPosition): Mark {
  return {
    runId: run.runId,
    jobId: run.jobId,
    leaseToken: run.leaseToken,
    identity: identityOf(run.jobId, run.leaseToken),
    revision: position.revision,
    journalSeq: position.journalSeq,
    outboxSeq: position.outboxSeq,
    over: isOver(position.state),
  };
}
