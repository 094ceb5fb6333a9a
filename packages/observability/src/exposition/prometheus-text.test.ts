import { readFileSync } from 'node:fs';
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { MetricsCollector } from '../metrics/metrics-collector.ts';
import { ResourceMonitor } from '../resources/resource-monitor.ts';
import { collectorFamilies } from './collector-families.ts';
import { family } from './metric-family.ts';
import { metricTable, prometheusName } from './metric-names.ts';
import { prometheusText } from './prometheus-text.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the format as its specification has it; throws for what is not of it. */
function read(text: string): { readonly types: ReadonlyMap<string, string>; readonly samples: readonly Sample[] } {
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const meta = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (meta !== null) {
      if (meta[1] === 'TYPE') {
        expect(types.has(meta[2] ?? ''), line).toBe(false);
        types.set(meta[2] ?? '', meta[3] ?? '');
      }
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line);
    if (sample === null) throw new Error(`no sample: ${JSON.stringify(line)}`);
    const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\[\\"n])*)"/g)];
    const plain = (value: string): string => value.replace(/\\(.)/g, (_all, c: string) => (c === 'n' ? '\n' : c));
    samples.push({
      name: sample[1] ?? '',
      labels: Object.fromEntries(labels.map(([, key, value]) => [key ?? '', plain(value ?? '')])),
      value: Number(sample[3]?.replace('+Inf', 'Infinity')),
    });
  }
  return { types, samples };
}

async function filled(): Promise<MetricsCollector> {
  const clock = new ManualClock();
  const resourceMonitor = new ResourceMonitor({
    clock,
    readTree: () => [1],
    readUsage: async () => new Map([[1, { cpuTimeMs: clock.monotonic() / 2, memoryBytes: 1_048_576 }]]),
    folder: '/',
    readDisk: async () => ({ freeMb: 10, totalMb: 100 }),
    limits: () => ({ memoryBytes: 4_194_304, cpuCores: 2 }),
  });
  const metrics = new MetricsCollector({ clock, resourceMonitor });
  await metrics.startResourceMonitoring();
  await clock.advance(5_000);
  await metrics.stopResourceMonitoring();
  const job = metrics.startJob('job-1', 'Flow', { queueWaitMs: 20 });
  for (const durationMs of [1, 50, 700, 1e9]) {
    job.recordNode({
      nodeId: 'n',
      // One label, as it is shown: a series that came twice would spoil all of them.
      nodeType: durationMs > 1 ? 'Evil"\\\nNode\u0007' : 'Evil"\\\nNode\u0001',
      durationMs,
      success: durationMs > 1,
      errorCode: 'E"1',
    });
  }
  await clock.advance(2_000);
  job.endJob({ success: false, errorCode: 'E"1' });
  return metrics;
}

describe('the text for Prometheus', () => {
  it('is valid, with cumulative buckets and escaped labels', async () => {
    const { types, samples } = read(prometheusText(collectorFamilies((await filled()).series())));
    const baseOf = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
    for (const { name } of samples) expect(types.has(name) || types.get(baseOf(name)) === 'histogram', name).toBe(true);
    const unique = samples.map(({ name, labels }) => name + JSON.stringify(labels));
    expect(new Set(unique).size).toBe(unique.length);
    const node = samples.filter(({ name }) => name.startsWith('casare_node_duration_seconds'));
    const buckets = node.filter(({ name }) => name.endsWith('_bucket'));
    const counts = buckets.map(({ value }) => value);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 4 });
    const upTo = (le: string): number | undefined => buckets.find(({ labels }) => labels.le === le)?.value;
    expect([upTo('0.005'), upTo('0.05'), upTo('0.5'), upTo('0.75'), upTo('14400')]).toEqual([1, 2, 2, 3, 3]);
    expect(node.find(({ name }) => name.endsWith('_count'))?.value).toBe(4);
    expect(node.find(({ name }) => name.endsWith('_sum'))?.value).toBeCloseTo(1_000_000.751);
    expect(node[0]?.labels.casare_node_type).toBe('Evil"\\\nNode ');
    const one = (name: string, labels = {}): number | undefined =>
      samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
    expect(one('casare_errors_total', { error_type: 'E"1', casare_error_scope: 'job' })).toBe(1);
    expect(one('process_cpu_utilization_ratio')).toBe(0.5);
    expect(one('process_memory_usage_bytes')).toBe(1_048_576);
    expect(one('system_filesystem_usage_bytes', { system_filesystem_state: 'free' })).toBe(10_485_760);
    expect(one('casare_job_queue_duration_seconds_count')).toBe(1);
  });

  it('leaves out what is not known, and shows special numbers as the format has them', () => {
    expect(prometheusText([family('contactAge', [[null]])])).toBe('');
    const text = prometheusText([family('jobLimit', [[Number.POSITIVE_INFINITY]])]);
    expect(text).toBe(
      '# HELP casare_job_limit Jobs that may run at the same time.\n# TYPE casare_job_limit gauge\ncasare_job_limit +Inf\n',
    );
  });
});

describe('the names', () => {
  it('are the ones that the docs promise', () => {
    const docs = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = Object.values(metricTable).map((one) => {
      const attributes = one.attributes.map((attribute) => `\`${attribute}\``).join(', ');
      return `| \`${one.name}\` | \`${prometheusName(one)}\` | ${one.kind} | \`${one.unit}\` | ${attributes} | ${one.description} |`;
    });
    expect(docs.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows);
  });
});
