import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

/** Candidates that are named when several jobs are meant: of more it is enough to know that there are more. */
export const shownJobs = 5;

/** @param lines one for each job that is meant */
export function severalJobs(given: string, lines: readonly string[]): CliError {
  const candidates = lines.slice(0, shownJobs).map((line) => `\n  ${line}`);
  const more = lines.length > shownJobs ? '\n  ...' : '';
  return new CliError(
    exitCodes.usage,
    `several jobs begin with ${given}; give more of the id:${candidates.join('')}${more}`,
  );
}
