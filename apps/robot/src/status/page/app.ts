/** The page: what the robot is at now, kept up to date by its stream, and what a person can ask of it. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ActionDialog, type ActionRequest } from './actions.ts';
import { JobChart, ResourceCharts } from './charts.ts';
import { clockTime, duration, megabytes, shortId } from './format.ts';
import { Jobs } from './jobs.ts';
import { listen } from './live.ts';
import { Audit, Errors, NodeTypes, RecentJobs } from './records.ts';
import type { Details, Status } from './shapes.ts';

export function App(): ComponentChild {
  const [status, setStatus] = useState<{ readonly told: Status; readonly heardAt: number } | null>(null);
  const [details, setDetails] = useState<Details | null>(null);
  const [isLinked, setLinked] = useState(false);
  const [asked, setAsked] = useState<ActionRequest | null>(null);
  const [done, setDone] = useState('');
  const [now, setNow] = useState(() => performance.now());
  useEffect(
    () =>
      listen({
        onStatus: (told) => setStatus({ told, heardAt: performance.now() }),
        onDetails: setDetails,
        onLink: setLinked,
      }),
    [],
  );
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (status === null) return h('main', null, h('p', { role: 'status' }, 'Asking the robot…'));
  const { told, heardAt } = status;
  const sinceMs = isLinked ? Math.max(0, now - heardAt) : 0;
  return h(
    'div',
    null,
    h(Announcement, { status: told, isLinked, done }),
    h(Heading, { status: told, isLinked, done, onAsk: setAsked }),
    h(
      'main',
      null,
      h(Jobs, { status: told, sinceMs, onAsk: setAsked }),
      h(Surroundings, { status: told }),
      details === null ? null : h(Records, { details, now: Date.parse(told.at) }),
    ),
    asked === null
      ? null
      : h(ActionDialog, {
          request: asked,
          onClose: (what) => {
            setAsked(null);
            // The job that was asked about has ended, and its button with it.
            if (document.activeElement === document.body) document.getElementById('jobs-title')?.focus();
            if (what !== null) setDone(`Done: ${what}`);
          },
        }),
  );
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Why it is not ready, and what else an operator has to look after. */
function problemsOf({ reasons, audit_problem: audit, log_problem: log, incidents }: Status): readonly Problem[] {
  return [
    ...reasons,
    ...(audit === null
      ? []
      : [
          {
            code: 'AUDIT',
            message: `The audit log is not as it was written: ${audit} (see casare-robot audit verify)`,
          },
        ]),
    ...(log === null ? [] : [{ code: 'LOG', message: `The log cannot be written: ${log}` }]),
    ...incidents.map(({ kind, at, job_id: jobId, detail }) => ({
      code: `INCIDENT ${at}`,
      message: `The local store: ${kind} at ${new Date(at).toLocaleString()}${jobId === null ? '' : `, job ${shortId(jobId)}`}: ${detail}`,
    })),
  ];
}

/** What the state does not tell: that somebody is waited for. */
function waitsText({ waiting }: Status): string {
  if (waiting.length === 0) return '';
  return waiting.length === 1 ? ', 1 job waits for an answer' : `, ${waiting.length} jobs wait for an answer`;
}

interface AnnouncementProps {
  readonly status: Status;
  readonly isLinked: boolean;
  readonly done: string;
}

/**
 * What a screen reader is told when it changes: what was done, the state, and its reasons as they read when they came
 * up. They count seconds, and would be read again and again.
 */
function Announcement({ status, isLinked, done }: AnnouncementProps): ComponentChild {
  const problems = problemsOf(status);
  const state = isLinked ? `${status.state}${waitsText(status)}` : 'not reachable';
  const codes = problems.map(({ code }) => code).join();
  const words = useMemo(
    () => [`The robot is ${state}`, ...problems.map(({ message }) => message)].join('. '),
    [state, codes],
  );
  return h('div', { role: 'status', class: 'unseen' }, done === '' ? words : `${done}. ${words}`);
}

interface HeadingProps {
  readonly status: Status;
  readonly isLinked: boolean;
  readonly done: string;
  readonly onAsk: (request: ActionRequest) => void;
}

