import { describe, expect, test } from 'vitest';
import { type Caller, type Claim, newId, type Orchestra } from '../orchestra.ts';

const tables = [
  'robots',
  'jobs',
  'job_attempts',
  'job_history',
  'job_logs',
  'robot_metrics',
  'operators',
  'audit_anchors',
] as const;
const verbs = ['select', 'insert', 'update', 'delete'] as const;
const callers = ['anon', 'robot A', 'robot B', 'operator', 'stranger'] as const;

type Table = (typeof tables)[number];
type Verb = (typeof verbs)[number];

/** Column that every table has a value in, and that an attacker would change. */
const target: Readonly<Record<Table, { readonly column: string; readonly forged: unknown }>> = {
  robots: { column: 'name', forged: 'forged' },
  jobs: { column: 'status', forged: 'completed' },
  job_attempts: { column: 'outcome', forged: 'completed' },
  job_history: { column: 'kind', forged: 'forged' },
  job_logs: { column: 'message', forged: 'forged' },
  robot_metrics: { column: 'metrics', forged: { forged: true } },
  operators: { column: 'user_id', forged: newId() },
  audit_anchors: { column: 'hash', forged: 'f'.repeat(64) },
};

/** Who may do what to the rows: operators may look, and nobody else may do anything. */
export function accessMatrixSuite(db: () => Orchestra): void {
  async function everybody(): Promise<Readonly<Record<(typeof callers)[number], Caller>>> {
    const ids = { a: newId(), b: newId(), operator: newId() };
    await db().server.sql('insert into operators values ($1)', [ids.operator]);
    const robotA = await db().robot({ userId: ids.a });
    await db().robot({ userId: ids.b });
    const claim: Claim = await db().running(robotA);
    const held = { p_job_id: claim.job_id, p_lease_token: claim.lease_token };
    await db().rpc('record_events', { ...held, p_events: [{ seq: 1, kind: 'job_started' }] });
    await db().rpc('append_job_logs', { ...held, p_first_seq: 1, p_lines: [{ level: 'info', message: 'begun' }] });
    await db().rpc('robot_heartbeat', { p_robot_id: robotA, p_status: 'busy', p_metrics: { cpu: 1 } });
    await db().rpc('anchor_audit', {
      ...{ p_robot_id: robotA, p_seq: 1, p_hash: 'a'.repeat(64), p_signature: 's' },
      ...{ p_at: '2026-01-01T00:00:00Z', p_segment: 1 },
    });
    return {
      anon: db().anon,
      'robot A': db().signedIn(ids.a),
      'robot B': db().signedIn(ids.b),
      operator: db().signedIn(ids.operator),
      stranger: db().signedIn(newId()),
    };
  }

  const rowsOf = (table: Table): Promise<unknown[]> =>
    db().server.sql(`select to_jsonb(t) as row from ${table} t order by 1`);

  /** How many rows the caller got hold of. */
  async function attempt({ client }: Caller, table: Table, verb: Verb): Promise<number> {
    const { column, forged } = target[table];
    const from = client.from(table);
    const answer =
      verb === 'select'
        ? await from.select()
        : verb === 'insert'
          ? await from.insert({ [column]: forged }).select()
          : verb === 'update'
            ? await from
                .update({ [column]: forged })
                .not(column, 'is', null)
                .select()
            : await from.delete().not(column, 'is', null).select();
    return (answer.data as unknown[] | null)?.length ?? 0;
  }

  describe.each(tables)('rows of %s', (table) => {
    test('can be looked at by operators, and changed or seen by nobody else', async () => {
      const everyone = await everybody();
      const before = await rowsOf(table);
      expect(before.length).toBeGreaterThan(0);

      const got: Record<string, number> = {};
      for (const caller of callers) {
        for (const verb of verbs) {
          const count = await attempt(everyone[caller], table, verb);
          if (count > 0) got[`${caller}: ${verb}`] = count;
        }
      }

      expect(got).toEqual({ 'operator: select': before.length });
      expect(await rowsOf(table)).toEqual(before);
    });
  });
}
