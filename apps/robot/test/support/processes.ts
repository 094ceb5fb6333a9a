/** What runs on this machine for a job, seen from outside. Linux. */
import { readdirSync, readFileSync } from 'node:fs';

interface Seen {
  readonly pid: number;
  readonly session: number;
  readonly environment: string;
}

function seen(): readonly Seen[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' || state === 'X') return [];
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      return [{ pid: Number(name), session: Number(session), environment }];
    } catch {
      return [];
    }
  });
}

/** What the nodes of a job have started: all that has its id, and all in the sessions that those lead. */
export function processesOf(jobId: string): readonly number[] {
  const all = seen();
  const marked = new Set(
    all.filter(({ environment }) => environment.includes(`CASARE_JOB_ID=${jobId}`)).map(({ pid }) => pid),
  );
  return all.filter(({ pid, session }) => marked.has(pid) || marked.has(session)).map(({ pid }) => pid);
}

export function areAlive(pids: readonly number[]): readonly number[] {
  const alive = new Set(seen().map(({ pid }) => pid));
  return pids.filter((pid) => alive.has(pid));
}
