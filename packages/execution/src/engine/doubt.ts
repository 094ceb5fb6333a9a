/**
 * Questions about a run that only a person can answer, and the answers (I4).
 *
 * A question is about one attempt of one step, or about the run as a whole. An answer names its question; once that has
 * been settled, or was asked anew about a later attempt, the answer means nothing any more, however often it comes.
 */
import { requireObject, requireTexts } from '../argument-error.ts';
import { listOf, oneOf, shapeOf, text, wholeNumber } from '../argument-shapes.ts';
import type { InDoubtEntry } from './journal.ts';

/**
 * For a node: `retry` runs it again, `skip` goes on by its normal exit without outputs, `fail` fails it. For the run as
 * a whole: `retry` goes on in spite of what has changed, `restart` (under a new claim) begins anew, `fail` ends it.
 */
export type DoubtDecision = 'retry' | 'skip' | 'fail' | 'restart';

/** What is asked. */
export interface DoubtQuestion {
  /** Null: the run as a whole. */
  readonly node_id: string | null;
  /** Null when the record that would say so is lost. */
  readonly step: number | null;
  /** Which attempt of the step; of the run as a whole, which question about it. Both from 1. */
  readonly attempt: number | null;
  readonly reason: string;
  /** Which branch, item or turn of a loop it is about; absent when there is none around it. */
  readonly place?: string;
  readonly answers: readonly DoubtDecision[];
}

/** An operator's answer to one question. */
export interface DoubtAnswer extends Pick<DoubtQuestion, 'node_id' | 'step' | 'attempt'> {
  readonly answer: DoubtDecision;
  readonly by: string;
  /** When it was given, ISO 8601. */
  readonly at: string;
}

/** The shape of {@link DoubtAnswer}s. */
export const doubtAnswers: ReturnType<typeof listOf> = listOf(
  shapeOf({
    node_id: text.nullable(),
    step: wholeNumber.nullable(),
    attempt: wholeNumber.nullable(),
    answer: oneOf(['retry', 'skip', 'fail', 'restart']),
    by: text,
    at: text,
  }),
);

/** For a node. */
export const nodeDecisions: readonly DoubtDecision[] = ['retry', 'skip', 'fail'];

/** Whether an answer is one to this question, and one that it allows. */
export function answers(answer: DoubtAnswer, question: DoubtQuestion): boolean {
  requireObject('answer', answer);
  requireObject('question', question);
  requireTexts('question.answers', question.answers);
  return (
    answer.node_id === question.node_id &&
    answer.step === question.step &&
    answer.attempt === question.attempt &&
    question.answers.includes(answer.answer)
  );
}

/** The newest answer to a question; undefined when there is none. */
export function answerTo(question: DoubtQuestion, given: readonly DoubtAnswer[] | undefined): DoubtAnswer | undefined {
  return given?.findLast((answer) => answers(answer, question));
}

/** The question that an entry of the journal asks. */
export function askedBy(entry: Omit<InDoubtEntry, 'kind'>): DoubtQuestion {
  requireObject('entry', entry);
  const { node_id, step, attempt, reason, place, answers: allowed } = entry;
  return { node_id, step, attempt, reason, ...(place === undefined ? {} : { place }), answers: allowed };
}
