/** How a job leaves the desk without a run to end it: handed back, cancelled before it ran, or ended as the desk says. */
import type { Clock, JobLocker, Logger, RunOutcome, StopRequest } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobTelemetry } from './desk-ports.ts';
import { messageOf } from './message-of.ts';
import { cancelled, internalError } from './run-outcomes.ts';

export interface JobEndingsOptions {
  readonly locker: Pick<JobLocker, 'forget'>;
  readonly telemetry: Pick<JobTelemetry, 'released'>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onOutbox: () => void;
  /** Jobs that are over here while the server has not heard of it. */
  readonly untold: Set<string>;
  readonly drop: (job: DeskJob) => void;
  readonly tryAgainLater: (job: DeskJob, reason: string) => void;
}

export class JobEndings {
  readonly #options: JobEndingsOptions;

  constructor(options: JobEndingsOptions) {
    this.#options = options;
  }

  async neverStarted(job: DeskJob, request: StopRequest): Promise<void> {
    const { locker, telemetry, onOutbox, untold, drop, tryAgainLater } = this.#options;
    const { jobId } = job.record;
    const { reason, requestedBy = null } = request;
    if (request.kind === 'cancel') return this.endWithoutRun(job, cancelled({ reason, requestedBy }));
    if (!job.hasBegun && !job.isLost) {
      untold.add(jobId);
      try {
        await job.durable.commit([], {
          outbox: [{ kind: 'release', payload: { reason }, keep: true }],
          status: { status: 'released', reason },
        });
      } catch (error) {
        untold.delete(jobId);
        tryAgainLater(job, messageOf(error));
        return;
      }
      telemetry.released(jobId, reason);
      onOutbox();
    }
    locker.forget(jobId);
    drop(job);
  }

  async crashed(job: DeskJob, error: unknown): Promise<void> {
    const message = messageOf(error);
    this.#options.logger.log('critical', `the robot failed to run a job: ${message}`, { job_id: job.record.jobId });
    await this.endWithoutRun(job, internalError(message));
  }

  async endWithoutRun(job: DeskJob, outcome: RunOutcome): Promise<void> {
    const { clock, locker, logger, drop, tryAgainLater } = this.#options;
    const { jobId } = job.record;
    try {
      await job.journal.load();
    } catch (error) {
      logger.log('error', `the journal of a job cannot be read: ${messageOf(error)}`, { job_id: jobId });
    }
    try {
      await job.journal.commit([{ kind: 'outcome', outcome, at: clock.now() }]);
    } catch (error) {
      tryAgainLater(job, messageOf(error));
      return;
    }
    job.tellEnd(outcome);
    locker.forget(jobId);
    drop(job);
  }
}
