/** `casare-robot` as it is, but for a store that kills the process at the points that `KILL_POINTS` arms. */
import { flushCompileCache } from 'node:module';
import { CheckpointManager, type JobHandle } from '@casare/offline-store';
import { dieIfDue } from '@casare/testing';
import { main } from '../../src/cli/program.ts';

const folder = process.env.KILL_POINTS ?? '';
const { startJob } = CheckpointManager.prototype;
let hasKeptCode = false;

CheckpointManager.prototype.startJob = function (
  this: CheckpointManager,
  ...args: Parameters<typeof startJob>
): JobHandle<never> {
  // A process that is killed keeps nothing of what it has compiled; the next one starts in two thirds of the time with it.
  if (!hasKeptCode) flushCompileCache();
  hasKeptCode = true;
  const handle = startJob.apply(this, args) as JobHandle<never>;
  const commit = handle.commit.bind(handle);
  handle.commit = async (entries, options) => {
    const begun = nodesOf(entries, 'intent');
    dieIfDue(folder, 'supervisor', 'before-intent', begun);
    await commit(entries, options);
    dieIfDue(folder, 'supervisor', 'after-result', nodesOf(entries, 'result'));
    dieIfDue(folder, 'supervisor', 'after-intent', begun);
  };
  return handle;
} as typeof startJob;

function nodesOf(entries: readonly { kind: string; node_id?: string | null }[], kind: string): readonly string[] {
  return entries.flatMap((entry) => (entry.kind === kind && entry.node_id ? [entry.node_id] : []));
}

process.exitCode = await main(process.argv.slice(2));
