/** Why a write about a job is refused. */
import { StoreError } from '../errors.ts';
import type { RunRef } from './job-rows.ts';
import { isFinal, type JobState, wholeDoubtOf } from './job-state.ts';

/** The error for a write to a claim that is over, or in doubt as a whole. */
export function overError(run: RunRef, state: JobState): StoreError {
  const doubt = wholeDoubtOf(state);
  if (doubt !== null) {
    return new StoreError(
      'JOB_IN_DOUBT',
      `Job ${run.jobId} is in doubt as a whole: ${doubt}. It cannot go on from here; end it, or restart it under a new claim.`,
    );
  }
  if (isFinal(state)) {
    return new StoreError('JOB_FINAL', `Job ${run.jobId} ended as ${state.status}; that is final.`);
  }
  const taker = state.status === 'released' ? state.supersededBy : null;
  return taker === null
    ? new StoreError('JOB_FINAL', `Job ${run.jobId} was handed back; nothing more can be recorded for it.`)
    : new StoreError(
        'STALE_LEASE',
        `Job ${run.jobId} was claimed again under lease ${taker}; this is the older claim.`,
      );
}

/** The error for caching a job under a token that is not the newest. */
export function staleClaimError(jobId: string, token: string, current: string): StoreError {
  return token === ''
    ? new StoreError('JOB_CONFLICT', `Job ${jobId} is held under lease ${current}; it cannot be cached without one.`)
    : new StoreError('STALE_LEASE', `Job ${jobId} is held under the newer lease ${current}; ${token} is out of date.`);
}
