/** What a moment cost, and how it is worked out of two readings. */
import type { ContainerLimits } from './container-limits.ts';
import type { DiskSpace } from './disk-usage.ts';
import type { EventLoopUsage } from './event-loop.ts';
import type { ProcessUsage } from './process-usage.ts';

export interface ResourceSample {
  /** Wall-clock ms since the epoch. */
  readonly atMs: number;
  /** Since the sample before, 100 being one core in full; null in a first sample, which has none before it. */
  readonly cpuPercent: number | null;
  /** Resident memory of all processes of the robot; pages that they share count for each. */
  readonly memoryMb: number;
  /** Of `memoryLimitMb`. */
  readonly memoryPercent: number;
  /** The container's limit, else the machine's memory. */
  readonly memoryLimitMb: number;
  /** Cores that the container's limit leaves, else the machine's. */
  readonly cpuLimitCores: number;
  /** Processes that were measured. */
  readonly processes: number;
  /** Of the process that samples; null when too little time has passed to tell. */
  readonly eventLoop: EventLoopUsage | null;
  /** Room on the disk of the folder that was named; null when none was, or it cannot be told. */
  readonly disk: DiskSpace | null;
  /** Size of each store that was named, in MB. */
  readonly storesMb: Readonly<Record<string, number>>;
}

export interface Reading {
  readonly monotonic: number;
  readonly usage: ReadonlyMap<number, ProcessUsage>;
}

export interface Surroundings {
  readonly limits: ContainerLimits;
  readonly eventLoop: EventLoopUsage | null;
  readonly disk: DiskSpace | null;
  readonly storesMb: Readonly<Record<string, number>>;
}

const mebibyte = 1024 * 1024;

export function sampleOf(atMs: number, last: Reading | null, reading: Reading, around: Surroundings): ResourceSample {
  const memoryBytes = [...reading.usage.values()].reduce((sum, { memoryBytes: bytes }) => sum + bytes, 0);
  const { limits, eventLoop, disk, storesMb } = around;
  return {
    atMs,
    cpuPercent: last === null ? null : cpuPercent(last, reading),
    memoryMb: memoryBytes / mebibyte,
    memoryPercent: (memoryBytes / limits.memoryBytes) * 100,
    memoryLimitMb: limits.memoryBytes / mebibyte,
    cpuLimitCores: limits.cpuCores,
    processes: reading.usage.size,
    eventLoop,
    disk,
    storesMb,
  };
}

/** What a process used before it ended, after the sample before, is not known and not counted. */
function cpuPercent(last: Reading, reading: Reading): number | null {
  const elapsedMs = reading.monotonic - last.monotonic;
  if (elapsedMs <= 0) return null;
  let usedMs = 0;
  for (const [pid, { cpuTimeMs }] of reading.usage) {
    const before = last.usage.get(pid)?.cpuTimeMs ?? 0;
    // Less than before means that the pid has been given to a new process.
    usedMs += cpuTimeMs >= before ? cpuTimeMs - before : cpuTimeMs;
  }
  return (usedMs / elapsedMs) * 100;
}
