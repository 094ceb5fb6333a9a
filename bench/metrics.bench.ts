/**
 * What it costs to record a node, beside the histograms of prom-client and OpenTelemetry; what sampling the resources
 * costs; and whether a day and a million labels leave memory as it was.
 */
import { spawn } from 'node:child_process';
import { ValueType } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Histogram, Registry } from 'prom-client';
import { MetricsCollector } from '../packages/observability/src/metrics/metrics-collector.ts';
import { ResourceMonitor } from '../packages/observability/src/resources/resource-monitor.ts';
import { ManualClock } from '../packages/testing/src/manual-clock.ts';
import { printSettings } from './settings.ts';
import { type Candidate, measure, printFigures } from './side-by-side.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const SAMPLES = Number(process.env.BENCH_SAMPLES ?? 200);
const LABELS = 1_000_000;
const HOURS = 24;
const TYPES = Array.from({ length: 20 }, (_, n) => `NodeType${n}Node`);
/** An hour of samples is kept at the default interval of 5 s. */
const INTERVAL_MS = 5_000;

printSettings({ rounds: ROUNDS, 'node types': TYPES.length, 'resource samples': SAMPLES });

const job = new MetricsCollector().startJob('job-1', 'Bench');
const nodes = TYPES.map((nodeType) => ({ nodeId: 'node-1', nodeType, durationMs: 0, success: true, retryCount: 0 }));
const prometheus = new Histogram({
  name: 'node_duration_seconds',
  help: 'Duration of nodes.',
  labelNames: ['type'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300, 900, 3_600, 14_400],
  registers: [new Registry()],
});
const reader = new PeriodicExportingMetricReader({
  exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
  exportIntervalMillis: 3_600_000,
});
const meter = new MeterProvider({ readers: [reader] }).getMeter('bench');
const otel = meter.createHistogram('node.duration', { unit: 's', valueType: ValueType.DOUBLE });

function candidate(name: string, record: (type: number, durationMs: number) => void): Candidate {
  const run = async (calls: number): Promise<void> => {
    for (let n = 0; n < calls; n += 1) record(n % TYPES.length, (n % 997) + 0.5);
  };
  return { name, run };
}

const figures = await measure(
  [
    candidate('@casare/observability, recordNode', (type, durationMs) => {
      const node = nodes[type];
      if (node !== undefined) job.recordNode({ ...node, durationMs });
    }),
    candidate('prom-client, histogram alone', (type, durationMs) => {
      prometheus.observe({ type: TYPES[type] ?? '' }, durationMs / 1_000);
    }),
    candidate('OpenTelemetry, histogram alone', (type, durationMs) => {
      otel.record(durationMs / 1_000, { type: TYPES[type] ?? '' });
    }),
  ],
  ROUNDS,
);
printFigures('to record a node', figures);

await sampling();
await flatness();
process.exit();

async function sampling(): Promise<void> {
  const idle = Array.from({ length: 10 }, () =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' }),
  );
  const clock = new ManualClock();
  let sampled: () => void = () => undefined;
  const monitor = new ResourceMonitor({
    clock,
    intervalMs: INTERVAL_MS,
    ownsJob: () => false,
    folder: '/',
    onSample: () => sampled(),
  });
  await monitor.start();
  const sample = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    sampled = resolve;
    await clock.advance(INTERVAL_MS);
    await promise;
  };
  for (let n = 0; n < 10; n += 1) await sample();
  const before = process.cpuUsage();
  for (let n = 0; n < SAMPLES; n += 1) await sample();
  const { user, system } = process.cpuUsage(before);
  const perSampleMs = (user + system) / 1_000 / SAMPLES;
  const share = (perSampleMs / INTERVAL_MS) * 100;
  await monitor.stop();
  for (const child of idle) child.kill('SIGKILL');
  console.log(`\nto sample ${monitor.current?.processes} processes of this tree: ${perSampleMs.toFixed(2)} ms of CPU`);
  const watch = await watching();
  console.log(`  every 5 s: ${share.toFixed(3)} % of one core`);
  console.log(`  watching the event loop meanwhile: ${watch.toFixed(3)} % more`);
  console.log(`  together: ${(share + watch).toFixed(3)} % (goal: under 0.2 %)`);
}

/** What the watch over the event loop adds, between the samples, in percent of a core. */
async function watching(): Promise<number> {
  const seconds = 10;
  const idleFor = async (): Promise<number> => {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const { user, system } = process.cpuUsage(before);
    return ((user + system) / (seconds * 1e6)) * 100;
  };
  const without = await idleFor();
  const monitor = new ResourceMonitor({ clock: new ManualClock() });
  await monitor.start();
  const withWatch = await idleFor();
  await monitor.stop();
  return Math.max(0, withWatch - without);
}

async function flatness(): Promise<void> {
  const clock = new ManualClock();
  const resourceMonitor = new ResourceMonitor({
    clock,
    readTree: () => [1],
    readUsage: async () => new Map([[1, { cpuTimeMs: 0, memoryBytes: 1 }]]),
  });
  const metrics = new MetricsCollector({ clock, resourceMonitor });
  await metrics.startResourceMonitoring();
  const heapMb = (): number => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  console.log(
    `\n${LABELS.toLocaleString('en')} node types, error codes and jobs over ${HOURS} simulated hours: heap in MB`,
  );
  for (let hour = 0; hour <= HOURS; hour += 1) {
    if (hour % 6 === 0 || hour === 1) console.log(`  after ${String(hour).padStart(2)} h  ${heapMb().toFixed(1)}`);
    if (hour === HOURS) break;
    for (let n = 0; n < LABELS / HOURS; n += 1) {
      const label = `${hour}-${n}`;
      const one = metrics.startJob(label, `Flow ${label}`.padEnd(300, '.'));
      one.recordNode({
        nodeId: label,
        nodeType: `Type ${label}`.padEnd(300, '.'),
        durationMs: n,
        success: false,
        errorCode: `E ${label}`,
      });
      one.endJob({ success: false, errorCode: `J ${label}`, errorMessage: 'm'.repeat(2_000) });
    }
    await clock.advance(3_600_000);
  }
  await metrics.stopResourceMonitoring();
}
