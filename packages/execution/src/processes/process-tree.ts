/**
 * Everything that a job process has started, found by four traces: its descendants, the members of a group or session
 * that one of them leads, what carries its mark in the environment, and what was seen to belong to it before. Chromium
 * puts itself into a group of its own, and its helpers hide their environment; together the traces find all of it.
 *
 * What none of them finds: a process that was given an environment of its own, left its group and session, and whose
 * parents ended, all between two looks.
 */
import type { Clock } from '../ports.ts';
import { markVariable } from './messages.ts';
import {
  environmentOf,
  hasProcessTable,
  type ProcessId,
  type ProcessTable,
  readProcessTable,
} from './process-table.ts';

/** What a tree is known by. */
export interface TreeTraces {
  /** Processes known to belong to it, and the leaders of its groups, alive or not. */
  readonly known: readonly ProcessId[];
  /** Whether a process with this value of the mark belongs to it. */
  readonly ownsMark: (mark: string) => boolean;
  /** No process of the tree is older. */
  readonly notBeforeTicks: number;
}

export interface TreeMember extends ProcessId {
  readonly rssBytes: number;
  /** True for the leader of a group or session. */
  readonly isLeader: boolean;
}

/**
 * The live members of a tree.
 *
 * @param readMark asked for processes that no other trace finds; null to look without it, which costs less
 */
export function treeMembers(
  table: ProcessTable,
  traces: TreeTraces,
  readMark: ((pid: number) => string | null) | null,
): readonly TreeMember[] {
  const members = new Map<number, TreeMember>();
  const owned = new Set<number>();
  const isSame = ({ pid, startTicks }: ProcessId): boolean => table.get(pid)?.startTicks === startTicks;
  const add = (pid: number): void => {
    const entry = table.get(pid);
    if (entry === undefined || members.has(pid)) return;
    const isLeader = entry.group === pid || entry.session === pid;
    members.set(pid, { pid, startTicks: entry.startTicks, rssBytes: entry.rssBytes, isLeader });
    if (isLeader) owned.add(pid);
  };
  for (const process of traces.known) {
    if (isSame(process)) add(process.pid);
    // The id of a leader that has ended is not given away while its group lives.
    else if (!table.has(process.pid)) owned.add(process.pid);
  }
  const candidates = [...table.values()].filter(({ startTicks }) => startTicks >= traces.notBeforeTicks);
  if (readMark !== null) {
    for (const { pid } of candidates) {
      const mark = members.has(pid) ? null : readMark(pid);
      if (mark !== null && traces.ownsMark(mark)) add(pid);
    }
  }
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const entry of candidates) {
      if (members.has(entry.parent) || owned.has(entry.group) || owned.has(entry.session)) add(entry.pid);
    }
  }
  return [...members.values()];
}

export interface EndTreeOptions {
  readonly clock: Clock;
  /** How long to wait for the kernel to take them away, in ms. Default 15,000. */
  readonly patienceMs?: number;
  /** A process that is to live on. */
  readonly except?: number;
  /** Told about every look, so that what was found once is remembered. */
  readonly onFound?: (members: readonly TreeMember[]) => void;
}

/**
 * Kills a tree and looks again until nothing of it is left. Linux only; see `hasProcessTable`.
 *
 * @returns the ids of those that could not be ended in time; empty: it is proved that all are gone
 */
export async function endTree(traces: () => TreeTraces, options: EndTreeOptions): Promise<readonly number[]> {
  const { clock, patienceMs = 15_000, except } = options;
  const deadline = clock.monotonic() + patienceMs;
  for (let waitMs = 2; ; waitMs = Math.min(50, waitMs * 2)) {
    const left = killOnce(traces(), except, options.onFound);
    if (left.length === 0 || clock.monotonic() >= deadline) return left;
    await clock.sleep(waitMs);
  }
}

/** Kills what lives of a tree; returns the ids of what it found. */
export function killOnce(
  traces: TreeTraces,
  except?: number,
  onFound: (members: readonly TreeMember[]) => void = () => undefined,
): readonly number[] {
  const members = treeMembers(readProcessTable(), traces, (pid) => environmentOf(pid, markVariable));
  onFound(members);
  const left = members.filter(({ pid }) => pid !== except).map(({ pid }) => pid);
  for (const pid of left) kill(pid);
  return left;
}

/** Kills a process group where there is no table of processes: best effort. */
export function killGroup(pid: number): void {
  kill(process.platform === 'win32' ? pid : -pid);
}

/** Whether any process of a group lives, as far as can be told without a table. */
export function isGroupAlive(pid: number): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** One that has ended meanwhile, or belongs to somebody else, shows at the next look. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

export { hasProcessTable };
