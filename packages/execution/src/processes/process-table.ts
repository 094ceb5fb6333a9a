/**
 * The machine's processes, as Linux shows them in /proc. Elsewhere there is no such table, and what is built on it is
 * best effort. A process is known by its id and its start time together: ids are used again.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** In ticks since the machine's boot (field 22 of /proc/pid/stat). */
  readonly startTicks: number;
}

export interface ProcessEntry extends ProcessId {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly rssBytes: number;
}

export type ProcessTable = ReadonlyMap<number, ProcessEntry>;

/** Linux counts resident memory in pages of this size on the platforms that Node.js runs on. */
const PAGE_BYTES = 4_096;

export function hasProcessTable(platform: NodeJS.Platform = process.platform): boolean {
  return platform === 'linux';
}

/** All live processes. A dead one that its parent has not noticed yet (a zombie) runs no more: it is left out. */
export function readProcessTable(): ProcessTable {
  const table = new Map<number, ProcessEntry>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readProcess(Number(name));
    if (entry !== null) table.set(entry.pid, entry);
  }
  return table;
}

/** Null when there is no such live process. */
export function readProcess(pid: number): ProcessEntry | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  return parseStat(pid, stat);
}

/** The command's name, in parentheses, may itself hold spaces and parentheses: what counts comes after the last one. */
export function parseStat(pid: number, stat: string): ProcessEntry | null {
  const [state, parent, group, session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X' || state === 'x') return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    startTicks: Number(rest[15]),
    rssBytes: Number(rest[17]) * PAGE_BYTES,
  };
}

/** The value that a process was given for an environment variable; null when it has none, or hides it. */
export function environmentOf(pid: number, variable: string): string | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return null;
  }
  const found = text.split('\0').find((pair) => pair.startsWith(`${variable}=`));
  return found === undefined ? null : found.slice(variable.length + 1);
}

/** Memory that would be free without this process: shared pages count in part. Null when it is not told. */
export function proportionalBytes(pid: number): number | null {
  try {
    const found = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return found === null ? null : Number(found[1]) * 1_024;
  } catch {
    return null;
  }
}
