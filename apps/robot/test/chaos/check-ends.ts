/** What the database says of a job that should have ended once: asked in SQL, past the robot. */
import type { SupabaseServer } from '@casare/local-supabase';

interface Standing {
  readonly status: string;
  readonly attempts: readonly { readonly outcome: string | null }[];
  readonly numbers: readonly number[];
  readonly ends: number;
  readonly superseded: number;
}

/**
 * @param history `partial`: events may have been dropped
 * @returns what is wrong; empty for a job that was completed, once, with its history in order
 */
export async function endProblems(
  server: Pick<SupabaseServer, 'sql'>,
  jobId: string,
  history: 'whole' | 'partial' = 'whole',
): Promise<readonly string[]> {
  const [job] = await server.sql<Standing>(
    `select j.status,
            (select coalesce(jsonb_agg(jsonb_build_object('outcome', a.outcome)), '[]') from job_attempts a
              where a.job_id = j.id) as attempts,
            (select coalesce(jsonb_agg(h.seq order by h.seq), '[]') from job_history h where h.job_id = j.id) as numbers,
            (select count(*)::int from job_history h where h.job_id = j.id
              and h.kind in ('job_completed', 'job_failed', 'job_cancelled')) as ends,
            (select count(*)::int from job_history h where h.job_id = j.id and h.superseded) as superseded
       from jobs j where j.id = $1`,
    [jobId],
  );
  if (job === undefined) return [`job ${jobId} is gone`];
  const problems: string[] = [];
  if (job.status !== 'completed') problems.push(`it is ${job.status}`);
  if (job.attempts.length !== 1 || job.attempts[0]?.outcome !== 'completed')
    problems.push(`its attempts are ${JSON.stringify(job.attempts)}`);
  if (job.superseded > 0) problems.push(`${job.superseded} of its events are superseded`);
  if (history === 'partial') return problems;
  if (job.ends !== 1) problems.push(`its history has ${job.ends} ends`);
  if (job.numbers.some((seq, index) => seq !== index + 1)) problems.push(`its history is ${job.numbers.join(' ')}`);
  return problems;
}

/** How often a node has a result in the history. */
export async function resultsOf(server: Pick<SupabaseServer, 'sql'>, jobId: string, nodeId: string): Promise<number> {
  const [row] = await server.sql<{ results: number }>(
    "select count(*)::int as results from job_history where job_id = $1 and node_id = $2 and kind = 'node_completed'",
    [jobId, nodeId],
  );
  return row?.results ?? 0;
}
