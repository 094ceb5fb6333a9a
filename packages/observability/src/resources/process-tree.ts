/**
 * Finds all processes of the robot: those that it started, and theirs; the members of a group or session that one of
 * them leads; and what carries a mark of the robot's in its environment, whoever its parent is by now (a browser whose
 * starter has ended belongs to the system's first process). On Linux only; elsewhere a tree is its root.
 *
 * Reads /proc synchronously: about 20 microseconds per process, a quarter of what it costs otherwise. What is known to
 * be somebody else's is looked at only now and then, so that the other processes of the machine cost next to nothing.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

export interface TreeQuery {
  readonly root: number;
  /** Processes found at most. */
  readonly limit: number;
  /** Whether a process with this value of the mark belongs to the tree; null: marks are not looked at. */
  readonly ownsMark: ((value: string) => boolean) | null;
}

/** Pids of the tree, the root first. */
export type ReadProcessTree = (query: TreeQuery) => readonly number[];

export const markVariable = 'CASARE_JOB_ID';

interface Entry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** In ticks since the boot: with the pid, what a process is known by. */
  readonly startTicks: number;
}

interface KnownMark {
  readonly startTicks: number;
  readonly mark: string | null;
}

/** About a minute at the default interval: so long may a process go unseen whose id was a stranger's a moment before. */
const looksPerFullLook = 12;
/** No process starts then: read once more at the next look. */
const unsettled = -1;

/** A reader of its own for each monitor: it remembers the marks that it has read. */
export function processTreeReader(): ReadProcessTree {
  let marks: ReadonlyMap<number, KnownMark> = new Map();
  let looks = 0;
  return ({ root, limit, ownsMark }) => {
    if (process.platform !== 'linux') return [root];
    const isFullLook = looks % looksPerFullLook === 0;
    looks += 1;
    const seen = new Map<number, KnownMark>();
    const table: Entry[] = [];
    for (const pid of readPids()) {
      const known = marks.get(pid);
      if (known !== undefined && isStranger(known) && !isFullLook) {
        seen.set(pid, known);
        continue;
      }
      const entry = readEntry(pid);
      if (entry !== null) table.push(entry);
    }
    const found = new Set([root]);
    grow(found, table, root);
    if (ownsMark !== null) {
      for (const { pid, startTicks } of table) {
        if (found.has(pid)) continue;
        const known = marks.get(pid);
        // A process gets its environment when it executes its program, which may be after it was first seen.
        const isSettled = known?.startTicks === startTicks;
        const mark = isSettled ? known.mark : markOf(pid);
        if (marks.has(pid) || mark !== null) seen.set(pid, { startTicks, mark });
        else seen.set(pid, { startTicks: unsettled, mark: null });
        if (mark !== null && ownsMark(mark)) found.add(pid);
      }
      grow(found, table, root);
      for (const pid of found) if (seen.get(pid)?.mark === null) seen.delete(pid);
    }
    marks = seen;
    return [...found].slice(0, limit);
  };
}

/** Outside of the tree and without a mark, it will never be of the tree. */
function isStranger({ startTicks, mark }: KnownMark): boolean {
  return mark === null && startTicks !== unsettled;
}

/** Adds children, and members of groups and sessions, until there are no more. The root's own group is its starter's. */
function grow(found: Set<number>, table: readonly Entry[], root: number): void {
  const owns = (pid: number): boolean => pid !== root && found.has(pid);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent, group, session } of table) {
      if (found.has(parent) || owns(group) || owns(session)) found.add(pid);
    }
  }
}

function readPids(): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid));
}

/** Null when the process has ended meanwhile, or is dead and only not buried yet. */
function readEntry(pid: number): Entry | null {
  try {
    const stat = readStat(pid);
    // The command's name, in parentheses, may hold anything; state and parent follow it.
    const [state, parent, group, session, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      startTicks: Number(rest[15]),
    };
  } catch {
    return null;
  }
}

/** Longer than any such line. */
const statBuffer = Buffer.alloc(1_024);

/** A third of what `readFileSync` costs, which asks for the size first and makes a buffer of its own. */
function readStat(pid: number): string {
  const file = openSync(`/proc/${pid}/stat`, 'r');
  try {
    return statBuffer.toString('latin1', 0, readSync(file, statBuffer, 0, statBuffer.length, 0));
  } finally {
    closeSync(file);
  }
}

/** Null for a process without one, or whose environment is none of ours to see. */
function markOf(pid: number): string | null {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    const found = environment.split('\0').find((pair) => pair.startsWith(`${markVariable}=`));
    return found === undefined ? null : found.slice(markVariable.length + 1);
  } catch {
    return null;
  }
}
