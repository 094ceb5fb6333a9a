/**
 * Metrics as Prometheus reads them (text format 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats/). Pure.
 */
import * as must from '../arguments.ts';
import { DurationHistogram } from '../metrics/duration-histogram.ts';
import type { MetricFamily, MetricPoint } from './metric-family.ts';
import { labelName, prometheusName } from './metric-names.ts';

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Upper bounds in seconds: OpenTelemetry's for durations, with some for jobs that take minutes and hours. */
export const durationBoundsSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300, 900, 3_600, 14_400,
];
const boundsMs = durationBoundsSeconds.map((bound) => bound * 1_000);

/**
 * Families without a value are left out.
 *
 * @throws ArgumentError for what is no list of families
 * @example
 * const text = prometheusText(collectorFamilies(metrics.series()));
 */
export function prometheusText(families: readonly MetricFamily[]): string {
  requireFamilies('families', families);
  return families.map(familyText).join('');
}

const requireValue: must.Check = (argument, value) =>
  typeof value === 'number' ||
  value instanceof DurationHistogram ||
  must.refuse(argument, 'a number or a DurationHistogram', value);
const requireFamilies = must.listOf(
  must.shape({
    descriptor: must.shape({
      name: must.text,
      kind: must.text,
      unit: must.text,
      description: must.text,
      attributes: must.listOf(must.text),
    }),
    points: must.listOf(must.shape({ attributes: must.listOf(must.text), value: requireValue })),
  }),
);

function familyText({ descriptor, points }: MetricFamily): string {
  if (points.length === 0) return '';
  const name = prometheusName(descriptor);
  const head = `# HELP ${name} ${escapeHelp(descriptor.description)}\n# TYPE ${name} ${descriptor.kind}\n`;
  return head + points.map((point) => pointText(name, descriptor.attributes, point)).join('');
}

function pointText(name: string, names: readonly string[], { attributes, value }: MetricPoint): string {
  const labels = names.map((attribute, index) => `${labelName(attribute)}="${escapeLabel(attributes[index] ?? '')}"`);
  if (!(value instanceof DurationHistogram)) return `${name}${braces(labels)} ${numberText(value)}\n`;
  const counts = value.countsUpTo(boundsMs);
  const buckets = counts.map((count, index) => bucketText(name, labels, String(durationBoundsSeconds[index]), count));
  return [
    ...buckets,
    bucketText(name, labels, '+Inf', value.count),
    `${name}_sum${braces(labels)} ${numberText(value.totalMs / 1_000)}\n`,
    `${name}_count${braces(labels)} ${value.count}\n`,
  ].join('');
}

function bucketText(name: string, labels: readonly string[], bound: string, count: number): string {
  return `${name}_bucket${braces([...labels, `le="${bound}"`])} ${count}\n`;
}

function braces(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** Other control characters are legal but no text: they become spaces, so that no reader stumbles over them. */
function escapeLabel(text: string): string {
  const line = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be replaced
  return line.toWellFormed().replace(/[\u0000-\u001f\u007f]/g, ' ');
}
