/**
 * Where a process is to kill itself with SIGKILL, agreed on through a folder: a test arms a kill by a file there, and
 * the process that comes to the point takes the file and is gone. So a kill strikes once, at exactly its point, in
 * whichever process comes there first, however often the processes are started again meanwhile.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `before-intent`: the result of the node before and the intent of this one are not durable yet. `after-intent`: they
 * are, and the node has not begun. `after-result`: the node's result is durable, and the next one has not begun.
 */
export type KillPoint = 'before-intent' | 'after-intent' | 'after-result';

export type Victim = 'supervisor' | 'job-process';

/** @param passes how many times the point is passed before the kill strikes */
export function armKill(folder: string, victim: Victim, point: KillPoint, nodeId: string, passes: number): void {
  writeFileSync(join(folder, fileName(victim, point, nodeId)), String(passes));
}

/** To be called by a process that has come to a point: it may not return. */
export function dieIfDue(folder: string, victim: Victim, point: KillPoint, nodeIds: readonly string[]): void {
  for (const nodeId of nodeIds) {
    const file = join(folder, fileName(victim, point, nodeId));
    if (!existsSync(file)) continue;
    const passes = Number(readFileSync(file, 'utf8'));
    if (passes > 0) {
      writeFileSync(file, String(passes - 1));
      continue;
    }
    renameSync(file, `${file}.struck`);
    process.kill(process.pid, 'SIGKILL');
  }
}

/** Kills that have not struck yet, as `victim.point.nodeId`. */
export function killsLeft(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.armed'))
    .map((name) => name.slice(0, -'.armed'.length));
}

function fileName(victim: Victim, point: KillPoint, nodeId: string): string {
  return `${victim}.${point}.${nodeId}.armed`;
}
