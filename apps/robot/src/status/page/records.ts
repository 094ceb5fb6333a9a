/** What has happened: node percentiles, jobs that ended, errors, the audit log. */
import { type ComponentChild, h } from 'preact';
import { clockTime, duration, shortId } from './format.ts';
import type { AuditRow, EndedJob, NodeType } from './shapes.ts';

export function NodeTypes({ types }: { readonly types: readonly NodeType[] }): ComponentChild {
  const time = (ms: number | null): string => (ms === null ? '–' : duration(ms));
  return table({
    title: 'Nodes by type',
    empty: 'No node has run yet.',
    columns: ['Type', 'Runs', 'Failures', 'Retries', 'p50', 'p95', 'p99', 'Longest'],
    rows: types.map((node) => [
      node.type,
      node.executions,
      node.failures,
      node.retries,
      time(node.p50_ms),
      time(node.p95_ms),
      time(node.p99_ms),
      time(node.max_ms),
    ]),
  });
}

export function RecentJobs({ jobs }: { readonly jobs: readonly EndedJob[] }): ComponentChild {
  return table({
    title: 'Jobs that ended last',
    empty: 'No job has ended yet.',
    columns: ['Job', 'Id', 'Outcome', 'Ended', 'Took', 'Nodes'],
    rows: jobs.map((job) => [
      h('bdi', null, job.name),
      shortId(job.job_id),
      h('span', { class: `outcome ${job.status}` }, job.status),
      clockTime(job.ended_at),
      duration(job.duration_ms),
      job.nodes_executed,
    ]),
  });
}

export function Errors({ jobs }: { readonly jobs: readonly EndedJob[] }): ComponentChild {
  const failed = jobs.filter(({ error }) => error !== null);
  return h(
    'section',
    { 'aria-labelledby': 'errors-title' },
    h('h2', { id: 'errors-title' }, 'Recent errors'),
    failed.length === 0
      ? h('p', { class: 'quiet' }, 'None.')
      : h(
          'ul',
          { class: 'errors' },
          failed.map((job) => failure(job)),
        ),
  );
}

function failure({
  job_id: jobId,
  name,
  ended_at: at,
  error,
  has_screenshot: hasScreenshot,
}: EndedJob): ComponentChild {
  const picture = `/jobs/${encodeURIComponent(jobId)}/screenshot`;
  return h(
    'li',
    { key: jobId + at, class: 'card' },
    h('strong', null, h('bdi', null, name), ` (${shortId(jobId)})`),
    h('p', null, `${clockTime(at)}: ${error?.code ?? ''}${error?.node_id == null ? '' : ` at node ${error.node_id}`}`),
    h('p', { dir: 'auto' }, error?.message ?? ''),
    hasScreenshot
      ? h(
          'a',
          { href: picture },
          h('img', { src: picture, alt: `The page that ${name} had open when it failed`, loading: 'lazy' }),
        )
      : null,
  );
}

export function Audit({ entries }: { readonly entries: readonly AuditRow[] }): ComponentChild {
  return table({
    title: 'Audit log',
    empty: 'Nothing is recorded.',
    columns: ['Time', 'Event', 'Message', 'Job', 'Node'],
    rows: entries.map((entry) => [
      clockTime(entry.at),
      h('span', { class: `severity ${entry.severity}` }, entry.type),
      h('bdi', null, entry.message),
      entry.job_id === null ? '' : shortId(entry.job_id),
      h('bdi', null, entry.node_id ?? ''),
    ]),
  });
}

interface TableProps {
  readonly title: string;
  readonly empty: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChild[])[];
}

/** Wide tables scroll on a phone, also by keyboard. */
function table({ title, empty, columns, rows }: TableProps): ComponentChild {
  const id = `${title.toLowerCase().replaceAll(' ', '-')}-title`;
  return h(
    'section',
    { 'aria-labelledby': id },
    h('h2', { id }, title),
    rows.length === 0
      ? h('p', { class: 'quiet' }, empty)
      : h(
          'div',
          { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `Table: ${title}` },
          h(
            'table',
            null,
            h(
              'thead',
              null,
              h(
                'tr',
                null,
                columns.map((column) => h('th', { key: column, scope: 'col' }, column)),
              ),
            ),
            h(
              'tbody',
              null,
              rows.map((cells, row) =>
                h(
                  'tr',
                  { key: row },
                  cells.map((cell, at) =>
                    at === 0 ? h('th', { key: at, scope: 'row' }, cell) : h('td', { key: at }, cell),
                  ),
                ),
              ),
            ),
          ),
        ),
  );
}
