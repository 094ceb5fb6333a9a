/** Tells one start of the machine from another. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The kernel's boot id on Linux; elsewhere one made for this process. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
}
