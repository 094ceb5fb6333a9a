/** How much memory the robot may use. */
import { totalmem } from 'node:os';

/** The container's limit where there is one (cgroup v1 or v2), else the machine's memory, in bytes. */
export function memoryLimitBytes(): number {
  const container = process.constrainedMemory();
  return container > 0 ? Math.min(container, totalmem()) : totalmem();
}
