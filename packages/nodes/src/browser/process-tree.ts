/** The little that is needed to know whether a process lives, and to end one together with its children. */
import { readdir, readFile } from 'node:fs/promises';

/** True while a process of that id exists, whoever owns it. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Kills a process that leads a group, and the whole group where the platform has such a thing. */
export function killProcessGroup(pid: number): void {
  const targets = process.platform === 'win32' ? [pid] : [-pid, pid];
  for (const target of targets) {
    try {
      process.kill(target, 'SIGKILL');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The processes that were started with exactly this argument. Linux only; elsewhere none are found. */
export async function processesWithArgument(argument: string): Promise<readonly number[]> {
  if (process.platform !== 'linux') return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return commandLine.split('\0').includes(argument) ? pid : undefined;
    }),
  );
  return found.filter((pid) => pid !== undefined);
}
