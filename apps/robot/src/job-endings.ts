/** How a job leaves the desk without a run to end it: handed back, cancelled before it ran, or ended as the desk says. */
import {
  type Clock,
  cutOffLine,
  type Logger,
  type RunOutcome,
  type RunStatistics,
  type StopRequest,
  withCutOff,
} from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobTelemetry } from './desk-ports.ts';
import { messageOf } from './message-of.ts';
import { cancelled, internalError } from './run-outcomes.ts';

export interface JobEndingsOptions {
  readonly telemetry: Pick<JobTelemetry, 'released'>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onOutbox: () => void;
  /** Jobs that are over here while the server has not heard of it. */
  readonly untold: Set<string>;
  /** It is over here. */
  readonly leave: (job: DeskJob) => void;
  readonly tryAgainLater: (job: DeskJob, reason: string) => void;
}

export class JobEndings {
  readonly #options: JobEndingsOptions;

  constructor(options: JobEndingsOptions) {
    this.#options = options;
  }

  async neverStarted(job: DeskJob, request: StopRequest): Promise<void> {
    const { telemetry, onOutbox, untold, leave, tryAgainLater } = this.#options;
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
    leave(job);
  }

  async crashed(job: DeskJob, error: unknown): Promise<void> {
    const message = messageOf(error);
    this.#options.logger.log('critical', `the robot failed to run a job: ${message}`, { job_id: job.record.jobId });
    await this.endWithoutRun(job, internalError(message));
  }

  /** @param ended without figures, and without what the job has under way, or asks about: that is named here (I4) */
  async endWithoutRun(job: DeskJob, ended: RunOutcome): Promise<void> {
    const { clock, logger, leave, tryAgainLater } = this.#options;
    const { jobId } = job.record;
    let figures: Partial<RunStatistics> = {};
    try {
      figures = await job.figures();
    } catch (error) {
      logger.log('error', `the journal of a job cannot be read: ${messageOf(error)}`, { job_id: jobId });
    }
    const cutOff = namesItsNode(ended) ? nothing : job.journal.mayHaveHappened;
    const outcome = withCutOff({ ...ended, ...figures }, cutOff);
    for (const effect of cutOff.named)
      logger.log('warning', cutOffLine(effect), { job_id: jobId, node_id: effect.node_id });
    try {
      await job.journal.commit([{ kind: 'outcome', outcome, at: clock.now() }]);
    } catch (error) {
      tryAgainLater(job, messageOf(error));
      return;
    }
    job.tellEnd(outcome);
    leave(job);
  }
}

const nothing = { named: [], more: 0 };

/** Such an error is about the effect that was under way. */
function namesItsNode(outcome: RunOutcome): boolean {
  return outcome.status === 'failed' && outcome.error.node_id !== null;
}
