/** How far a claim has come at a position. */
import type { RunPosition, RunRef } from '../jobs/job-rows.ts';
import { isOver } from '../jobs/job-state.ts';
import type { Progress } from './mark-slot.ts';

export function progressOf(run: RunRef, position: RunPosition): Progress {
  return {
    runId: run.runId,
    jobId: run.jobId,
    leaseToken: run.leaseToken,
    revision: position.revision,
    journalSeq: position.journalSeq,
    outboxSeq: position.outboxSeq,
    over: isOver(position.state),
  };
}
