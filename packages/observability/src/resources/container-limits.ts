/**
 * How much memory and CPU the robot may use: what its control group (cgroup v2) and those above it allow, the least
 * of them; without such limits, the machine. For cgroup v1, Node.js knows the memory limit.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

export interface ContainerLimits {
  readonly memoryBytes: number;
  /** In cores; may be a fraction. */
  readonly cpuCores: number;
}

/** A file's text; null when it cannot be read. */
export type ReadText = (path: string) => string | null;

const cgroupRoot = '/sys/fs/cgroup';

export function containerLimits(readText: ReadText = readTextOf): ContainerLimits {
  const groups = ownGroups(readText('/proc/self/cgroup') ?? '');
  const constrained = process.constrainedMemory();
  const memory = groups.map((group) => limitIn(readText(join(group, 'memory.max'))));
  const cpu = groups.map((group) => coresIn(readText(join(group, 'cpu.max'))));
  return {
    memoryBytes: least([...memory, constrained > 0 ? constrained : null], totalmem()),
    cpuCores: least(cpu, availableParallelism()),
  };
}

/** The folders of the group of `/proc/self/cgroup` and of all above it. */
function ownGroups(cgroup: string): readonly string[] {
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (path === undefined) return [];
  const groups: string[] = [];
  for (let group = path; ; group = dirname(group)) {
    groups.push(join(cgroupRoot, group));
    if (group === '/' || group === '.') return groups;
  }
}

function limitIn(text: string | null): number | null {
  const bytes = Number(text?.trim());
  return text !== null && Number.isFinite(bytes) && bytes > 0 ? bytes : null;
}

/** `quota period`, both in microseconds; `max` as the quota means none. */
function coresIn(text: string | null): number | null {
  const [quota, period] = (text ?? '').trim().split(' ').map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : null;
}

function least(limits: readonly (number | null)[], otherwise: number): number {
  return Math.min(otherwise, ...limits.filter((limit) => limit !== null));
}

function readTextOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
