/** How a job process ends itself with everything that it has started. */
import { markVariable } from '../messages.ts';
import { hasProcessTable, type ProcessId, readProcess } from '../process-table.ts';
import { killGroup, killOnce, type TreeMember } from '../process-tree.ts';

/** What escapes so many looks is left to the supervisor that comes next. */
const MAX_LOOKS = 200;

/** The mark that the supervisor gave to this process. */
export function ownMark(): string {
  // biome-ignore lint/style/noProcessEnv: the mark is what the supervisor put there, it is no setting
  return process.env[markVariable] ?? '';
}

/** Ends the others first and itself last, from whichever thread calls it; does not return. */
export function killOwnTree(mark: string): void {
  const own = hasProcessTable() ? readProcess(process.pid) : null;
  if (own !== null) {
    const known = new Map<number, ProcessId>([[own.pid, own]]);
    const remember = (members: readonly TreeMember[]): void => {
      for (const member of members) if (member.isLeader) known.set(member.pid, member);
    };
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const traces = {
        known: [...known.values()],
        ownsMark: (found: string) => found === mark,
        notBeforeTicks: own.startTicks,
      };
      if (killOnce(traces, process.pid, remember).length === 0) break;
      Atomics.wait(pause, 0, 0, 2);
    }
  }
  killGroup(process.pid);
  process.kill(process.pid, 'SIGKILL');
}
