/** The job that a person means: by its whole id, or by as much of its beginning as no other job shares. */
import type { JobGateway } from '@casare/execution';
import { uuidPattern } from '../identity.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

/** Candidates that are named when several jobs are meant. */
const shown = 5;

/** @throws CliError when no job, or more than one, is meant */
export async function findJobId(gateway: Pick<JobGateway, 'findJobs'>, given: string): Promise<string> {
  if (uuidPattern.test(given)) return given;
  if (!/^[0-9a-f][0-9a-f-]*$/i.test(given)) {
    throw new CliError(exitCodes.usage, `"${given}" is no job id, nor the beginning of one; \`job list\` shows them`);
  }
  const [job, ...others] = await gateway.findJobs(given, shown + 1);
  if (job === undefined) throw new CliError(exitCodes.failed, `there is no job whose id begins with ${given}`);
  if (others.length === 0) return job.jobId;
  const candidates = [job, ...others]
    .slice(0, shown)
    .map(({ jobId, name, status }) => `\n  ${jobId}  ${status}  ${name}`);
  const more = others.length >= shown ? '\n  ...' : '';
  throw new CliError(
    exitCodes.usage,
    `several jobs begin with ${given}; give more of the id:${candidates.join('')}${more}`,
  );
}
