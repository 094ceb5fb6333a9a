/** Charts as SVG, each with its figures in words for those who do not see it. */
import { type ComponentChild, h } from 'preact';
import { megabytes } from './format.ts';
import type { Sample, Span } from './shapes.ts';

const width = 320;
const height = 80;
const hourMs = 3_600_000;
const hours = 24;

interface LineProps {
  readonly title: string;
  readonly points: readonly (readonly [at: number, value: number])[];
  readonly show: (value: number) => string;
  /** The least upper end of the scale. */
  readonly least: number;
}

export function ResourceCharts({ samples }: { readonly samples: readonly Sample[] }): ComponentChild {
  const cpu = samples.flatMap(({ at, cpu_percent: value }) => (value === null ? [] : [[at, value] as const]));
  const memory = samples.map(({ at, memory_mb: value }) => [at, value] as const);
  const percent = (value: number): string => `${Math.round(value)} %`;
  return h(
    'div',
    { class: 'charts' },
    h(LineChart, { title: 'CPU (100 % is one core)', points: cpu, show: percent, least: 100 }),
    h(LineChart, { title: 'Memory', points: memory, show: megabytes, least: 64 }),
  );
}

function LineChart({ title, points, show, least }: LineProps): ComponentChild {
  const last = points.at(-1);
  if (last === undefined) return h('figure', null, h('figcaption', null, `${title}: no samples yet`));
  const highest = Math.max(...points.map(([, value]) => value));
  const top = Math.max(least, highest);
  const from = points[0]?.[0] ?? last[0];
  const span = Math.max(1, last[0] - from);
  const path = points
    .map(
      ([at, value]) => `${(((at - from) / span) * width).toFixed(1)},${(height - (value / top) * height).toFixed(1)}`,
    )
    .join(' ');
  const words = `${title}: now ${show(last[1])}, highest of the last hour ${show(highest)}`;
  return h(
    'figure',
    null,
    h('figcaption', null, words),
    h(
      'svg',
      { viewBox: `0 -2 ${width} ${height + 4}`, role: 'img', 'aria-label': words, preserveAspectRatio: 'none' },
      h('polyline', { points: path, class: 'line' }),
    ),
  );
}

/** A bar for each of the last 24 hours. */
export function JobChart({
  timeline,
  now,
}: {
  readonly timeline: readonly Span[];
  readonly now: number;
}): ComponentChild {
  const end = Math.ceil(now / hourMs) * hourMs;
  const bars = Array.from({ length: hours }, (_, index) => {
    const from = end - (hours - index) * hourMs;
    const within = timeline.filter(({ at }) => at >= from && at < from + hourMs);
    const sum = (pick: (span: Span) => number): number => within.reduce((total, span) => total + pick(span), 0);
    return { completed: sum((s) => s.completed), failed: sum((s) => s.failed), cancelled: sum((s) => s.cancelled) };
  });
  const top = Math.max(1, ...bars.map(({ completed, failed, cancelled }) => completed + failed + cancelled));
  const total = (pick: (bar: (typeof bars)[number]) => number): number => bars.reduce((sum, bar) => sum + pick(bar), 0);
  const words = `Jobs of the last 24 hours: ${total((b) => b.completed)} completed, ${total((b) => b.failed)} failed, ${total((b) => b.cancelled)} cancelled`;
  const barWidth = width / hours;
  const blocks = bars.flatMap((bar, index) => {
    let y = height;
    return (['completed', 'cancelled', 'failed'] as const).map((kind) => {
      const size = (bar[kind] / top) * height;
      y -= size;
      return h('rect', {
        key: `${index}${kind}`,
        class: kind,
        x: index * barWidth + 1,
        y,
        width: barWidth - 2,
        height: size,
      });
    });
  });
  return h(
    'figure',
    null,
    h('figcaption', null, words),
    h(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words, preserveAspectRatio: 'none' },
      blocks,
    ),
  );
}
