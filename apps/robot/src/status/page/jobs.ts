/** The jobs that run, node by node, and those that wait. */
import { type ComponentChild, h } from 'preact';
import type { ActionRequest } from './actions.ts';
import { duration, shortId } from './format.ts';
import type { JobNow, NodeNow, NodeThen, Status } from './shapes.ts';

export interface JobsProps {
  readonly status: Status;
  /** Ms since the status was heard: durations go on meanwhile. */
  readonly sinceMs: number;
  readonly onAsk: (request: ActionRequest) => void;
}

export function Jobs({ status, sinceMs, onAsk }: JobsProps): ComponentChild {
  const { running, queued, in_doubt: inDoubt, max_concurrent_jobs: limit } = status;
  return h(
    'section',
    { 'aria-labelledby': 'jobs-title' },
    h('h2', { id: 'jobs-title' }, `Running jobs (${running.length} of up to ${limit ?? '?'})`),
    running.length === 0
      ? h('p', { class: 'quiet' }, 'No job runs now.')
      : h(
          'ul',
          { class: 'jobs' },
          running.map((job) => h(Job, { key: job.job_id, job, sinceMs, onAsk })),
        ),
    h('p', null, `Queue: ${queued.length} waiting${queued.length === 0 ? '' : ` (${queued.map(shortId).join(', ')})`}`),
    inDoubt.length === 0
      ? null
      : h('p', { class: 'problem' }, `In doubt, waiting for an answer: ${inDoubt.map(shortId).join(', ')}`),
  );
}

interface JobProps {
  readonly job: JobNow;
  readonly sinceMs: number;
  readonly onAsk: (request: ActionRequest) => void;
}

function Job({ job, sinceMs, onAsk }: JobProps): ComponentChild {
  const { job_id: jobId, name, percent, nodes_completed: done, nodes_total: total } = job;
  const cancel = (): void =>
    onAsk({
      action: 'cancel',
      args: { job_id: jobId },
      question: `Cancel the job “${name}” (${shortId(jobId)})?`,
      confirm: 'Cancel the job',
      text: { name: 'reason', label: 'Reason (shown with the job)' },
    });
  return h(
    'li',
    { class: 'card' },
    h(
      'div',
      { class: 'row' },
      h('h3', null, name),
      h('button', { type: 'button', 'aria-label': `Cancel job ${name}`, onClick: cancel }, 'Cancel'),
    ),
    h('progress', { max: 100, value: percent ?? 0, 'aria-label': `Progress of ${name}` }),
    h(
      'p',
      { class: 'quiet' },
      `${percent ?? 0} %, ${done} of ${total} nodes, running for ${duration(job.running_ms + sinceMs)}, id ${shortId(jobId)}`,
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
  { node_id: id, node_type: type, duration_ms: ms, success }: NodeThen,
  index: number,
): ComponentChild {
  return h(
    'li',
    { key: `${index}${id}`, class: success ? 'done' : 'failed' },
    `${success ? '✓' : '✗'} ${id} (${type}) ${duration(ms)}`,
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
    `▶ ${id} (${type}${again}) ${duration(ms + sinceMs)}${upTo}`,
  );
}
