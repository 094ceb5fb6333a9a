/** The machine and account that this process runs on. */
import { homedir, hostname } from 'node:os';
import type { Host } from './ports.ts';

export function systemHost(): Host {
  return { hostname: hostname(), homedir: homedir() };
}
