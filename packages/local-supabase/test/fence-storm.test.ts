/**
 * Late writes by the thousand: robots on connections of their own claim the same few jobs, stand still past the end of
 * their lease, lose the job to the next claim, and then write under their old token. None may be accepted.
 *
 * FENCE_STORM_WRITES sets how many late writes are tried (default 10,000).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SupabaseServer } from '../src/index.ts';
import { startPostgresSupabase } from '../src/postgres/index.ts';
import { hasRealPostgres } from './engines.ts';
import { emptyWorkflow, newId } from './orchestra.ts';

const writes = Number(process.env.FENCE_STORM_WRITES ?? 10_000);
const connections = 4;
const writesPerRound = 5;

/** Commits after every step, so that the connections' steps really interleave. */
const storm = `
  create schema storm;
  create table storm.tally (late int, accepted int);
  create procedure storm.run(p_rounds int, p_jobs uuid[], p_robots uuid[]) language plpgsql as $$
  declare
    v_job uuid;
    v_old json;
    v_token bigint;
    v_answer text;
    v_late int := 0;
    v_accepted int := 0;
  begin
    while p_rounds > 0 loop
      v_job := p_jobs[1 + floor(random() * cardinality(p_jobs))];
      v_old := public.claim_job(v_job, p_robots[1 + floor(random() * cardinality(p_robots))]);
      commit;
      if v_old is null then -- another connection holds it: take it away from that one
        update public.jobs set lease_expires_at = clock_timestamp() - interval '1 ms'
         where id = v_job and status = 'running' and random() < 0.5;
        commit;
        continue;
      end if;
      v_token := (v_old ->> 'lease_token')::bigint;
      update public.jobs set lease_expires_at = clock_timestamp() - interval '1 ms'
       where id = v_job and lease_token = v_token;
      commit;
      perform public.reap_expired_jobs(100);
      commit;
      perform public.claim_job(v_job, p_robots[1 + floor(random() * cardinality(p_robots))]);
      commit;
      -- A claim leaves alone what another connection is just looking at: then the old token still holds the job.
      continue when (select lease_token from public.jobs where id = v_job) is not distinct from v_token;
      foreach v_answer in array array['progress', 'events', 'in_doubt', 'release', 'complete'] loop
        v_answer := case v_answer
          when 'progress' then public.report_progress(v_job, v_token, '{"late": true}')
          when 'events' then public.record_events(v_job, v_token, '[{"seq": 1, "kind": "late"}]')
          when 'in_doubt' then public.set_in_doubt(v_job, v_token, '[{"node_id": "late"}]')
          when 'release' then public.release_job(v_job, v_token)
          else public.complete_job(v_job, v_token, 'completed')
        end;
        commit;
        v_late := v_late + 1;
        v_accepted := v_accepted + case when v_answer = 'stale' then 0 else 1 end;
      end loop;
      p_rounds := p_rounds - 1;
    end loop;
    insert into storm.tally values (v_late, v_accepted);
    commit;
  end
  $$`;

describe.runIf(hasRealPostgres)('a storm of late writes', () => {
  let server: SupabaseServer;
  beforeAll(async () => {
    server = await startPostgresSupabase();
  });
  afterAll(() => server.stop());

  test('is refused to the last one, and leaves no trace in the jobs', async () => {
    const robots = Array.from({ length: 4 }, newId);
    for (const robot of robots) await server.sql('select register_robot($1, $2)', [robot, `robot ${robot}`]);
    const jobs: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      const [row] = await server.sql<{ id: string }>(
        "select enqueue_job($1, p_on_lost => 'restart', p_max_attempts => 1000) as id",
        [emptyWorkflow],
      );
      jobs.push(row?.id ?? '');
    }
    await server.sql('update jobs set max_attempts = 2147483647');
    await server.sql(storm);

    const rounds = Math.ceil(writes / connections / writesPerRound);
    await Promise.all(
      Array.from({ length: connections }, () =>
        server.sql(`call storm.run(${rounds}, '{${jobs.join(',')}}', '{${robots.join(',')}}')`),
      ),
    );

    const [tally] = await server.sql<{ late: number; accepted: number }>(
      'select sum(late)::int as late, sum(accepted)::int as accepted from storm.tally',
    );
    console.log(`fence storm: ${tally?.late} late writes on ${connections} connections, ${tally?.accepted} accepted`);
    expect(tally?.late).toBeGreaterThanOrEqual(writes);
    expect(tally?.accepted).toBe(0);
    const touched = await server.sql(
      `select id from jobs where status not in ('pending', 'running') or progress ? 'late' or in_doubt <> '[]'`,
    );
    expect(touched).toEqual([]);
    const unmarked = await server.sql('select from job_history where not superseded');
    expect(unmarked).toEqual([]);
  });
});
