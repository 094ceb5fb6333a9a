/** The job that a person means: by its whole id, or by as much of its beginning as no other job shares. */
import type { JobGateway } from '@casare/execution';
import { uuidPattern } from '../identity.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { severalJobs, shownJobs } from './several-jobs.ts';

/** @throws CliError when no job, or more than one, is meant */
export async function findJobId(gateway: Pick<JobGateway, 'findJobs'>, given: string): Promise<string> {
  if (uuidPattern.test(given)) return given;
  if (!/^[0-9a-f][0-9a-f-]*$/i.test(given)) {
    throw new CliError(exitCodes.usage, `"${given}" is no job id, nor the beginning of one; \`job list\` shows them`);
  }
  const jobs = await gateway.findJobs(given, shownJobs + 1);
  const [job] = jobs;
  if (job === undefined) throw new CliError(exitCodes.failed, `there is no job whose id begins with ${given}`);
  if (jobs.length === 1) return job.jobId;
  throw severalJobs(
    given,
    jobs.map(({ jobId, name, status }) => `${jobId}  ${status}  ${name}`),
  );
}
