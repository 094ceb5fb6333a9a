/** The jobs that run, node by node, and those that wait. */
import { type ComponentChild, h } from 'preact';
import type { ActionRequest } from './actions.ts';
import { Doubt } from './doubts.ts';
import { duration, shortId } from './format.ts';
import { Card } from './job-card.ts';
import type { JobNow, NodeNow, NodeThen, Status } from './shapes.ts';

/** Shown at most of each kind: a page of hundreds is read by nobody, and busy with itself. */
const mostJobs = 50;
const mostQueued = 10;

export interface JobsProps {
  readonly status: Status;
  /** Ms since the status was heard: durations go on meanwhile. */
  readonly sinceMs: number;
  readonly onAsk: (request: ActionRequest) => void;
}

export function Jobs({ status, sinceMs, onAsk }: JobsProps): ComponentChild {
  const { running, queued, waiting, max_concurrent_jobs: limit } = status;
  return h(
    'section',
    { 'aria-labelledby': 'jobs-title' },
    h('h2', { id: 'jobs-title', tabIndex: -1 }, `Running jobs (${running.length} of up to ${limit ?? '?'})`),
    running.length === 0
      ? h('p', { class: 'quiet' }, 'No job runs now.')
      : h(
          'ul',
          { class: 'jobs' },
          running.slice(0, mostJobs).map((job) => h(Job, { key: job.job_id, job, sinceMs, onAsk })),
        ),
    more(running.length - mostJobs, 'running'),
    h('p', null, `Queue: ${queued.length} waiting${queueText(queued)}`),
    waiting.length === 0
      ? null
      : h(
          'div',
          null,
          h('h2', { class: 'problem' }, `In doubt, waiting for an answer (${waiting.length})`),
          h(
            'ul',
            { class: 'jobs' },
            waiting.slice(0, mostJobs).map((job) => h(Doubt, { key: job.job_id, job, onAsk })),
          ),
          more(waiting.length - mostJobs, 'in doubt'),
        ),
  );
}

function more(count: number, what: string): ComponentChild {
  return count <= 0 ? null : h('p', null, `… and ${count} more ${what}; casare-robot status lists them all.`);
}

function queueText(queued: readonly string[]): string {
  if (queued.length === 0) return '';
  const ids = queued.slice(0, mostQueued).map(shortId).join(', ');
  return ` (${ids}${queued.length > mostQueued ? ', …' : ''})`;
}

interface JobProps {
  readonly job: JobNow;
  readonly sinceMs: number;
  readonly onAsk: (request: ActionRequest) => void;
}

function Job({ job, sinceMs, onAsk }: JobProps): ComponentChild {
  const { job_id: jobId, name, nodes_completed: done, nodes_total: total } = job;
  const percent = job.percent ?? 0;
  return h(
    Card,
    { job, onAsk },
    h(
      'p',
      { class: 'quiet' },
      `${percent} %, ${done} of ${total} nodes, running for ${duration(job.running_ms + sinceMs)}, id ${shortId(jobId)}`,
    ),
    h(
      'ol',
      { class: 'nodes', 'aria-label': `Nodes of ${name}, the newest last` },
      job.ended_nodes.slice(-5).map((node, index) => endedNode(node, index)),
      job.running_nodes.map((node) => runningNode(node, sinceMs)),
      job.running_nodes.length === 0 ? h('li', { class: 'now' }, job.stage ?? 'starting') : null,
    ),
  );
}

function endedNode(
  { node_id: id, node_type: type, duration_ms: ms, success, skipped }: NodeThen,
  index: number,
): ComponentChild {
  if (skipped) return h('li', { key: `${index}${id}` }, '↷ ', h('bdi', null, id), ` (${type}) skipped`);
  return h(
    'li',
    { key: `${index}${id}`, class: success ? 'done' : 'failed' },
    `${success ? '✓' : '✗'} `,
    h('bdi', null, id),
    ` (${type}) ${duration(ms)}`,
  );
}

function runningNode(
  { node_id: id, node_type: type, attempt, running_ms: ms, limit_ms: limit }: NodeNow,
  sinceMs: number,
): ComponentChild {
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  const upTo = limit === null ? '' : ` of at most ${duration(limit)}`;
  return h(
    'li',
    { key: id, class: 'now', 'aria-current': 'step' },
    '▶ ',
    h('bdi', null, id),
    ` (${type}${again}) ${duration(ms + sinceMs)}${upTo}`,
  );
}
