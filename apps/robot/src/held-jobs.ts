/** Jobs that a robot has and cannot go on with, and why: what its health says of them. */
import type { DeskJob } from './desk-job.ts';
import { recordQuestion } from './lost-record.ts';

export interface HeldJob {
  readonly jobId: string;
  /** In words, with what helps. */
  readonly why: string;
}

/** Those that only an operator's answer or room in the store moves. A node in doubt is an ordinary question, and none of them. */
export function heldJobs(jobs: readonly DeskJob[]): readonly HeldJob[] {
  return jobs.flatMap((job) => {
    const { jobId, lostRecord } = job.record;
    if (lostRecord !== null) {
      const { reason } = recordQuestion(lostRecord);
      return [{ jobId, why: `${reason}; answer with casare-robot job resolve ${jobId} --restart or --fail` }];
    }
    if (job.waitsFor !== 'store' || job.waitsBecause === null) return [];
    return [{ jobId, why: `it is suspended and tried again: ${job.waitsBecause}` }];
  });
}
