/**
 * Where a robot runs: which folder of which machine, and which boot of it. Two processes in one place cannot be one robot at
 * the same time, because the store has one owner: who starts there proves that the one before has ended. The name of the
 * host is part of it, since containers share the machine's id and boot, and machines that were cloned are often given
 * another name first.
 */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';

export interface RobotPlace {
  /** Machine and folder, as a hash: an operator can tell places apart by it, and learns nothing else. */
  readonly machine: string;
  readonly boot: string;
  /** For people. */
  readonly host: string;
  /** For how long this boot has lasted, in ms. */
  upMs(): number;
}

/** @param home the robot's home, which exists */
export async function currentPlace(bootId: string, home: string): Promise<RobotPlace> {
  const host = hostname();
  const machine = createHash('sha256')
    .update(JSON.stringify([await machineId(), host, await realpath(home)]))
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
