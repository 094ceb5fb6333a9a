/**
 * Where a robot runs: which machine, and which boot of it. Two processes in the same place cannot be one robot at the same
 * time, because the second finds the socket of the first (`one-place.ts`). The name of the host is part of it, since
 * containers share the machine's id and boot, and machines that were cloned are often given another name first.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';

export interface RobotPlace {
  /** A hash: an operator can tell machines apart by it, and learns nothing else. */
  readonly machine: string;
  readonly boot: string;
  /** For people. */
  readonly host: string;
  /** For how long this boot has lasted, in ms. */
  upMs(): number;
}

export async function currentPlace(bootId: string): Promise<RobotPlace> {
  const host = hostname();
  const machine = createHash('sha256')
    .update(JSON.stringify([await machineId(), host]))
    .digest('hex');
  return { machine, boot: bootId, host, upMs: () => Math.round(uptime() * 1_000) };
}

/** Empty where the system has none in a file: then the name of the host stands alone. */
async function machineId(): Promise<string> {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const id = await readFile(path, 'utf8').catch(() => '');
    if (id.trim() !== '') return id.trim();
  }
  return '';
}
