/** The job that a person means, among those that a log tells of: by its id, or by as much of its beginning as no other shares. */
import { AuditError, streamAuditLog } from '@casare/observability';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';

/** Candidates that are named when several jobs are meant. */
const shown = 5;

/** @throws CliError when the log tells of no such job, or of several */
export async function findAuditedJob(folder: string, given: string): Promise<string> {
  const found = await auditedJobs(folder, given);
  const [only] = found.has(given) ? [given] : found;
  if (only === undefined) {
    throw new CliError(
      exitCodes.failed,
      `the audit log in ${folder} has no entry of a job whose id begins with ${given}`,
    );
  }
  if (!found.has(given) && found.size > 1) throw severalJobs(given, found);
  return only;
}

export function severalJobs(given: string, found: ReadonlySet<string>): CliError {
  const candidates = [...found].slice(0, shown).map((id) => `\n  ${id}`);
  const more = found.size > shown ? '\n  ...' : '';
  return new CliError(
    exitCodes.usage,
    `several jobs begin with ${given}; give more of the id:${candidates.join('')}${more}`,
  );
}

/** No more than are named, and the one that is meant for sure. */
async function auditedJobs(folder: string, given: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  try {
    for await (const { job_id: id } of streamAuditLog(folder, { jobIdPrefix: given })) {
      if (id === given) return new Set([given]);
      if (id !== null && found.size <= shown) found.add(id);
    }
  } catch (error) {
    // What can be read decides; the reader is told of the damage.
    if (!(error instanceof AuditError) || error.code !== 'AUDIT_UNREADABLE') throw error;
  }
  return found;
}
