import { availableParallelism, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { containerLimits } from './container-limits.ts';

function limitsIn(files: Readonly<Record<string, string>>) {
  return containerLimits((path) => files[path] ?? null);
}

describe('the limits of a container', () => {
  it('are the least of its group and all groups above it', () => {
    const limits = limitsIn({
      '/proc/self/cgroup': '12:cpuset:/\n0::/pod/robot\n',
      '/sys/fs/cgroup/pod/robot/memory.max': '536870912\n',
      '/sys/fs/cgroup/pod/memory.max': '268435456\n',
      '/sys/fs/cgroup/memory.max': 'max\n',
      '/sys/fs/cgroup/pod/robot/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/pod/cpu.max': '50000 100000\n',
    });
    expect(limits).toEqual({ memoryBytes: 268_435_456, cpuCores: 0.5 });
  });

  it('are those of the machine where no group has any', () => {
    expect(limitsIn({})).toEqual(limitsIn({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000' }));
    const { memoryBytes, cpuCores } = limitsIn({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'junk' });
    expect(memoryBytes).toBeLessThanOrEqual(totalmem());
    expect(memoryBytes).toBeGreaterThan(0);
    expect(cpuCores).toBe(availableParallelism());
  });
});
