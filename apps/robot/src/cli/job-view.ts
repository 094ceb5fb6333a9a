/** Jobs as people read them: a table of many, a sheet of one. */
import { type JsonObject, type JsonValue, mayHaveHappened } from '@casare/execution';
import { doubtLines, type Place, pastAnswerLines, placeText } from './job-doubt-view.ts';
import { showDuration } from './show-duration.ts';
import { factLines, tableLines } from './table.ts';
import { timeText } from './time-text.ts';

/** Longer variables are cut; `--json` has them whole. */
const maxValueLength = 200;

export function jobTable(jobs: readonly JsonObject[]): string[] {
  if (jobs.length === 0) return ['no jobs'];
  const columns = [
    { title: 'JOB' },
    { title: 'STATUS' },
    { title: 'DONE', align: 'right' as const },
    { title: 'NAME' },
    { title: 'ROBOT' },
    { title: 'SUBMITTED' },
  ];
  return tableLines(
    columns,
    jobs.map((job) => [
      text(job.job_id),
      statusText(job),
      percentText(objectOf(job.progress)),
      text(job.name),
      text(job.robot_name),
      timeText(job.created_at),
    ]),
  );
}

export function jobSheet(job: JsonObject, place?: Place): string[] {
  const { progress, error, result, variables } = job;
  const facts = factLines([
    ['job', text(job.job_id)],
    ['name', text(job.name)],
    ['status', statusText(job)],
    ['waits', offlineText(job)],
    ['progress', progressText(objectOf(progress), job)],
    ['error', errorText(objectOf(error)) ?? cancelledText(job)],
    ['bundle', bundleText(objectOf(objectOf(error).bundle), place)],
    ['cancel', cancelText(job)],
    ['on lost', job.on_lost === 'restart' ? 'restart' : null],
    ['priority', job.priority === 0 ? null : text(job.priority)],
    ['submitted', timeText(job.created_at)],
    ['started', timeText(job.started_at)],
    ['ended', timeText(job.completed_at)],
    ['robot', text(job.robot_name)],
    ['result', resultText(job)],
    ['in doubt', mayHaveHappenedText(objectOf(result))],
    ['stages', stagesText(objectOf(progress))],
  ]);
  return [
    ...facts,
    ...section('waits for an answer', doubtLines(job, place)),
    ...section('answered', pastAnswerLines(job)),
    ...section('variables', valueLines(objectOf(objectOf(result).variables ?? variables))),
    ...section('attempts', attemptLines(job)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function statusText(job: JsonObject): string {
  const facts = [
    job.lost === true ? 'lost' : null,
    isRobotOffline(job) && job.lost !== true ? 'robot offline' : null,
    listOf(job.in_doubt).length > 0 ? 'in doubt' : null,
    job.cancel_requested === true && job.status === 'running' ? 'cancelling' : null,
  ].filter((fact) => fact !== null);
  return facts.length === 0 ? text(job.status) : `${text(job.status)} (${facts.join(', ')})`;
}

/** Whether it goes on only when somebody has answered. */
export function waitsForAnswer(job: JsonObject): boolean {
  return job.lost === true || listOf(job.in_doubt).length > 0;
}

function isRobotOffline(job: JsonObject): boolean {
  return typeof job.robot_offline_since === 'string';
}

/** Its robot was stopped, and kept the job: the lease is still its. */
function offlineText(job: JsonObject): string | null {
  if (!isRobotOffline(job)) return null;
  return `for its robot ${text(job.robot_name)}, which is offline since ${timeText(job.robot_offline_since)}`;
}

function percentText({ percent }: JsonObject): string {
  return typeof percent === 'number' ? `${percent}%` : '';
}

/** Not a share of the nodes: those in loops count by their turns, and ways that were not taken are behind it, too. */
function wayText(progress: JsonObject): string {
  const { percent } = progress;
  const isOnItsWay = typeof percent === 'number' && percent > 0 && percent < 100;
  return isOnItsWay ? `${percent}% of the way` : percentText(progress);
}

/** Of a job that does not run (any more), a stage and a node are what its robot said last before it was lost. */
function progressText(progress: JsonObject, job: JsonObject): string | null {
  if (typeof progress.stage !== 'string') return null;
  const nodes = listOrEmpty(progress.current_nodes);
  const at = nodes.length > 0 ? nodes.join(', ') : text(progress.current_node);
  const isCurrent = (job.status === 'running' && !isRobotOffline(job)) || progress.stage === job.status;
  return [
    wayText(progress),
    isCurrent ? progress.stage : null,
    at === '' ? null : `${isCurrent ? 'at' : 'last seen at'} ${at}`,
    nodesText(progress.nodes_completed, progress.nodes_total, 'completed') ?? 'no node has run',
    progress.steps === 0 ? null : `${text(progress.steps)} ${progress.steps === 1 ? 'step' : 'steps'}`,
  ]
    .filter((part) => part !== null && part !== '')
    .join(', ');
}

function bundleText({ id, robot }: JsonObject, place: Place = { local: false }): string | null {
  if (typeof id !== 'string') return null;
  return `casare-robot job bundle ${id.slice(0, 8)}${placeText(place)}, on the machine of ${text(robot)}`;
}

function errorText(error: JsonObject): string | null {
  if (Object.keys(error).length === 0) return null;
  const node = text(error.node_id);
  return `${text(error.code)}${node === '' ? '' : ` at ${node}`}: ${text(error.message)}`;
}

/** A job that was cancelled before it ran has no error of its own: the reason of the cancel is what there is. */
function cancelledText(job: JsonObject): string | null {
  if (job.status !== 'cancelled') return null;
  const why = text(job.cancel_reason);
  return `CANCELLED${why === '' ? '' : `: ${why}`}`;
}

function cancelText(job: JsonObject): string | null {
  if (job.cancel_requested !== true) return null;
  const by = text(job.cancel_requested_by);
  const why = text(job.cancel_reason);
  return `requested${by === '' ? '' : ` by ${by}`}${why === '' ? '' : `: ${why}`}`;
}

/** What is not accounted for by finished steps and is worth a word, in ms. */
const tellingGapMs = 5_000;

/**
 * What the run came to. One that could not begin or go on has no figures of its own: then its progress has them. The work
 * is that of all processes that ran the job; from its start to its end there may be more: waits, restarts, and what was
 * cut off by them.
 */
function resultText({
  status,
  result: given,
  progress,
  started_at: startedAt,
  completed_at: endedAt,
}: JsonObject): string | null {
  const result = objectOf(given);
  if (typeof result.nodes_executed !== 'number') return null;
  const { nodes_completed: completed, nodes_total: total } = objectOf(progress);
  const nodes =
    nodesText(result.nodes_executed, result.nodes_total, 'executed') ?? nodesText(completed, total, 'completed');
  if (nodes === null) return 'no node has run';
  const isPartly = status === 'failed' && typeof completed === 'number' && completed < result.nodes_executed;
  const part = isPartly ? [`${completed} of them completed`] : [];
  const workMs = Number(result.duration_ms ?? 0);
  const wholeMs = Date.parse(text(endedAt)) - Date.parse(text(startedAt));
  if (result.nodes_total !== 0 && !(wholeMs - workMs >= tellingGapMs))
    return `${[nodes, ...part].join(', ')}${isPartly ? ',' : ''} in ${showDuration(workMs)}`;
  const work = result.nodes_total === 0 ? [] : [`${showDuration(workMs)} of work`];
  const whole = Number.isNaN(wholeMs) ? [] : [`${showDuration(wholeMs)} from start to end`];
  return [nodes, ...part, ...work, ...whole].join(', ');
}

/**
 * Null when nobody knows how many there are: the workflow was never taken up. A node that failed was executed, too, but not
 * completed.
 */
function nodesText(
  done: JsonValue | undefined,
  total: JsonValue | undefined,
  how: 'completed' | 'executed',
): string | null {
  return typeof total === 'number' && total > 0 ? `${text(done)} of ${total} nodes ${how}` : null;
}

/** Of a job that completed; one that did not says it in its error. */
function mayHaveHappenedText(result: JsonObject): string | null {
  const { may_have_happened: named, may_have_happened_more: more } = result;
  if (listOf(named).length === 0) return null;
  return mayHaveHappened({
    may_have_happened: listOf(named).map(({ node_id, step, attempt }) => ({
      node_id: text(node_id),
      step: Number(step),
      attempt: Number(attempt),
    })),
    may_have_happened_more: Number(more ?? 0),
  });
}

/** A job that was resumed often tells the first time and the newest ones. */
function stagesText({ stages, resumed_at: resumedAt, resumptions }: JsonObject): string {
  const { resumed, ...others } = objectOf(stages);
  const all = listOrEmpty(resumedAt ?? (resumed === undefined ? [] : [resumed])).map(
    (at) => ['resumed', text(at)] as const,
  );
  const times = [...Object.entries(others).map(([stage, at]) => [stage, text(at)] as const), ...all].sort(
    ([one, a], [other, b]) => a.localeCompare(b) || rank(one) - rank(other),
  );
  const isOneDay = new Set(times.map(([, at]) => at.slice(0, 10))).size === 1;
  const shown = times.map(([stage, at]) => `${stage} ${at.slice(isOneDay ? 11 : 0, 23).replace('T', ' ')}`);
  const isCut = typeof resumptions === 'number' && resumptions > all.length;
  return [...shown, ...(isCut ? [`resumed ${resumptions} times in all`] : [])].join(', ');
}

/** The database keeps no order of keys, and two stages may begin in the same millisecond. */
function rank(stage: string): number {
  return ['queued', 'starting', 'loading_workflow', 'executing', 'resumed', 'completing'].indexOf(stage) >>> 0;
}

function valueLines(values: JsonObject): string[] {
  const lines = Object.entries(values).map(([name, value]): [string, string] => {
    const json = JSON.stringify(value);
    return [name, json.length > maxValueLength ? `${json.slice(0, maxValueLength)}… (cut)` : json];
  });
  return lines.length === 0 ? [] : factLines(lines);
}

/** A row per claim: several have the number of one attempt when it was handed back, or begins anew. */
function attemptLines(job: JsonObject): string[] {
  const attempts = listOf(job.attempts);
  if (attempts.length === 0) return [];
  const columns = [
    { title: 'CLAIM', align: 'right' as const },
    { title: 'ATTEMPT' },
    { title: 'OUTCOME' },
    { title: 'ROBOT' },
    { title: 'CLAIMED' },
    { title: 'ENDED' },
    { title: 'ERROR' },
  ];
  const allowed = typeof job.max_attempts === 'number' ? ` of ${job.max_attempts}` : '';
  return tableLines(
    columns,
    attempts.map((attempt, index) => [
      String(index + 1),
      `${text(attempt.attempt)}${allowed}`,
      text(attempt.outcome) || 'running',
      text(attempt.robot_name),
      timeText(attempt.claimed_at),
      timeText(attempt.ended_at),
      text(objectOf(attempt.error).message),
    ]),
  );
}

function text(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '';
  return (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/[\r\n]+/g, ' ');
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return listOrEmpty(value).map(objectOf);
}

function listOrEmpty(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
