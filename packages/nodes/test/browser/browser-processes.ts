/** The processes of a browser, told by a folder in the command line of their first one (Linux). */
import { readdir, readFile } from 'node:fs/promises';
import { eventually } from '@casare/testing';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Every process that was started with the folder in its command line, and everything below those. */
export async function processesUsing(folder: string): Promise<readonly Process[]> {
  const all = await listProcesses();
  const found = new Set(all.filter(({ command }) => command.includes(folder)).map(({ pid }) => pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return all.filter(({ pid }) => found.has(pid));
}

/** The process that started all the others of a browser. */
export async function firstProcess(folder: string): Promise<number> {
  const first = (await processesUsing(folder)).find(({ command }) =>
    command.includes('--remote-debugging-pipe\0about:'),
  );
  if (first === undefined) throw new Error('the browser has no process');
  return first.pid;
}

/** Resolves once nothing of a browser is left. */
export async function browserGone(folder: string): Promise<void> {
  await eventually(`no process uses ${folder}`, async () => (await processesUsing(folder)).length === 0);
}

/** Kills the processes that hold the pages. */
export async function killRenderers(folder: string): Promise<void> {
  for (const { pid, command } of await processesUsing(folder)) {
    if (command.includes('--type=renderer')) process.kill(pid, 'SIGKILL');
  }
}

async function listProcesses(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  return (await Promise.all(pids.map(readProcess))).filter((process) => process !== null);
}

/** Null for one that is gone, or is only waiting to be collected. */
async function readProcess(pid: number): Promise<Process | null> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || parent === undefined) return null;
    return { pid, parent: Number(parent), command: await readFile(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return null;
  }
}