function Heading({ status, isLinked, done, onAsk }: HeadingProps): ComponentChild {
  const { name, state, paused } = status;
  const look = (state === 'idle' || state === 'busy') && status.waiting.length > 0 ? 'waits' : state;
  const problems = problemsOf(status);
  const pause: ActionRequest = {
    action: 'pause',
    args: {},
    question: ['Pause ', h('bdi', null, name), '? Running jobs go on.'],
    confirm: 'Pause the robot',
    text: { name: 'note', label: 'Note (shown with the status)', maxLength: 500 },
  };
  const resume: ActionRequest = {
    action: 'resume',
    args: {},
    question: ['Let ', h('bdi', null, name), ' take jobs again?'],
    confirm: 'Resume the robot',
  };
  return h(
    'header',
    null,
    h(
      'div',
      { class: 'row' },
      h('h1', { dir: 'auto' }, name),
      h(
        'div',
        { class: 'row' },
        h(
          'button',
          { type: 'button', onClick: () => onAsk(paused === null ? pause : resume) },
          paused === null ? 'Pause' : 'Resume',
        ),
      ),
    ),
    h(
      'p',
      null,
      h('strong', { class: `state ${isLinked ? look : 'offline'}` }, isLinked ? state : 'not reachable'),
      h('span', { class: 'waits' }, isLinked ? waitsText(status) : ''),
      ` ${done}`,
    ),
    isLinked ? null : h('p', { class: 'problem' }, 'The robot does not answer; what is shown is what it said last.'),
    problems.length === 0
      ? null
      : h(
          'ul',
          { class: 'problem', 'aria-label': 'Problems' },
          problems.map(({ code, message }) => h('li', { key: code + message }, message)),
        ),
    paused?.note == null ? null : h('p', { dir: 'auto' }, `Note: ${paused.note}`),
    h('p', { class: 'quiet' }, `version ${status.version}, up ${duration(status.uptime_ms)}, id ${status.robot_id}`),
  );
}

function Surroundings({ status }: { readonly status: Status }): ComponentChild {
  const { connection, outbox, resources } = status;
  const breaker = connection?.breaker;
  const retry = connection?.next_attempt_ms == null ? '' : `, next try in ${duration(connection.next_attempt_ms)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['Connection', connection === null ? 'none' : `${connection.state.toLowerCase()}${retry}`],
    ['Server', connection?.url ?? 'none'],
    [
      'Circuit breaker',
      breaker === undefined
        ? 'none'
        : `${breaker.state.toLowerCase()}${breaker.remaining_ms === null ? '' : `, ${duration(breaker.remaining_ms)} left`}`,
    ],
    [
      'Outbox',
      `${outbox.pending} to send${outbox.oldest_at === null ? '' : `, since ${clockTime(outbox.oldest_at)}`}${outbox.dead_letters === 0 ? '' : `, ${outbox.dead_letters} refused`}`,
    ],
    ...(resources === null
      ? []
      : ([
          ['CPU', resources.cpu_percent === null ? 'not known yet' : `${Math.round(resources.cpu_percent)} %`],
          [
            'Memory',
            `${megabytes(resources.memory_mb)} (${Math.round(resources.memory_percent)} %), ${resources.processes} processes`,
          ],
          ['Disk', resources.disk_free_mb === null ? 'not known' : `${megabytes(resources.disk_free_mb)} free`],
          [
            'Event loop',
            resources.event_loop_p99_ms === null
              ? 'not known yet'
              : `${Math.round(resources.event_loop_p99_ms)} ms late at most, in 99 of 100`,
          ],
        ] as const)),
  ];
  return h(
    'section',
    { 'aria-labelledby': 'facts-title' },
    h('h2', { id: 'facts-title' }, 'Connection and resources'),
    h(
      'dl',
      null,
      facts.map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))),
    ),
    connection?.last_error == null ? null : h('p', { class: 'problem' }, connection.last_error),
  );
}

function Records({ details, now }: { readonly details: Details; readonly now: number }): ComponentChild {
  const { summary, timeline, resources, node_types: types, recent_jobs: jobs, audit } = details;
  return h(
    'div',
    { class: 'records' },
    h(
      'section',
      { 'aria-labelledby': 'charts-title' },
      h('h2', { id: 'charts-title' }, 'History'),
      summary === null
        ? null
        : h(
            'p',
            { class: 'quiet' },
            `${summary.total_jobs} jobs since ${new Date(summary.since).toLocaleString()}: ${summary.successful_jobs} completed, ${summary.failed_jobs} failed, ${summary.cancelled_jobs} cancelled`,
          ),
      h(JobChart, { timeline, now }),
      h(ResourceCharts, { samples: resources }),
    ),
    h(Errors, { jobs }),
    h(RecentJobs, { jobs }),
    h(NodeTypes, { types }),
    h(Audit, { entries: audit }),
  );
}
