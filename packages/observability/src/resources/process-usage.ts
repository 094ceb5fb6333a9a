/** CPU time and memory of processes, through pidusage with its quirks covered. */
import pidusage from 'pidusage';

export interface ProcessUsage {
  /** CPU time since the process started, user and system, in ms. */
  readonly cpuTimeMs: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
}

/** Usage by pid; a process that is gone is missing. */
export type ReadProcessUsage = (pids: readonly number[]) => Promise<ReadonlyMap<number, ProcessUsage>>;

export const readProcessUsage: ReadProcessUsage = async (pids) => {
  const found = new Map<number, ProcessUsage>();
  for (const stat of await statsOf(pids)) {
    // Its own `cpu` is 0 at first and depends on when anyone asked last; the total does not.
    if (stat) found.set(stat.pid, { cpuTimeMs: stat.ctime, memoryBytes: stat.memory });
  }
  return found;
};

/** One call for all; where a dead process makes that fail, one call each. */
async function statsOf(pids: readonly number[]): Promise<readonly (pidusage.Status | null | undefined)[]> {
  try {
    return Object.values(await pidusage([...pids]));
  } catch (error) {
    if (pids.length === 1) {
      if (isGone(pids[0])) return [];
      throw error;
    }
    const each = await Promise.all(pids.map((pid) => statsOf([pid])));
    return each.flat();
  }
}

function isGone(pid: number | undefined): boolean {
  try {
    return pid === undefined || !process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
