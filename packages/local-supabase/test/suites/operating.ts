import { describe, expect, test } from 'vitest';
import { emptyWorkflow, type Job, lease, newId, type Orchestra } from '../orchestra.ts';

export function operatingSuite(db: () => Orchestra): void {
  test('says which schema it has', async () => {
    expect(await db().rpc('schema_version')).toBe(16);
  });

  describe('enqueue_job', () => {
    test.each([
      ['the name given', '{"metadata":{"name":"Own"}}', 'Given', 'Given'],
      ['its own name', '{"metadata":{"name":" Own "}}', null, 'Own'],
      ['a stand-in when it has none', '{"metadata":[]}', null, 'unnamed workflow'],
    ])('names a job by %s', async (_what, workflow, given, name) => {
      const jobId = await db().enqueue({ p_workflow: workflow, p_name: given });

      expect(await db().job(jobId)).toMatchObject({ name, status: 'pending', attempt: 0, variables: {} });
    });

    test.each([
      ['p_workflow', { p_workflow: '{"nodes":' }],
      ['p_workflow', { p_workflow: '[]' }],
      ['p_workflow', { p_workflow: null }],
      ['p_variables', { p_variables: [1] }],
      ['p_variables', { p_variables: { a: 'x'.repeat(16 * 1024 * 1024) } }],
      ['p_priority', { p_priority: null }],
      ['p_required_tags', { p_required_tags: ['a', null] }],
      ['p_required_capabilities', { p_required_capabilities: [null] }],
      ['p_target_robot', { p_target_robot: newId() }],
      ['p_required_tags', { p_required_tags: [['a']] }],
      ['p_required_tags', { p_required_tags: Array.from({ length: 101 }, (_item, index) => `t${index}`) }],
      ['p_required_capabilities', { p_required_capabilities: ['x'.repeat(201)] }],
      ['p_name', { p_name: 'x'.repeat(1_001) }],
      ['p_run_at', { p_run_at: 'infinity' }],
      ['p_dedup_key', { p_dedup_key: ' ' }],
      ['p_dedup_key', { p_dedup_key: 'x'.repeat(1_001) }],
      ['p_max_attempts', { p_max_attempts: 0 }],
      ['p_timeout_ms', { p_timeout_ms: 0 }],
      ['p_on_lost', { p_on_lost: 'forget' }],
      ['p_in_doubt_policy', { p_in_doubt_policy: 'guess' }],
    ])('refuses a bad %s by name', async (name, bad) => {
      const refusal = await db().refused('enqueue_job', { p_workflow: emptyWorkflow, ...bad });

      expect(refusal).toMatchObject({ code: '22023', status: 400 });
      expect(refusal.message).toContain(name);
    });

    test('answers the job that lives under the same dedup key, also to submissions at the same time', async () => {
      const submit = (): Promise<string> => db().enqueue({ p_dedup_key: 'invoice-7' });
      const ids = new Set(await Promise.all(Array.from({ length: 8 }, submit)));
      expect(ids.size).toBe(1);

      const claim = await db().rpc<{ job_id: string; lease_token: string }>('claim_job', {
        p_job_id: [...ids][0],
        p_robot_id: await db().robot(),
      });
      expect(await submit()).toBe(claim.job_id);
      await db().rpc('complete_job', {
        p_job_id: claim.job_id,
        p_lease_token: claim.lease_token,
        p_status: 'completed',
      });
      expect(await submit()).not.toBe(claim.job_id);
    });
  });

  test('shows a job with its robot and attempts, and without its lease token', async () => {
    const robot = await db().robot();
    const claim = await db().running(robot, { p_priority: 4, p_name: 'Shown', p_variables: { a: 1 } });

    const job = await db().job(claim.job_id);

    const robotName = `robot ${robot.slice(0, 4)}`;
    expect(job).toEqual({
      past_answers: [],
      job_id: claim.job_id,
      name: 'Shown',
      status: 'running',
      lost: false,
      in_doubt: [],
      answers: [],
      progress: {},
      error: null,
      result: null,
      priority: 4,
      created_at: expect.any(String),
      run_at: expect.any(String),
      started_at: expect.any(String),
      completed_at: null,
      claimed_by: robot,
      robot_name: robotName,
      cancel_requested: false,
      cancel_reason: null,
      cancel_requested_by: null,
      attempt: 1,
      max_attempts: 1,
      on_lost: 'hold',
      variables: { a: 1 },
      attempts: [
        {
          attempt: 1,
          robot_id: robot,
          robot_name: robotName,
          claimed_at: expect.any(String),
          ended_at: null,
          outcome: null,
          error: null,
        },
      ],
    });
    expect(Number.isNaN(Date.parse(job.run_at))).toBe(false);
    expect(await db().rpc('get_job', { p_job_id: newId() })).toBeNull();
  });

  test('lists the newest jobs first, by status and up to a limit, in the short form', async () => {
    const ids = [await db().enqueue(), await db().enqueue(), await db().enqueue()];
    await db().rpc('cancel_job', { p_job_id: ids[1] });

    const list = (args = {}): Promise<Job[]> => db().rpc('list_jobs', args);

    expect((await list()).map(({ job_id }) => job_id)).toEqual(ids.toReversed());
    expect((await list({ p_limit: 1 })).map(({ job_id }) => job_id)).toEqual([ids[2]]);
    expect(await list({ p_status: 'cancelled' })).toMatchObject([{ job_id: ids[1], status: 'cancelled' }]);
    expect((await list())[0]).not.toHaveProperty('variables');
    expect(await list({ p_status: 'dead' })).toEqual([]);
    expect(await db().refused('list_jobs', { p_status: 'lost' })).toMatchObject({ code: '22023' });
  });

  test('tells the history of a job in order, up to a limit', async () => {
    const robot = await db().robot();
    const claim = await db().running(robot);
    const events = [3, 1, 2].map((seq) => ({ seq, kind: 'log', at: '2026-01-01T00:00:00Z', payload: { seq } }));
    await db().rpc('record_events', { ...lease(claim), p_events: events });

    expect((await db().history(claim.job_id)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await db().rpc('get_job_history', { p_job_id: claim.job_id, p_limit: 1 })).toMatchObject([
      { lease_token: claim.lease_token, seq: 1, kind: 'log', node_id: null, payload: { seq: 1 }, superseded: false },
    ]);
    expect(await db().rpc('get_job_history', { p_job_id: newId() })).toEqual([]);
  });
}
