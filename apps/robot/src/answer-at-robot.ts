/**
 * An answer about a job in doubt that somebody gives to the robot itself. It goes the way of `job resolve`: into the
 * database, where the first answer to a question stands, and back with the heartbeat. So nobody is told that an answer
 * was taken which is not acted on, and none can be given while the database is away.
 */
import type { DoubtDecision, DoubtQuestion, ResolveAnswer } from '@casare/execution';
import type { RobotParts } from './compose.ts';
import { messageOf } from './message-of.ts';
import type { Requester } from './requester.ts';

export interface AnswerRequest extends Requester {
  readonly jobId: string;
  readonly answer: DoubtDecision;
  /** Which question is meant: one attempt of one step, or, with nulls, what is asked about the job as a whole. */
  readonly question: Pick<DoubtQuestion, 'node_id' | 'step' | 'attempt'>;
}

/** `code`: NO_SUCH_JOB, ANSWERED_BEFORE, NOT_ASKED, NOT_OFFERED, NOT_CONNECTED, or SCHEMA_TOO_OLD. */
export class AnswerError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A person waits. */
const limitMs = 10_000;

export type AnswerParts = Pick<RobotParts, 'desk' | 'gateway' | 'connection' | 'checker' | 'audit'>;

/**
 * @param by whom the answer names
 * @throws AnswerError when the answer does not count, with what to do about it; what the database throws
 */
export async function answerAtRobot(parts: AnswerParts, request: AnswerRequest, by: string): Promise<void> {
  const { jobId, answer, question, requestedFrom = null } = request;
  const { node_id: nodeId, ...asked } = question;
  const record = (problem: string | null): void => {
    const about = { jobId, ...(nodeId === null ? {} : { nodeId }), ...asked };
    parts.audit?.jobAnswerGiven({ ...about, answer, actor: by, requested_from: requestedFrom, problem });
  };
  try {
    await give(parts, request, by);
  } catch (error) {
    record(messageOf(error));
    throw error;
  }
  record(null);
  void parts.checker.checkNow();
}

async function give({ desk, gateway, connection }: AnswerParts, request: AnswerRequest, by: string): Promise<void> {
  const { jobId, answer, question } = request;
  const lease = desk.leaseInDoubt(jobId);
  if (lease === null) {
    if (desk.holds(jobId)) {
      const message = 'the job waits for no answer now: it has gone on; look whether it asks anew';
      throw new AnswerError('NOT_ASKED', message);
    }
    throw new AnswerError('NO_SUCH_JOB', noSuchJob(jobId));
  }
  if (!connection.isConnected) {
    const message = 'the database cannot be reached, and answers are kept there; try again when the robot is connected';
    throw new AnswerError('NOT_CONNECTED', message);
  }
  const taken = await gateway.answerDoubt(lease, answer, question, by, { timeoutMs: limitMs }).catch(withRemedy);
  const refusal = refusalOf(taken, answer);
  if (refusal !== null) throw refusal;
}

const wholeIdLength = 36;

function noSuchJob(jobId: string): string {
  const none = `this robot has no job ${jobId}`;
  if (jobId.length < wholeIdLength) return `${none}; give the whole id, as \`/status.json\` has it`;
  return `${none}, or not any more; \`casare-robot job show\` tells whether it has ended`;
}

function withRemedy(error: unknown): never {
  if ((error as { code?: unknown }).code !== 'PGRST202') throw error;
  const message =
    'the database does not take answers from robots yet: apply migrations/, or use `casare-robot job resolve`';
  throw new AnswerError('SCHEMA_TOO_OLD', message);
}

function refusalOf(taken: ResolveAnswer | 'stale', answer: DoubtDecision): AnswerError | null {
  switch (taken) {
    case 'answered':
    case 'restarted':
    case 'failed':
      return null;
    case 'already':
      return new AnswerError(
        'ANSWERED_BEFORE',
        'somebody else has given another answer, which stands; nothing was changed',
      );
    case 'not-offered':
      return new AnswerError('NOT_OFFERED', `this question cannot be answered with ${answer}`);
    case 'not-waiting':
    case 'ambiguous':
      return new AnswerError('NOT_ASKED', 'this is not asked any more; look what the job waits for now');
    case 'final':
    case 'stale':
    case 'unknown':
      return new AnswerError('NO_SUCH_JOB', 'the job is not this robot’s any more; `casare-robot job show` tells more');
  }
}
