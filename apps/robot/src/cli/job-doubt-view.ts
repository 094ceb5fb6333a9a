/** What is asked about a job, what was answered already, and what to type, as people read it. */
import type { CancelAnswer, JsonObject, JsonValue } from '@casare/execution';
import { escapeControl } from '@casare/observability/lines';
import { timeText } from './time-text.ts';

/** The open questions, as the database has them. */
export function questionsOf(job: JsonObject): readonly JsonObject[] {
  return listOf(job.in_doubt);
}

/** How the commands that are shown reach the same database as the one that shows them. */
export interface Place {
  readonly local: boolean;
  readonly config?: string;
}

/** One block per question; empty when nothing is asked and the job is not lost. */
export function doubtLines(job: JsonObject, place: Place = { local: false }): string[] {
  const questions = questionsOf(job);
  const lines = questions.flatMap((question) => questionLines(job, question, questions, place));
  if (job.lost !== true) return lines;
  const id = String(job.job_id);
  return [
    ...lines,
    `lost: its robot has not renewed its lease in time, and ${job.cancel_requested === true ? 'cancels it' : 'goes on with it'} when it comes back; or give it up with`,
    `  casare-robot job resolve ${id} --restart${placeText(place)}${meaningOf('restart', null)}`,
    `  casare-robot job resolve ${id} --fail${placeText(place)}${meaningOf('fail', null)}`,
  ];
}

/** What came of a cancel. */
export function cancelText(
  jobId: string,
  answer: Exclude<CancelAnswer, 'unknown'>,
  isLost: boolean,
  place: Place = { local: false },
): string {
  switch (answer) {
    case 'cancelled':
      return 'cancelled; it had not started';
    case 'final':
      return 'it has already ended; nothing was changed';
    case 'requested':
      return isLost
        ? `asked to stop; its robot does not answer, and ends it as cancelled when it comes back; \`casare-robot job resolve ${jobId} --fail${placeText(place)}\` ends it now, as failed`
        : 'asked to stop; its robot ends it as cancelled';
  }
}

/** One line per answer that a robot has acted on, oldest first. */
export function pastAnswerLines(job: JsonObject): string[] {
  return listOf(job.past_answers).map((past) => {
    const { answer, by, at } = past;
    return `${questioned(past)}: ${oneLine(String(answer))} by ${oneLine(String(by))} at ${timeText(at)}`;
  });
}

/** What a command needs to reach that database. */
export function placeText({ local, config }: Place): string {
  return `${local ? ' --local' : ''}${config === undefined ? '' : ` --config ${shellWord(config)}`}`;
}

function questionLines(job: JsonObject, question: JsonObject, all: readonly JsonObject[], from: Place): string[] {
  const head = `${questioned(question)}: ${oneLine(String(question.reason ?? ''))}`;
  const given = listOf(job.answers).findLast((answer) => isAnswerTo(answer, question));
  if (given !== undefined) {
    const { answer, by, at } = given;
    return [
      head,
      `  answered ${String(answer)} by ${oneLine(String(by))} at ${timeText(at)}; its robot has not taken it yet`,
    ];
  }
  return [head, ...commandsFor(job, question, all, from).map((command) => `  ${command}`)];
}

/** What a question is about. */
function questioned({ node_id: nodeId, step, place }: JsonObject): string {
  if (typeof nodeId !== 'string') return 'the job as a whole';
  const where = [typeof step === 'number' ? `step ${step}` : null, typeof place === 'string' ? oneLine(place) : null];
  const details = where.filter((part) => part !== null);
  return `node ${oneLine(nodeId)}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}

function commandsFor(job: JsonObject, question: JsonObject, all: readonly JsonObject[], from: Place): string[] {
  const { node_id: nodeId, step } = question;
  const offered = Array.isArray(question.answers) ? question.answers.map(String) : ['retry', 'skip', 'fail'];
  const isOnly = all.length === 1;
  const sameNode = all.filter((other) => other.node_id === nodeId).length > 1;
  const node = isOnly || typeof nodeId !== 'string' ? '' : ` --node ${shellWord(nodeId)}`;
  const which = node !== '' && sameNode && typeof step === 'number' ? `${node} --step ${step}` : node;
  return offered.map(
    (answer) =>
      `casare-robot job resolve ${String(job.job_id)} --${answer}${which}${placeText(from)}${meaningOf(answer, nodeId)}`,
  );
}

function meaningOf(answer: string, nodeId: JsonValue | undefined): string {
  const ofNode: Readonly<Record<string, string>> = {
    retry: 'run it again',
    skip: 'go on without its outputs',
    fail: 'it has failed',
  };
  const ofJob: Readonly<Record<string, string>> = {
    retry: 'go on all the same',
    restart: 'begin anew, from the first node; what it did is done again',
    fail: 'end it as failed',
  };
  const meaning = (typeof nodeId === 'string' ? ofNode : ofJob)[answer];
  return meaning === undefined ? '' : `    # ${meaning}`;
}

function isAnswerTo(answer: JsonObject, question: JsonObject): boolean {
  return (['node_id', 'step', 'attempt'] as const).every((key) => (answer[key] ?? null) === (question[key] ?? null));
}

/** To be typed in a POSIX shell as it stands. */
function shellWord(word: string): string {
  return /^[\w.:/@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function oneLine(text: string): string {
  return escapeControl(text.replaceAll(/[\r\n]+/g, ' '));
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is JsonObject => typeof item === 'object' && item !== null && !Array.isArray(item));
}
