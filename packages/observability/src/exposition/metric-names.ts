/**
 * The names of all metrics: the one table that every exporter shares. They follow OpenTelemetry's semantic conventions
 * (`process.*`, `nodejs.*`, `system.*` where these have a name for the thing; `casare.*` for what is the robot's own),
 * with units of UCUM, and are part of the public interface: a name is never changed or given another meaning.
 * `docs/metrics.md` shows the same table to people.
 */

import * as must from '../arguments.ts';

export interface MetricDescriptor {
  /** In OpenTelemetry's form. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** `s`, `By`, `1` (a share) or a thing that is counted, in braces. */
  readonly unit: string;
  readonly description: string;
  /** Attributes in OpenTelemetry's form. */
  readonly attributes: readonly string[];
}

/** By these names the code speaks of them. */
export type MetricKey =
  | 'jobDuration'
  | 'jobQueueDuration'
  | 'jobActive'
  | 'jobQueued'
  | 'jobInDoubt'
  | 'jobLimit'
  | 'jobInterruptions'
  | 'nodeDuration'
  | 'nodeFailures'
  | 'nodeRetries'
  | 'errors'
  | 'dropped'
  | 'robotState'
  | 'robotReady'
  | 'contactAge'
  | 'breakerState'
  | 'breakerFailures'
  | 'outboxEntries'
  | 'outboxLost'
  | 'storeSize'
  | 'processUptime'
  | 'processCpu'
  | 'processMemory'
  | 'processCount'
  | 'memoryLimit'
  | 'cpuLimit'
  | 'eventLoopP50'
  | 'eventLoopP99'
  | 'eventLoopMax'
  | 'eventLoopUtilization'
  | 'diskUsage';

type Row = readonly [
  name: string,
  kind: MetricDescriptor['kind'],
  unit: string,
  description: string,
  ...attributes: string[],
];

const table: Readonly<Record<MetricKey, Row>> = {
  jobDuration: ['casare.job.duration', 'histogram', 's', 'Duration of jobs that ended for good.', 'casare.job.outcome'],
  jobQueueDuration: [
    'casare.job.queue.duration',
    'histogram',
    's',
    'Time that jobs waited on this robot before they began.',
  ],
  jobActive: ['casare.job.active', 'gauge', '{job}', 'Jobs that run now.'],
  jobQueued: ['casare.job.queued', 'gauge', '{job}', 'Jobs that wait on this robot for a free slot.'],
  jobInDoubt: ['casare.job.in_doubt', 'gauge', '{job}', "Jobs that wait for an operator's answer."],
  jobLimit: ['casare.job.limit', 'gauge', '{job}', 'Jobs that may run at the same time.'],
  jobInterruptions: [
    'casare.job.interruptions',
    'counter',
    '{run}',
    'Runs that ended in doubt or suspended by a stop; not those that the death of the robot cut off.',
  ],
  nodeDuration: ['casare.node.duration', 'histogram', 's', 'Duration of node executions.', 'casare.node.type'],
  nodeFailures: ['casare.node.failures', 'counter', '{execution}', 'Node executions that failed.', 'casare.node.type'],
  nodeRetries: ['casare.node.retries', 'counter', '{try}', 'Tries of nodes after the first.', 'casare.node.type'],
  errors: ['casare.errors', 'counter', '{error}', 'Failures of jobs and nodes.', 'error.type', 'casare.error.scope'],
  dropped: ['casare.metrics.dropped', 'counter', '{record}', 'Records that were not kept in full.', 'casare.reason'],
  robotState: ['casare.robot.state', 'gauge', '{robot}', 'State of the robot: 1 for the one it is in.', 'casare.state'],
  robotReady: ['casare.robot.ready', 'gauge', '{robot}', '1 when the robot can take and run jobs, else 0.'],
  contactAge: ['casare.server.contact.age', 'gauge', 's', 'Time since the last turn with the server that succeeded.'],
  breakerState: [
    'casare.circuit_breaker.state',
    'gauge',
    '{breaker}',
    'Circuit breaker: 1 for the state it is in.',
    'casare.state',
  ],
  breakerFailures: [
    'casare.connection.failures',
    'counter',
    '{failure}',
    'Requests that failed in a way that speaks against the server.',
  ],
  outboxEntries: ['casare.outbox.entries', 'gauge', '{entry}', 'Entries of the outbox.', 'casare.state'],
  outboxLost: [
    'casare.outbox.lost',
    'counter',
    '{entry}',
    'Entries that the outbox dropped or refused.',
    'casare.reason',
  ],
  storeSize: ['casare.store.size', 'gauge', 'By', "Size of the robot's own files.", 'casare.store.name'],
  processUptime: ['process.uptime', 'gauge', 's', 'Time since the process began to count.'],
  processCpu: ['process.cpu.utilization', 'gauge', '1', "CPU use of all the robot's processes; 1 is one core in full."],
  processMemory: ['process.memory.usage', 'gauge', 'By', "Resident memory of all the robot's processes."],
  processCount: ['casare.process.count', 'gauge', '{process}', 'Processes of the robot, with browsers and programs.'],
  memoryLimit: ['casare.memory.limit', 'gauge', 'By', "The container's memory limit, else the machine's memory."],
  cpuLimit: ['casare.cpu.limit', 'gauge', '{cpu}', "The container's limit in cores, else the machine's cores."],
  eventLoopP50: ['nodejs.eventloop.delay.p50', 'gauge', 's', 'Median delay of the event loop since the last sample.'],
  eventLoopP99: ['nodejs.eventloop.delay.p99', 'gauge', 's', '99th percentile of the same.'],
  eventLoopMax: ['nodejs.eventloop.delay.max', 'gauge', 's', 'Longest of the same.'],
  eventLoopUtilization: [
    'nodejs.eventloop.utilization',
    'gauge',
    '1',
    'Share of the time that the event loop was busy.',
  ],
  diskUsage: ['system.filesystem.usage', 'gauge', 'By', "Disk of the robot's home.", 'system.filesystem.state'],
};

/** All metrics, by the name that the code has for them. */
export const metricTable: Readonly<Record<MetricKey, MetricDescriptor>> = Object.fromEntries(
  Object.entries(table).map(([key, [name, kind, unit, description, ...attributes]]) => [
    key,
    { name, kind, unit, description, attributes } satisfies MetricDescriptor,
  ]),
) as unknown as Record<MetricKey, MetricDescriptor>;

const unitSuffixes: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' };

/** A name by the rules that OpenTelemetry has for Prometheus: `casare.job.duration` in `s` is `casare_job_duration_seconds`. */
export function prometheusName(descriptor: MetricDescriptor): string {
  requireDescriptor('descriptor', descriptor);
  const { name, kind, unit } = descriptor;
  return `${labelName(name)}${unitSuffixes[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;
}

const requireDescriptor = must.shape({ name: must.text, kind: must.text, unit: must.text });

/** `casare.node.type` -> `casare_node_type`. */
export function labelName(attribute: string): string {
  return attribute.replace(/[^a-zA-Z0-9_]/g, '_');
}
