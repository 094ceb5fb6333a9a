/** SystemInfoNode: facts about the machine. */
import { statfs } from 'node:fs/promises';
import {
  arch,
  cpus,
  freemem,
  hostname,
  loadavg,
  networkInterfaces,
  platform,
  release,
  totalmem,
  uptime,
} from 'node:os';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { choice } from '../params/index.ts';
import type { JsonObject, NodeContext, NodeType } from '../ports.ts';

/** Between the two looks at the processors. */
const CPU_SAMPLE_MS = 100;

export const systemInfoNode: NodeType = defineNode({
  type: 'SystemInfoNode',
  category: 'system',
  description: 'Tells about operating system, processor, memory, disk and network.',
  params: z.object({ info_type: choice(['os', 'cpu', 'ram', 'disk', 'network', 'all'], 'all') }),
  outputs: ['info', 'os_name', 'cpu_percent', 'ram_percent', 'disk_percent'],
  outputsFrom: 'world',
  effect: () => 'pure',
  async run(ctx) {
    const parts = {
      os: osInfo(),
      cpu: await cpuInfo(ctx),
      ram: ramInfo(),
      disk: await diskInfo(ctx),
      network: networkInfo(),
    };
    const { info_type: wanted } = ctx.params;
    return {
      outputs: {
        info: wanted === 'all' ? parts : parts[wanted],
        os_name: platform(),
        cpu_percent: parts.cpu.percent,
        ram_percent: parts.ram.percent,
        disk_percent: parts.disk.percent,
      },
    };
  },
});

function osInfo(): JsonObject {
  return {
    name: platform(),
    release: release(),
    architecture: arch(),
    hostname: hostname(),
    uptime_seconds: Math.round(uptime()),
  };
}

async function cpuInfo({
  clock,
  signal,
}: Pick<NodeContext, 'clock' | 'signal'>): Promise<JsonObject & { percent: number }> {
  const before = cpuTimes();
  await clock.sleep(CPU_SAMPLE_MS, signal);
  const after = cpuTimes();
  const total = after.total - before.total;
  const busy = total - (after.idle - before.idle);
  const [model] = cpus();
  return { percent: percentOf(busy, total), count: cpus().length, model: model?.model ?? '', load_average: loadavg() };
}

function cpuTimes(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.idle + times.user + times.nice + times.sys + times.irq;
  }
  return { idle, total };
}

function ramInfo(): JsonObject & { percent: number } {
  const total = totalmem();
  const used = total - freemem();
  return { percent: percentOf(used, total), total_bytes: total, used_bytes: used, free_bytes: total - used };
}

async function diskInfo({ workDir }: Pick<NodeContext, 'workDir'>): Promise<JsonObject & { percent: number }> {
  const { blocks, bavail, bfree, bsize } = await statfs(workDir);
  const used = (blocks - bfree) * bsize;
  return {
    percent: percentOf(used, used + bavail * bsize),
    total_bytes: blocks * bsize,
    used_bytes: used,
    free_bytes: bavail * bsize,
  };
}

function networkInfo(): JsonObject {
  const entries = Object.entries(networkInterfaces()).map(([name, addresses]) => [
    name,
    (addresses ?? []).map(({ address, family, internal }) => ({ address, family, internal })),
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}
