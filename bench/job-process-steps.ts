/** A step of a job whose nodes run in a process of their own: node, pipe, commit to the store, acknowledgement. */
import { jobJournal } from '../apps/robot/src/job-journal.ts';
import type { JobRunner, JobSpec, JournalEntry, RunJournal } from '../packages/execution/src/index.ts';
import { CheckpointManager, OfflineQueue, type Store } from '../packages/offline-store/src/index.ts';
import { inProcessRunner, loopWorkflow, processRunner, timeOfJob } from './loop-job.ts';

export interface JobSteps {
  /** Ms per step of a job in a process of its own, and in this one. */
  readonly ownProcess: () => Promise<number>;
  readonly thisProcess: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export async function openJobSteps(home: string, store: Store, iterations: number): Promise<JobSteps> {
  const queue = new OfflineQueue({ store });
  const checkpoints = new CheckpointManager(queue);
  const workflowJson = loopWorkflow(iterations);
  let jobs = 0;
  let commits = 0;
  const journalFor = ({ jobId }: JobSpec): RunJournal => {
    const journal = jobJournal(checkpoints.startJob<JournalEntry>(jobId, jobId), () => null);
    return {
      load: () => journal.load(),
      commit: (entries) => {
        commits += 1;
        return journal.commit(entries);
      },
    };
  };
  const own = processRunner(home, 'steps', journalFor, { warm: 0, keep: 1 });
  const inside = await inProcessRunner(home, journalFor);
  const msPerStep = async (runner: JobRunner): Promise<number> => {
    jobs += 1;
    const jobId = `loop-${jobs}`;
    await queue.cacheJob({ jobId, workflowJson });
    commits = 0;
    const ms = await timeOfJob(runner, workflowJson, jobId);
    return ms / commits;
  };
  return { ownProcess: () => msPerStep(own), thisProcess: () => msPerStep(inside), close: () => own.close() };
}
