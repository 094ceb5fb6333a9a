import { describe, expect, test } from 'vitest';
import { type Claim, lease, newId, type Orchestra } from '../orchestra.ts';

interface Answer {
  readonly node_id: string;
  readonly step: number | null;
  readonly answer: string;
}

interface Question {
  readonly node_id: string | null;
  readonly step?: number;
  readonly attempt?: number;
  readonly answers?: readonly string[];
}

/** What an operator answers: for nodes in doubt, for lost jobs, and for jobs that ended badly. */
export function resolvingSuite(db: () => Orchestra): void {
  const resolve = (
    jobId: string,
    answer: string,
    nodeId: string | null = null,
    step: number | null = null,
  ): Promise<string> => db().rpc('resolve_job', { p_job_id: jobId, p_answer: answer, p_node_id: nodeId, p_step: step });

  const doubt = (claim: Claim, ...asked: readonly Question[]): Promise<string> =>
    db().rpc('set_in_doubt', { ...lease(claim), p_in_doubt: asked.map((each) => ({ ...each, reason: 'unknown' })) });

  async function answersTo(robot: string, claim: Claim): Promise<readonly Answer[]> {
    const { leases } = await db().rpc<{ leases: { answers: readonly Answer[] }[] }>('heartbeat_jobs', {
      p_robot_id: robot,
      p_leases: [{ job_id: claim.job_id, lease_token: claim.lease_token }],
      p_lock_timeout_ms: 300_000,
    });
    return leases[0]?.answers ?? [];
  }

  describe('a node in doubt', () => {
    test.each(['retry', 'skip', 'fail'])('is answered with %s, which its robot hears', async (answer) => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, { node_id: 'pay', step: 7 });
      expect(await answersTo(robot, claim)).toEqual([]);

      expect(await resolve(claim.job_id, answer)).toBe('answered');

      expect(await answersTo(robot, claim)).toMatchObject([{ node_id: 'pay', step: 7, answer }]);
      expect(await db().job(claim.job_id)).toMatchObject({ status: 'running', answers: [{ node_id: 'pay', answer }] });
    });

    test('keeps its answer when the same question arrives again, and loses it with the question', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, { node_id: 'pay', step: 7 });
      await resolve(claim.job_id, 'retry');

      await doubt(claim, { node_id: 'pay', step: 7 });
      expect(await answersTo(robot, claim)).toHaveLength(1);
      await doubt(claim, { node_id: 'pay', step: 9 });
      expect(await answersTo(robot, claim)).toEqual([]);
    });

    test('is answered through its own robot, too: one question, the first answer, and only while the job is its', async () => {
      const userId = newId();
      const robot = await db().robot({ userId });
      const claim = await db().running(robot);
      const own = db().signedIn(userId);
      const answer = (what: string, question: Record<string, unknown> = {}): Promise<string> =>
        own.rpc('answer_doubt', { ...lease(claim), p_answer: what, p_by: 'status page of desk', ...question });
      expect(await answer('retry')).toBe('not-waiting');
      await doubt(claim, { node_id: 'pay', step: 7, attempt: 2 }, { node_id: 'mail', step: 8, attempt: 1 });

      expect(await answer('retry')).toBe('ambiguous');
      expect(await answer('retry', { p_node_id: 'pay', p_step: 7, p_attempt: 1 })).toBe('not-waiting');
      expect(await answer('restart', { p_node_id: 'pay' })).toBe('not-offered');
      expect(await own.refused('answer_doubt', { ...lease(claim), p_answer: 'perhaps' })).toMatchObject({
        code: '22023',
      });
      expect(await answer('retry', { p_node_id: 'pay', p_step: 7, p_attempt: 2 })).toBe('answered');
      expect(await answer('retry', { p_node_id: 'pay' })).toBe('answered');
      expect(await answer('skip', { p_node_id: 'pay' })).toBe('already');
      expect(await resolve(claim.job_id, 'skip', 'pay')).toBe('already');
      expect(await answersTo(robot, claim)).toMatchObject([
        { node_id: 'pay', step: 7, attempt: 2, answer: 'retry', by: `${userId} (claimed: status page of desk)` },
      ]);

      await db().rpc('release_job', lease(claim));
      expect(await answer('retry')).toBe('stale');
    });

    test('names who answered or cancelled: who the database knows, and beside it who the caller says it is', async () => {
      const robot = await db().robot();
      const saying = async (header: string, name: string, args: Record<string, unknown>): Promise<unknown> => {
        const { data } = await db().client.rpc(name, args).setHeader('x-casare-caller', header);
        return data;
      };
      const long = 'x'.repeat(300);
      for (const [header, by] of [
        [String.raw`"J\u00fcrgen@desk"`, 'service_role (claimed: Jürgen@desk)'],
        [String.raw`"a\nb\u0007c"`, 'service_role (claimed: a b c)'],
        [`"${long}"`, `service_role (claimed: ${long.slice(0, 100)})`],
        ['ann@desk', 'service_role'],
        [String.raw`"\u0000"`, 'service_role'],
        ['" "', 'service_role'],
      ] as const) {
        const claim = await db().running(robot);
        await doubt(claim, { node_id: 'pay', step: 7 });
        expect(await saying(header, 'resolve_job', { p_job_id: claim.job_id, p_answer: 'retry' })).toBe('answered');
        expect(await saying(header, 'cancel_job', { p_job_id: claim.job_id, p_reason: 'x' })).toBe('requested');
        const { answers, ...job } = (await db().job(claim.job_id)) as unknown as Record<string, unknown>;
        expect([answers, job]).toMatchObject([[{ by }], { cancel_requested_by: by }]);
      }
      expect(await db().signedIn(newId()).refused('cancel_job', { p_job_id: newId() })).toMatchObject({
        code: '42501',
      });
    });

    test('is shown with the answers that were acted on, but not with those of a robot that had lost the job', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      const acted = (seq: number, answer: string) => ({
        seq,
        kind: 'doubt_answered',
        node_id: 'pay',
        payload: { step: 7, attempt: seq, answer, by: 'ann', given_at: '2026-01-01T10:20:30.000Z' },
      });
      const tell = (events: readonly object[]) => db().rpc('record_events', { ...lease(claim), p_events: events });
      await tell([acted(1, 'retry'), { seq: 2, kind: 'node_completed', node_id: 'pay' }, acted(3, 'skip')]);
      await db().rpc('release_job', lease(claim));
      await tell([acted(4, 'fail')]);

      expect((await db().job(claim.job_id)).past_answers).toEqual([
        { node_id: 'pay', step: 7, attempt: 1, answer: 'retry', by: 'ann', at: '2026-01-01T10:20:30.000Z' },
        { node_id: 'pay', step: 7, attempt: 3, answer: 'skip', by: 'ann', at: '2026-01-01T10:20:30.000Z' },
      ]);
    });

    test('does not keep the answer when it is asked about anew, after a retry that was interrupted', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, { node_id: 'pay', step: 7, attempt: 1 });
      await resolve(claim.job_id, 'retry');
      expect(await answersTo(robot, claim)).toMatchObject([{ step: 7, attempt: 1 }]);

      await doubt(claim, { node_id: 'pay', step: 7, attempt: 2 });
      expect(await answersTo(robot, claim)).toEqual([]);
    });

    test('has to be named when several wait, by its step when one node waits several times', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, { node_id: 'pay', step: 7 }, { node_id: 'pay', step: 8 }, { node_id: 'mail', step: 9 });

      expect(await resolve(claim.job_id, 'retry')).toBe('ambiguous');
      expect(await resolve(claim.job_id, 'retry', 'pay')).toBe('ambiguous');
      expect(await resolve(claim.job_id, 'retry', 'pay', 9)).toBe('not-waiting');
      expect(await answersTo(robot, claim)).toEqual([]);
      expect(await resolve(claim.job_id, 'retry', 'pay', 8)).toBe('answered');
      expect(await resolve(claim.job_id, 'skip', null, 9)).toBe('answered');
      expect(await answersTo(robot, claim)).toMatchObject([{ step: 8 }, { step: 9 }]);
    });

    test('is answered by name beside another one, and the first answer stands', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, { node_id: 'pay', step: 7 }, { node_id: 'mail', step: 8 });

      const answers = await Promise.all([
        resolve(claim.job_id, 'retry', 'mail'),
        resolve(claim.job_id, 'skip', 'mail'),
        resolve(claim.job_id, 'retry', 'mail'),
      ]);
      const [{ answer: stands }, ...others] = (await answersTo(robot, claim)) as readonly [Answer, ...Answer[]];
      expect(others).toEqual([]);
      expect(answers).toEqual(['retry', 'skip', 'retry'].map((answer) => (answer === stands ? 'answered' : 'already')));
      expect(await resolve(claim.job_id, 'skip', 'other')).toBe('not-waiting');
    });
  });

  test.each(['retry', 'skip', 'fail', 'restart'])('answers %s to nobody when nothing waits', async (answer) => {
    const claim = await db().running(await db().robot());
    expect(await resolve(claim.job_id, answer)).toBe('not-waiting');
    await db().complete(claim);
    expect(await resolve(claim.job_id, answer)).toBe('final');
    expect(await resolve(newId(), answer)).toBe('unknown');
  });

  test('refuses an answer that it does not know, by name', async () => {
    const claim = await db().running(await db().robot());
    const refusal = await db().refused('resolve_job', { p_job_id: claim.job_id, p_answer: 'maybe' });
    expect(refusal).toMatchObject({ code: '22023', message: expect.stringContaining('p_answer') });
  });

  describe('a job that is in doubt as a whole', () => {
    const whole: Question = { node_id: null, answers: ['restart', 'fail'] };

    test('begins anew under a new token while its robot still holds the lease, which is stale from then on', async () => {
      const robot = await db().robot();
      const old = await db().running(robot);
      await doubt(old, whole);

      expect(await resolve(old.job_id, 'restart')).toBe('restarted');

      expect(await db().heartbeat(robot, old)).toEqual(['stale']);
      const [claim] = (await db().claim(robot)) as [Claim];
      expect(claim).toMatchObject({ job_id: old.job_id, attempt: 1 });
      expect(await db().complete(old)).toBe('stale');
      expect(await db().job(old.job_id)).toMatchObject({ status: 'running', in_doubt: [], answers: [] });
    });

    test('is answered with what its question offers, and nothing else', async () => {
      const robot = await db().robot();
      const claim = await db().running(robot);
      await doubt(claim, whole);

      expect(await resolve(claim.job_id, 'retry')).toBe('not-offered');
      expect(await resolve(claim.job_id, 'fail')).toBe('answered');
      expect(await answersTo(robot, claim)).toMatchObject([{ node_id: null, step: null, answer: 'fail' }]);
      await doubt(claim, { node_id: 'pay', step: 1 });
      expect(await resolve(claim.job_id, 'restart')).toBe('not-offered');
    });

    test.each([[{ node_id: '' }], [{ node_id: 7 }], [{ step: 'x' }], [{ answers: 'retry' }], ['pay']])(
      'refuses the question %j',
      async (question) => {
        const claim = await db().running(await db().robot());
        const refusal = await db().refused('set_in_doubt', { ...lease(claim), p_in_doubt: [question] });
        expect(refusal).toMatchObject({ code: '22023', message: expect.stringContaining('p_in_doubt') });
      },
    );
  });

  describe('a lost job', () => {
    test('is restarted under a new token; its old robot is stale', async () => {
      const [own, other] = [await db().robot(), await db().robot()];
      const old = await db().running(own);
      await doubt(old, { node_id: 'pay', step: 1 });
      await db().expire(old.job_id);

      expect(await resolve(old.job_id, 'restart')).toBe('restarted');

      const [claim] = (await db().claim(other)) as [Claim];
      expect(claim).toMatchObject({ job_id: old.job_id, attempt: 1 });
      expect(await db().heartbeat(own, old)).toEqual(['stale']);
      expect(await db().complete(old)).toBe('stale');
      expect(await db().job(old.job_id)).toMatchObject({ status: 'running', claimed_by: other, in_doubt: [] });
    });

    test('ends as failed; what its robot sends later is kept as evidence only', async () => {
      const old = await db().running(await db().robot());
      await db().expire(old.job_id);

      expect(await resolve(old.job_id, 'fail')).toBe('failed');

      expect(await db().complete(old, 'completed')).toBe('stale');
      const job = await db().job(old.job_id);
      expect(job).toMatchObject({ status: 'failed', error: { code: 'RESOLVED_AS_FAILED' } });
      expect(job.attempts).toMatchObject([{ outcome: 'lost' }]);
      expect(await db().history(old.job_id)).toMatchObject([{ kind: 'superseded_result', superseded: true }]);
    });

    test('that is not lost is not restarted', async () => {
      const claim = await db().running(await db().robot());
      expect(await resolve(claim.job_id, 'restart')).toBe('not-waiting');
      expect(await db().complete(claim)).toBe('ok');
    });
  });

  describe('redrive_job', () => {
    const redrive = (jobId: string): Promise<string> => db().rpc('redrive_job', { p_job_id: jobId });

    test('opens one more attempt under a new token, and keeps the record of those before', async () => {
      const robot = await db().robot();
      const first = await db().running(robot);
      await db().complete(first, 'failed', { p_error: { code: 'BROKEN', category: 'permanent' } });

      expect(await redrive(first.job_id)).toBe('redriven');

      const [claim] = (await db().claim(robot)) as [Claim];
      expect(claim).toMatchObject({ job_id: first.job_id, attempt: 2 });
      expect(BigInt(claim.lease_token)).toBeGreaterThan(BigInt(first.lease_token));
      expect(await db().complete(first)).toBe('conflict');
      expect(await db().job(first.job_id)).toMatchObject({ status: 'running', error: null });
      expect(await db().complete(claim)).toBe('ok');
      const job = await db().job(first.job_id);
      expect(job.status).toBe('completed');
      expect(job.attempts).toMatchObject([{ outcome: 'failed', error: { code: 'BROKEN' } }, { outcome: 'completed' }]);
    });

    test('leaves alone what has not ended badly', async () => {
      const claim = await db().running(await db().robot());
      expect(await redrive(claim.job_id)).toBe('not-failed');
      await db().complete(claim);
      expect(await redrive(claim.job_id)).toBe('not-failed');
      expect(await redrive(newId())).toBe('unknown');
    });

    test('does not run beside a job with the same dedup key', async () => {
      const robot = await db().robot();
      const first = await db().running(robot, { p_dedup_key: 'month' });
      await db().complete(first, 'failed');
      await db().enqueue({ p_dedup_key: 'month' });

      expect(await redrive(first.job_id)).toBe('duplicate');
      expect(await db().job(first.job_id)).toMatchObject({ status: 'failed' });
    });
  });

  test('purge_jobs drops what ended long ago, and nothing else', async () => {
    const robot = await db().robot();
    const [old, recent, running] = [await db().running(robot), await db().running(robot), await db().running(robot)];
    await db().complete(old);
    await db().complete(recent);
    await db().server.sql("update jobs set completed_at = clock_timestamp() - interval '2 days' where id = $1", [
      old.job_id,
    ]);

    expect(await db().rpc('purge_jobs', { p_older_than_ms: 86_400_000 })).toBe(1);
    for (const name of ['purge_jobs', 'purge_audit_anchors'])
      expect(await db().refused(name, { p_older_than_ms: '9223372036854775807' })).toMatchObject({ code: '22023' });

    expect(await db().rpc('get_job', { p_job_id: old.job_id })).toBeNull();
    expect(await db().job(recent.job_id)).toMatchObject({ status: 'completed' });
    expect(await db().job(running.job_id)).toMatchObject({ status: 'running' });
  });
}
