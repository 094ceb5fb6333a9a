/** `casare-robot job resolve|redrive`: what an operator answers about a job that waits, and one more try for one that failed. */
import { nearestName } from '@casare/config';
import type { DoubtDecision, JsonObject, ResolveAnswer } from '@casare/execution';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { findJobId } from './find-job.ts';
import { type ConnectionFlags, withGateway } from './job-commands.ts';
import { doubtLines, questionsOf } from './job-doubt-view.ts';
import type { Terminal } from './terminal.ts';

export interface ResolveFlags extends ConnectionFlags {
  readonly retry?: boolean;
  readonly skip?: boolean;
  readonly fail?: boolean;
  readonly restart?: boolean;
  readonly node?: string;
  readonly step?: number;
}

const meanings = {
  answered: 'answered; its robot goes on with its next heartbeat',
  restarted: 'pending again; it begins anew, from its first node, under a new claim',
  failed: 'ended as failed',
} as const;

/** Prints what has happened; exits with 0 only when the answer was taken. */
export async function resolveJob(id: string, flags: ResolveFlags, terminal: Terminal): Promise<number> {
  const decision = decisionOf(flags);
  const question = { nodeId: flags.node ?? null, step: flags.step ?? null };
  const { jobId, answer, job } = await withGateway(flags, async (gateway) => {
    const found = await findJobId(gateway, id);
    const given = await gateway.resolveJob(found, decision, question);
    const isTaken = given === 'answered' || given === 'restarted' || given === 'failed';
    return { jobId: found, answer: given, job: isTaken ? null : await gateway.getJob(found) };
  });
  if (answer === 'unknown') throw new CliError(exitCodes.failed, `there is no job ${id}`);
  if (flags.json) terminal.print(JSON.stringify({ job_id: jobId, answer }));
  if (answer === 'answered' || answer === 'restarted' || answer === 'failed') {
    if (!flags.json) terminal.print(`${jobId}: ${meanings[answer]}`);
    return exitCodes.ok;
  }
  if (!flags.json) {
    const lines = answer === 'final' ? [] : doubtLines(job ?? {}, flags);
    const refusal = refusalOf(answer, decision, flags, job ?? {});
    // Between the answer and the look at the job, its robot may have gone on: then nothing follows.
    terminal.note(`casare-robot: ${jobId}: ${lines.length === 0 ? refusal.replace(/:$/, '') : refusal}`);
    for (const line of lines) terminal.note(line);
  }
  return answer === 'ambiguous' ? exitCodes.usage : exitCodes.failed;
}

export async function redriveJob(id: string, flags: ConnectionFlags, terminal: Terminal): Promise<number> {
  const { jobId, answer } = await withGateway(flags, async (gateway) => {
    const found = await findJobId(gateway, id);
    return { jobId: found, answer: await gateway.redriveJob(found) };
  });
  if (answer === 'unknown') throw new CliError(exitCodes.failed, `there is no job ${id}`);
  const meaning = {
    redriven: 'pending again, with one more attempt; it begins at its first node, and what it did before is done again',
    'not-failed': 'it has not failed; only jobs that are failed or dead can be tried once more',
    duplicate: 'another job with its dedup key is waiting or running; nothing was changed',
  }[answer];
  if (flags.json) terminal.print(JSON.stringify({ job_id: jobId, answer }));
  else if (answer === 'redriven') terminal.print(`${jobId}: ${meaning}`);
  else terminal.note(`casare-robot: ${jobId}: ${meaning}`);
  return answer === 'redriven' ? exitCodes.ok : exitCodes.failed;
}

function decisionOf({ retry, skip, fail, restart }: ResolveFlags): DoubtDecision {
  const given = Object.entries({ retry, skip, fail, restart }).flatMap(([name, isGiven]) =>
    isGiven === true ? [name as DoubtDecision] : [],
  );
  const [decision, ...others] = given;
  if (decision !== undefined && others.length === 0) return decision;
  throw new CliError(
    exitCodes.usage,
    'give one of --retry, --skip, --fail and --restart; `job show ID` says what is asked',
  );
}

/** Why an answer was not taken; with a colon where what waits follows. */
export function refusalOf(
  answer: Exclude<ResolveAnswer, 'answered' | 'restarted' | 'failed' | 'unknown'>,
  decision: DoubtDecision,
  { node, step }: Pick<ResolveFlags, 'node' | 'step'>,
  job: JsonObject,
): string {
  const place = [node === undefined ? '' : ` node ${node}`, step === undefined ? '' : ` step ${step}`].join('');
  switch (answer) {
    case 'final':
      return `it has already ended (${String(job.status)}); nothing was changed`;
    case 'ambiguous':
      return `several questions wait${place === '' ? '' : ` at${place}`}; name one of them:`;
    case 'already':
      return `this question has been answered before, and the first answer stands; nothing was changed:`;
    case 'not-offered':
      return `this question cannot be answered with --${decision}:`;
    case 'not-waiting':
      return notWaiting(decision, place, node, job);
  }
}

function notWaiting(decision: DoubtDecision, place: string, node: string | undefined, job: JsonObject): string {
  const questions = questionsOf(job);
  const takesDecision = decision === 'restart' || decision === 'fail';
  if (questions.length > 0 || (job.lost === true && takesDecision)) {
    const ids = questions.flatMap(({ node_id: id }) => (typeof id === 'string' ? [id] : []));
    const meant = node === undefined || ids.includes(node) ? null : nearestName(node, ids);
    const hint = meant === null ? '' : ` (did you mean ${meant}?)`;
    return `nothing waits for an answer${place === '' ? '' : ` at${place}${hint}`}; what does:`;
  }
  if (job.lost === true) return `it is lost, which cannot be answered with --${decision}:`;
  return decision === 'restart'
    ? 'it is neither lost nor in doubt as a whole, so it cannot begin anew'
    : 'nothing of it waits for an answer';
}
