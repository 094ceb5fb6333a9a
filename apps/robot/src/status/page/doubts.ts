/** The jobs that wait for an answer: what is asked, and a button for each answer that would be taken. */
import { type ComponentChild, h } from 'preact';
import type { ActionRequest } from './actions.ts';
import { shortId } from './format.ts';
import { Card, useKeptFocus } from './job-card.ts';
import type { JobInDoubt, Question } from './shapes.ts';

export interface DoubtProps {
  readonly job: JobInDoubt;
  readonly onAsk: (request: ActionRequest) => void;
}

/** Shown at a time, of one job. */
const mostQuestions = 20;

interface Choice {
  /** The button, and what it does. */
  readonly verb: string;
  /** What comes of it for the effect that may or may not have happened. */
  readonly meaning: string;
}

const forNode: Readonly<Record<string, Choice>> = {
  retry: {
    verb: 'Retry',
    meaning: 'The node runs again. If its effect has happened already, it happens twice.',
  },
  skip: {
    verb: 'Skip',
    meaning:
      'The node does not run again: the job goes on behind it, without its outputs. If its effect has not happened, it never will.',
  },
  fail: {
    verb: 'Fail',
    meaning:
      'The node counts as failed, and does not run again. Its effect may have happened all the same. What the workflow does about errors takes over; otherwise the job ends as failed.',
  },
};

const forJob: Readonly<Record<string, Choice>> = {
  retry: {
    verb: 'Go on with',
    meaning: 'The job goes on from where it was, with what is different now. What it did before is not done again.',
  },
  restart: {
    verb: 'Begin anew',
    meaning: 'The job begins at its first node. Every effect that it has had so far happens again.',
  },
  fail: {
    verb: 'Fail',
    meaning: 'The job ends as failed. What it did before stays done.',
  },
};

export function Doubt({ job, onAsk }: DoubtProps): ComponentChild {
  const { job_id: jobId, percent, nodes_completed: done, nodes_total: total, questions } = job;
  const progress = percent === null ? 'how far it is, nobody knows' : `${percent} %, ${done} of ${total} nodes`;
  return h(
    Card,
    { job, onAsk },
    h('p', { class: 'quiet' }, `${progress}, id ${shortId(jobId)}`),
    h(
      'ul',
      { class: 'questions', 'aria-label': `Questions about ${job.name}` },
      questions.slice(0, mostQuestions).map((question) => h(Asked, { key: keyOf(question), job, question, onAsk })),
    ),
    questions.length > mostQuestions
      ? h('p', null, `… and ${questions.length - mostQuestions} more questions, which come up as these are answered.`)
      : null,
  );
}

interface AskedProps extends DoubtProps {
  readonly question: Question;
}

function Asked({ job, question, onAsk }: AskedProps): ComponentChild {
  const { node_id: nodeId, reason, answers } = question;
  const place = useKeptFocus<HTMLLIElement>();
  return h(
    'li',
    { ref: place },
    h(
      'p',
      null,
      nodeId === null ? 'The job as a whole' : ['Node ', subjectOf(question), ' may or may not have taken effect'],
      `: ${reason}`,
    ),
    h(
      'div',
      { class: 'buttons' },
      answers.map((answer) => {
        const choice = (nodeId === null ? forJob : forNode)[answer];
        if (choice === undefined) return null;
        const label = `${choice.verb} ${nodeId === null ? 'job' : `${nameOf(question)} of job`} ${job.name}`;
        const ask = (): void => onAsk(requestOf(job, question, answer, choice));
        return h('button', { key: answer, type: 'button', 'aria-label': label, onClick: ask }, choice.verb);
      }),
    ),
  );
}

function requestOf(job: JobInDoubt, question: Question, answer: string, { verb, meaning }: Choice): ActionRequest {
  const { node_id: nodeId, step, attempt, reason } = question;
  const ofJob = ['the job “', h('bdi', null, job.name), `” (${shortId(job.job_id)})`];
  return {
    action: 'answer',
    args: { job_id: job.job_id, answer, node_id: nodeId, step, attempt },
    question:
      nodeId === null ? [`${verb} `, ...ofJob, '?'] : [`${verb} node `, subjectOf(question), ' of ', ...ofJob, '?'],
    meaning: [`${meaning} `, h('span', { class: 'quiet' }, `What is known: ${reason}`)],
    confirm: nodeId === null ? `${verb} the job` : `${verb} the node`,
    text: { name: 'by', label: 'Your name (kept with the answer)', maxLength: 50 },
  };
}

/** `pay (HttpRequestNode, branch 2 of fork)`. */
function subjectOf({ node_id: nodeId, node_type: type, place, attempt }: Question): ComponentChild {
  const again = attempt !== null && attempt > 1 ? `attempt ${attempt}` : null;
  const details = [type, place, again].filter((detail) => detail !== null).join(', ');
  return [h('bdi', null, nodeId), details === '' ? '' : ` (${details})`];
}

/** Tells two questions about one node apart, too. */
function nameOf({ node_id: nodeId, place }: Question): string {
  return `node ${nodeId}${place === null ? '' : ` (${place})`}`;
}

function keyOf({ node_id: nodeId, step, attempt }: Question): string {
  return `${nodeId} ${step} ${attempt}`;
}
