/**
 * Jobs that wait for an operator: their lease is kept, nothing of them runs. An answer to a question that is open takes
 * a job up again; any other is ignored, however often it comes. What an answer does to a node is the engine's (I4).
 */
import { type DoubtAnswer, answers as fits, type InDoubtPolicy, type Logger, type RunOutcome } from '@casare/execution';
import type { DeskJob } from './desk-job.ts';
import type { JobTelemetry } from './desk-ports.ts';
import { questionsDraft } from './job-journal.ts';
import { isRecordLost, recordError, recordQuestion } from './lost-record.ts';
import { messageOf } from './message-of.ts';
import { noStatistics } from './run-outcomes.ts';

export interface JobDoubtsOptions {
  readonly telemetry: Pick<JobTelemetry, 'answered'>;
  readonly logger: Logger;
  /** For jobs without a policy of their own. */
  readonly inDoubtPolicy: InDoubtPolicy;
  readonly onOutbox: () => void;
  /** Whether this is still the job's place on the desk, and nothing of it is in the executor. */
  readonly isIdle: (job: DeskJob) => boolean;
  /** See `JobDeskOptions`. */
  readonly claimUnderWay: () => Promise<void> | null;
  /** Runs the job again, with the answers. */
  readonly takeUp: (job: DeskJob, answers: readonly DoubtAnswer[]) => Promise<void>;
  readonly endWithoutRun: (job: DeskJob, outcome: RunOutcome) => Promise<void>;
  readonly tryAgainLater: (job: DeskJob, reason: string) => void;
}

export class JobDoubts {
  readonly #options: JobDoubtsOptions;

  constructor(options: JobDoubtsOptions) {
    this.#options = options;
  }

  /** Answers come with every heartbeat until the server knows that they were taken. */
  async heard(job: DeskJob, answers: readonly DoubtAnswer[]): Promise<void> {
    if (!this.#waits(job)) return;
    const standing = await this.#standing(job, answers);
    const [first] = standing;
    if (first === undefined || !this.#waits(job)) return;
    const { lostRecord } = job.record;
    if (lostRecord === null) return this.#takeUpInTurn(job, standing);
    this.#options.telemetry.answered(job.record.jobId, first, job.typeOf(first.node_id));
    await this.#fail(job, lostRecord, first.by);
  }

  /**
   * The job cannot go on from what the store has: it fails by its policy, else it waits. Nobody resumes it blindly.
   *
   * @param options.isNoted whether the store itself knows of it. Default: as the job's record says
   */
  async loseRecord(
    job: DeskJob,
    why: string,
    { isNoted = job.record.lostRecord !== null }: { readonly isNoted?: boolean } = {},
  ): Promise<void> {
    const { logger, inDoubtPolicy, onOutbox, tryAgainLater } = this.#options;
    const { jobId } = job.record;
    job.waitInDoubt(why);
    logger.log('critical', `a job is in doubt as a whole: ${why}`, { job_id: jobId });
    if ((job.record.inDoubtPolicy ?? inDoubtPolicy) === 'fail') return this.#fail(job, why, null);
    const question = recordQuestion(why);
    // What may be readable again at the next start is remembered as asked; the store itself knows what it has lost.
    const status = { status: 'in_doubt', nodes: [{ node_id: '', reason: question.reason }] } as const;
    const change = isNoted ? {} : { status };
    try {
      await job.durable.commit([], { outbox: [questionsDraft([question])], ...change });
    } catch (error) {
      tryAgainLater(job, messageOf(error));
      return;
    }
    job.tellEnd({ status: 'in_doubt', nodes: [question], ...noStatistics });
    onOutbox();
  }

  /**
   * What an earlier process left in doubt waits on, unless its record was not readable then, and is again. A job that is in
   * doubt as a whole is looked at by the engine, because what had changed may be as it was again.
   */
  async takenUp(job: DeskJob): Promise<void> {
    const { logger, onOutbox, takeUp, tryAgainLater } = this.#options;
    try {
      await job.recallProgress();
      const { openQuestions } = job;
      if (openQuestions.some(({ node_id }) => node_id === null)) return takeUp(job, []);
      if (openQuestions.length > 0) {
        // The server may have refused them before.
        await job.durable.commit([], { outbox: [questionsDraft(openQuestions)] });
        return onOutbox();
      }
      await job.durable.commit([], { outbox: [questionsDraft([])], status: { status: 'in_progress' } });
    } catch (error) {
      return isRecordLost(error) ? this.loseRecord(job, messageOf(error)) : tryAgainLater(job, messageOf(error));
    }
    logger.log('info', 'the record of a job can be read again; it goes on', { job_id: job.record.jobId });
    onOutbox();
    await takeUp(job, []);
  }

  /** The free places are those that a claim under way has asked for: what it brings would have to go back. */
  async #takeUpInTurn(job: DeskJob, answers: readonly DoubtAnswer[]): Promise<void> {
    const { claimUnderWay, takeUp } = this.#options;
    for (let claim = claimUnderWay(); claim !== null; claim = claimUnderWay()) await claim;
    if (this.#waits(job)) await takeUp(job, answers);
  }

  #waits(job: DeskJob): boolean {
    return job.isInDoubt && !job.isLost && this.#options.isIdle(job);
  }

  /** Those that answer an open question, except what the last run was given already and has not taken. */
  async #standing(job: DeskJob, answers: readonly DoubtAnswer[]): Promise<readonly DoubtAnswer[]> {
    try {
      const questions = await job.questions();
      const isNew = (answer: DoubtAnswer): boolean => !job.answers.some((given) => isSame(given, answer));
      return answers.filter((answer) => isNew(answer) && questions.some((question) => fits(answer, question)));
    } catch (error) {
      if (!isRecordLost(error)) throw error;
      await this.loseRecord(job, messageOf(error));
      return [];
    }
  }

  #fail(job: DeskJob, why: string, by: string | null): Promise<void> {
    return this.#options.endWithoutRun(job, { status: 'failed', error: recordError(why, by), ...noStatistics });
  }
}

function isSame(one: DoubtAnswer, other: DoubtAnswer): boolean {
  return one.step === other.step && one.attempt === other.attempt && one.at === other.at && one.answer === other.answer;
}
