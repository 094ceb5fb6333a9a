import { expect, test } from 'vitest';
import { newId, type Orchestra } from '../orchestra.ts';

const hash = (digit: string): string => digit.repeat(64);

/** Anchors of audit logs: they only go forward, and nobody changes them. */
export function anchorSuite(db: () => Orchestra): void {
  const anchor = (robot: string, seq: number, more: Record<string, unknown> = {}) => ({
    p_robot_id: robot,
    p_seq: seq,
    p_hash: hash('a'),
    p_signature: 'c2lnbmF0dXJl',
    p_at: '2026-01-01T10:20:30.040Z',
    p_segment: 1,
    ...more,
  });

  test('of a robot go forward; the same one again is fine, another one or an earlier one is refused', async () => {
    const userId = newId();
    const robot = await db().robot({ userId });
    const self = db().signedIn(userId);
    expect(await self.rpc('anchor_audit', anchor(robot, 10))).toBe('ok');
    expect(await self.rpc('anchor_audit', anchor(robot, 10))).toBe('ok');
    expect(await self.rpc('anchor_audit', anchor(robot, 20, { p_hash: hash('b'), p_segment: 2 }))).toBe('ok');
    expect(await self.rpc('anchor_audit', anchor(robot, 10))).toBe('ok');

    const refusals = [
      await self.refused('anchor_audit', anchor(robot, 20, { p_hash: hash('c'), p_segment: 2 })),
      await self.refused('anchor_audit', anchor(robot, 15)),
      await self.refused('anchor_audit', anchor(robot, 30)),
      await self.refused('anchor_audit', anchor(robot, 30, { p_hash: 'x', p_segment: 2 })),
      await self.refused(
        'anchor_audit',
        anchor(robot, 30, { p_segment: 2, p_key_id: hash('a').slice(48), p_public_key: 'AAAA' }),
      ),
    ];
    expect(refusals.map(({ code, message }) => `${code} ${message.split(':')[0]}`)).toEqual([
      '22023 p_hash',
      '22023 p_seq',
      '22023 p_seq',
      '22023 p_hash must be 64 lower-case hex digits',
      '22023 p_key_id must be the beginning of the SHA-256 of p_public_key',
    ]);

    const kept = await self.rpc<Record<string, unknown>[]>('list_audit_anchors', { p_robot_id: robot });
    expect(kept).toMatchObject([
      { robot_id: robot, seq: 10, hash: hash('a'), at: '2026-01-01T10:20:30.040Z', segment: 1 },
      { robot_id: robot, seq: 20, hash: hash('b') },
    ]);
    expect(await db().rpc('list_audit_anchors', { p_robot_id: robot, p_limit: 1 })).toMatchObject([{ seq: 20 }]);
  });

  test('are written by their robot, and by no operator', async () => {
    const [robot, operator] = [await db().robot({ userId: newId() }), newId()];
    await db().server.sql('insert into operators values ($1)', [operator]);
    const refusal = await db().signedIn(operator).refused('anchor_audit', anchor(robot, 1));
    expect(refusal).toMatchObject({ code: '42501', status: 403 });
    expect(await db().signedIn(operator).rpc('list_audit_anchors', { p_robot_id: robot })).toEqual([]);
  });

  test('are changed neither by the service role nor by the owner of the database, who may only drop old ones', async () => {
    const robot = await db().robot();
    await db().rpc('anchor_audit', anchor(robot, 1));
    await db().rpc('anchor_audit', anchor(robot, 2));
    const { error } = await db()
      .client.from('audit_anchors')
      .update({ hash: hash('f') })
      .eq('robot_id', robot);
    expect(error).toMatchObject({ code: '42501' });
    for (const statement of [
      `update audit_anchors set hash = '${hash('f')}'`,
      'delete from audit_anchors',
      'truncate audit_anchors',
    ]) {
      await expect(db().server.sql(statement)).rejects.toThrow('never changed');
    }
    await db().rpc('purge_audit_anchors', { p_older_than_ms: 0 });
    expect(await db().rpc('list_audit_anchors', { p_robot_id: robot })).toMatchObject([{ seq: 2 }]);
    await expect(db().server.sql('delete from audit_anchors')).rejects.toThrow('never changed');
  });
}
