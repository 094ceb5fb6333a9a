import { expect, test } from 'vitest';
import { type Claim, lease, newId, type Orchestra } from '../orchestra.ts';

interface Page {
  readonly lines: readonly { readonly lease_token: string; readonly seq: number; readonly message: string }[];
  readonly leases: readonly { readonly next_seq: number; readonly dropped: number; readonly robot_name: string }[];
  readonly has_more: boolean;
}

/** Lines of jobs: numbered, bounded, and only under a lease. */
export function logSuite(db: () => Orchestra): void {
  const lines = (...messages: readonly string[]) => messages.map((message) => ({ level: 'info', message }));
  const append = (claim: Claim, first: number, ...messages: readonly string[]): Promise<string> =>
    db().rpc('append_job_logs', { ...lease(claim), p_first_seq: first, p_lines: lines(...messages) });
  const read = (claim: Claim, more: Record<string, unknown> = {}): Promise<Page> =>
    db().rpc('get_job_logs', { p_job_id: claim.job_id, ...more });
  const numbered = async (claim: Claim): Promise<string[]> =>
    (await read(claim)).lines.map(({ seq, message }) => `${seq} ${message}`);

  test('lines are kept once however often they are sent, and numbers that never come stay missing', async () => {
    const claim = await db().running(await db().robot());
    expect(await append(claim, 1, 'a', 'b')).toBe('ok');
    expect(await append(claim, 2, 'b', 'c')).toBe('ok');
    expect(await append(claim, 6, 'f')).toBe('ok');
    expect(await append(claim, 9)).toBe('ok');
    expect(await append(claim, 1, 'a')).toBe('ok');
    expect(await numbered(claim)).toEqual(['1 a', '2 b', '3 c', '6 f']);
    expect(await read(claim)).toMatchObject({ leases: [{ next_seq: 9, dropped: 0 }], has_more: false });
    const after = { p_after_token: claim.lease_token, p_after_seq: 1, p_limit: 1 };
    expect(await read(claim, after)).toMatchObject({ lines: [{ seq: 2, message: 'b' }], has_more: true });
  });

  test('the last lines come after the end of the job; those of a lease that it went on without do not', async () => {
    const robot = await db().robot();
    const [ended, lost, cancelled] = [
      await db().running(robot),
      await db().running(robot, { p_on_lost: 'restart' }),
      await db().running(robot),
    ];
    await db().complete(ended, 'failed');
    await db().expire(lost.job_id);
    await db().rpc('reap_expired_jobs');
    await db().rpc('cancel_job', { p_job_id: cancelled.job_id });
    const answers = await db().rpc<{ outcome: string }[]>('append_job_logs_batch', {
      p_batches: [lost, cancelled, ended].map(({ job_id, lease_token }) => ({
        job_id,
        lease_token,
        first_seq: 1,
        lines: lines('late'),
      })),
    });
    expect(answers.map(({ outcome }) => outcome)).toEqual(['stale', 'cancelled', 'ok']);
    expect(await numbered(ended)).toEqual(['1 late']);
    expect(await numbered(lost)).toEqual([]);
    const unknown = { p_job_id: ended.job_id, p_lease_token: '1', p_first_seq: 1, p_lines: lines('forged') };
    expect(await db().rpc('append_job_logs', unknown)).toBe('stale');
  });

  test('a lease keeps its newest 10,000 lines, cut to a size that people read, and says how many it dropped', async () => {
    const claim = await db().running(await db().robot());
    const thousand = Array.from({ length: 1_000 }, () => ({ level: 'debug', message: '' }));
    for (let first = 1; first <= 10_001; first += 1_000) {
      await db().rpc('append_job_logs', { ...lease(claim), p_first_seq: first, p_lines: thousand });
    }
    await append(claim, 11_001, 'x'.repeat(5_000));
    const [{ kept, longest } = { kept: 0, longest: 0 }] = await db().server.sql<{ kept: number; longest: number }>(
      'select count(*)::int as kept, max(length(message)) as longest from job_logs where job_id = $1',
      [claim.job_id],
    );
    expect({ kept, longest }).toEqual({ kept: 10_000, longest: 4_009 });
    expect(await read(claim)).toMatchObject({ leases: [{ next_seq: 11_002, dropped: 1_001 }], has_more: true });
  });

  test('only the robot that holds the lease writes, only operators read, and lines go with their job', async () => {
    const [owner, other] = [newId(), newId()];
    const claim = await db().running(await db().robot({ userId: owner }));
    await db().robot({ userId: other });
    const args = { ...lease(claim), p_first_seq: 1, p_lines: lines('mine') };
    expect(await db().signedIn(other).refused('append_job_logs', args)).toMatchObject({ code: '42501' });
    expect(await db().anon.refused('append_job_logs', args)).toMatchObject({ code: '42501' });
    expect(await db().signedIn(owner).rpc('append_job_logs', args)).toBe('ok');
    const reading = { p_job_id: claim.job_id };
    expect(await db().signedIn(owner).refused('get_job_logs', reading)).toMatchObject({ code: '42501' });
    expect(await db().rpc('get_job_logs', { p_job_id: newId() })).toBeNull();
    await db().complete(claim);
    await db().rpc('purge_jobs', { p_older_than_ms: 0 });
    expect(await db().server.sql('select from job_logs')).toEqual([]);
  });

  test('what is no batch of lines is refused by name, and nothing of it is taken', async () => {
    const claim = await db().running(await db().robot());
    const good = { ...lease(claim), p_first_seq: 1, p_lines: lines('good') };
    for (const bad of [
      { ...good, p_first_seq: 0 },
      { ...good, p_lines: {} },
      { ...good, p_lines: [...lines('good'), { level: 'loud', message: '' }] },
      { ...good, p_lines: [{ level: 'info' }] },
      { ...good, p_lines: [...lines('good'), { level: 'info', message: '', at: 'soon' }] },
      { ...good, p_lines: Array.from({ length: 1_001 }, () => lines('x')[0]) },
    ]) {
      expect(await db().refused('append_job_logs', bad)).toMatchObject({ code: '22023' });
    }
    const batch = { job_id: claim.job_id, lease_token: claim.lease_token, first_seq: 1, lines: lines('good') };
    for (const bad of [
      { ...batch, job_id: 'x' },
      { ...batch, lines: 'x' },
      { ...batch, first_seq: -1 },
    ]) {
      expect(await db().refused('append_job_logs_batch', { p_batches: [batch, bad] })).toMatchObject({ code: '22023' });
    }
    expect(await numbered(claim)).toEqual([]);
  });
}
