/** What a figure depends on besides the code: printed at the head of every benchmark. */
import { cpus, totalmem } from 'node:os';

export function printSettings(more: Readonly<Record<string, string | number>> = {}): void {
  const cores = cpus();
  const all = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${cores.length} x ${cores[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    ...more,
  };
  for (const [name, value] of Object.entries(all)) console.log(`${name}: ${value}`);
}
