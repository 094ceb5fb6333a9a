/** The job that a person means, among those that a log tells of: by its id, or by as much of its beginning as no other shares. */
import { type AuditEntry, AuditError, AuditEventType, streamAuditLog } from '@casare/observability';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { severalJobs, shownJobs } from './several-jobs.ts';

/** @throws CliError when the log tells of no such job, or of several */
export async function findAuditedJob(folder: string, given: string): Promise<string> {
  const found = await auditedJobs(folder, given);
  const [job] = found;
  if (job === undefined) {
    throw new CliError(
      exitCodes.failed,
      `the audit log in ${folder} has no entry of a job whose id begins with ${given}`,
    );
  }
  if (found.size > 1) throw severalJobs(given, [...found]);
  return job;
}

/** The one whose whole id is given, alone; else those that are meant, of which no more than one too many. */
async function auditedJobs(folder: string, given: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const mentioned = new Set<string>();
  try {
    for await (const entry of streamAuditLog(folder, { jobIdPrefix: given })) {
      const { job_id: id } = entry;
      const ids = isOnlyMentioned(entry) ? mentioned : found;
      if (id === given && ids === found) return new Set([given]);
      if (id !== null && (id === given || ids.size <= shownJobs)) ids.add(id);
    }
  } catch (error) {
    // What can be read decides; the reader is told of the damage.
    if (!(error instanceof AuditError) || error.code !== 'AUDIT_UNREADABLE') throw error;
  }
  if (found.size > 0) return found;
  return mentioned.has(given) ? new Set([given]) : mentioned;
}

/** Somebody wrote the id, and was refused: there need be no such job. */
function isOnlyMentioned({ type, outcome }: AuditEntry): boolean {
  return type === AuditEventType.JOB_ANSWER_GIVEN && outcome === 'failure';
}
