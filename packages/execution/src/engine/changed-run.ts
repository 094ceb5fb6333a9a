/**
 * A run that is to go on with another workflow or node library than it began with: in doubt as a whole (I4). Nobody can
 * tell what its journal means then, so `fail` ends it, and every other policy asks.
 *
 * With another library the workflow is still the one that was walked: an operator may answer that the run goes on with
 * it. With another workflow, or one that this robot's nodes cannot run, it can only begin anew, under a new claim, or end.
 * When everything is as it was again, nothing is asked any more.
 */
import type { RunError } from '../errors.ts';
import { type CutOffs, withCutOff } from './cut-off.ts';
import { answerTo, askedBy, type DoubtDecision, type DoubtQuestion } from './doubt.ts';
import { foldValues } from './fold.ts';
import type { AnsweredEntry, InDoubtEntry, JournalEntry, RunEnd, RunOutcome, RunStatistics } from './journal.ts';
import { OpenIntents } from './open-intents.ts';
import type { RunOptions } from './run-options.ts';
import { JournalFault } from './run-record.ts';
import type { RunState } from './run-state.ts';

export interface Change {
  readonly reason: string;
  readonly answers: readonly DoubtDecision[];
}

const otherWorkflow: Change = {
  reason: 'the workflow is not the one that the run began with',
  answers: ['restart', 'fail'],
};
const otherLibrary: Change = {
  reason: 'the node library is not the one that the run began with',
  answers: ['retry', 'restart', 'fail'],
};

/** The workflow was valid when the run began, and is not with the nodes that there are now. */
export function refusedByLibrary(finding: string): Change {
  return { reason: `the robot's nodes cannot run its workflow any more: ${finding}`, answers: ['restart', 'fail'] };
}

/** What has changed since the run began; null when nothing has, or it has not begun. */
export function changeOf({ workflow, library }: RunOptions, recorded: readonly JournalEntry[]): Change | null {
  if (recorded.length === 0) return null;
  const began = foldValues(recorded.filter(tellsWhatItRuns));
  if (began.workflowHash !== workflow.hash) return otherWorkflow;
  return began.library === null || began.library === (library ?? null) ? null : otherLibrary;
}

function tellsWhatItRuns({ kind }: JournalEntry): boolean {
  return kind === 'began' || kind === 'snapshot' || kind === 'answered';
}

export type ChangeSettled =
  | { readonly kind: 'ended'; readonly end: RunEnd }
  /** An operator wants it so; durable already. */
  | { readonly kind: 'go_on'; readonly answered: AnsweredEntry };

/** @param statistics of the run so far */
export async function settleChange(
  options: Pick<RunOptions, 'journal' | 'clock' | 'library' | 'answers' | 'inDoubtPolicy'>,
  recorded: readonly JournalEntry[],
  { reason, answers }: Change,
  statistics: RunStatistics,
): Promise<ChangeSettled> {
  const { journal, clock, library } = options;
  const state = foldValues(recorded);
  const failed = withCutOff<RunOutcome>(
    { status: 'failed', error: changeError(reason), ...statistics },
    mayHaveHappened(recorded),
  );
  const at = clock.now();
  const commit = async (entries: readonly JournalEntry[], settled: ChangeSettled): Promise<ChangeSettled> => {
    try {
      await journal.commit(entries);
      return settled;
    } catch (error) {
      const { message } = new JournalFault(error);
      return { kind: 'ended', end: { status: 'suspended', cause: 'journal', reason: message, ...statistics } };
    }
  };
  const isAsked = state.doubt !== null && state.doubt.reason === reason;
  const answer = isAsked && state.doubt !== null ? answerTo(state.doubt, options.answers) : undefined;
  if (answer !== undefined && answer.answer !== 'restart') {
    const answered: AnsweredEntry = {
      kind: 'answered',
      step: state.step,
      node_id: null,
      attempt: state.doubtsAnswered + 1,
      answer: answer.answer,
      by: answer.by,
      given_at: answer.at,
      ...(library === undefined ? {} : { library }),
      at,
    };
    return answer.answer === 'retry'
      ? commit([answered], { kind: 'go_on', answered })
      : commit([answered, { kind: 'outcome', outcome: failed, at }], { kind: 'ended', end: failed });
  }
  if (options.inDoubtPolicy === 'fail') {
    return commit([{ kind: 'outcome', outcome: failed, at }], { kind: 'ended', end: failed });
  }
  const asked: InDoubtEntry = {
    kind: 'in_doubt',
    step: state.step,
    node_id: null,
    attempt: state.doubtsAnswered + 1,
    reason,
    answers,
    at,
  };
  const question: DoubtQuestion = isAsked && state.doubt !== null ? state.doubt : askedBy(asked);
  const end: RunEnd = { status: 'in_doubt', nodes: [question], ...statistics };
  return isAsked ? { kind: 'ended', end } : commit([asked], { kind: 'ended', end });
}

/** What was under way, and what had been left open before: nobody looks for it any more. */
function mayHaveHappened(recorded: readonly JournalEntry[]): CutOffs {
  const intents = new OpenIntents();
  intents.load(recorded);
  return intents.mayHaveHappened;
}

/** What settles the question about a change that is none any more; null when nothing is asked about the run as a whole. */
export function withdrawal({ doubt, step, doubtsAnswered, library }: RunState, at: number): AnsweredEntry | null {
  if (doubt === null) return null;
  return {
    kind: 'answered',
    step,
    node_id: null,
    attempt: doubtsAnswered + 1,
    answer: 'retry',
    by: 'its robot, where nothing differs any more',
    given_at: new Date(at).toISOString(),
    ...(library === null ? {} : { library }),
    at,
  };
}

function changeError(reason: string): RunError {
  const message = `The run cannot go on: ${reason}.`;
  return { code: 'WORKFLOW_CHANGED', category: 'permanent', message, node_id: null };
}
