/** Ends what a killed supervisor has left running, and only that: two robots on a machine leave each other alone. */
import type { Clock } from '../ports.ts';
import type { Leftovers } from './process-register.ts';
import { hasProcessTable, type ProcessId } from './process-table.ts';
import { endTree, type TreeMember } from './process-tree.ts';

/** What an earlier supervisor has left cannot be ended, so its jobs must not be resumed. */
export class LeftoverProcessesError extends Error {
  readonly code = 'JOB_PROCESSES_LEFT';
  readonly category = 'permanent' as const;

  constructor(pids: readonly number[]) {
    super(
      `processes of an earlier run are still there and cannot be ended: ${pids.join(', ')}; end them, then start again`,
    );
    this.name = 'LeftoverProcessesError';
  }
}

/**
 * @returns the ids of those that could not be ended; empty: all are gone (Linux), or none is known to be left
 */
export async function endLeftovers({ processes, marks }: Leftovers, clock: Clock): Promise<readonly number[]> {
  if (!hasProcessTable()) return [];
  const known = new Map<number, ProcessId>(processes.map((process) => [process.pid, process]));
  const remember = (members: readonly TreeMember[]): void => {
    for (const { pid, startTicks, isLeader } of members) if (isLeader) known.set(pid, { pid, startTicks });
  };
  return endTree(
    () => ({
      known: [...known.values()],
      ownsMark: (mark) => marks.some((own) => mark.startsWith(`${own}.`)),
      notBeforeTicks: 0,
    }),
    { clock, onFound: remember, except: process.pid },
  );
}
