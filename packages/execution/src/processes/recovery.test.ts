import { describe, expect, it } from 'vitest';
import type { IntentEntry } from '../engine/journal.ts';
import { RecoveryPlan, type Setback } from './recovery.ts';

const died: Setback = { kind: 'died', end: { signal: 'SIGKILL', exitCode: null }, error: null, isHeapFull: false };
const memory: Setback = { kind: 'memory', usedBytes: 2 ** 30, limitBytes: 2 ** 29 };

function intent(step: number, nodeId = `n${step}`): IntentEntry {
  return { kind: 'intent', step, node_id: nodeId, effect: 'pure', attempt: 1, idempotency_key: 'k', at: 0 };
}

/** What the plan does about one setback after the other; each entry: the setback, the open nodes, the commits so far. */
function treatments(
  ...setbacks: readonly (readonly [Setback, readonly IntentEntry[], number])[]
): readonly (string | null)[] {
  const plan = new RecoveryPlan();
  return setbacks.map((setback) => {
    const next = plan.after(...setback);
    return next.kind === 'give_up' ? 'give up' : (next.interruption?.treatment ?? null);
  });
}

describe('a run whose process is gone', () => {
  it('is resumed twice at a node, which then fails', () => {
    expect(treatments([died, [intent(4)], 5], [died, [intent(4)], 6], [died, [intent(4)], 7])).toEqual([
      'explain',
      'explain',
      'fail',
    ]);
  });

  it('counts anew at the next node', () => {
    expect(
      treatments([died, [intent(1)], 1], [died, [intent(1)], 2], [died, [intent(2)], 3], [died, [intent(2)], 4]),
    ).toEqual(['explain', 'explain', 'explain', 'explain']);
  });

  it('is resumed once after the memory limit', () => {
    expect(treatments([memory, [intent(1)], 1], [memory, [intent(1)], 2])).toEqual(['explain', 'fail']);
  });

  it('fails the node that passed its limit, and not another one that is under way beside it', () => {
    const next = new RecoveryPlan().after({ kind: 'node_timeout', step: 3, limitMs: 10 }, [intent(2), intent(3)], 4);
    expect(next).toMatchObject({ interruption: { step: 3, treatment: 'fail', error: { code: 'NODE_TIMEOUT' } } });
  });

  it('fails the node that was there at every death, and not those that come and go beside it', () => {
    const plan = new RecoveryPlan();
    plan.after(died, [intent(2), intent(5)], 5);
    plan.after(died, [intent(2), intent(8)], 8);
    const third = plan.after(died, [intent(2), intent(11)], 11);
    expect(third).toMatchObject({ interruption: { step: 2, treatment: 'fail' } });
  });

  it('takes the node that began last for the cause when several were always there', () => {
    expect(new RecoveryPlan().after(died, [intent(2), intent(3)], 5)).toMatchObject({ interruption: { step: 3 } });
  });

  it('fails a node that does not stop with its branch, the third time', () => {
    const deaf: Setback = { kind: 'stop_ignored' };
    expect(treatments([deaf, [intent(1)], 1], [deaf, [intent(1)], 2], [deaf, [intent(1)], 3])).toEqual([
      'explain',
      'explain',
      'fail',
    ]);
  });

  it('is given up when it makes no commit although its node was told to fail', () => {
    const stuck = [died, [], 0] as const;
    expect(treatments(stuck, stuck, stuck, stuck)).toEqual(['explain', 'explain', 'fail', 'give up']);
    const plan = new RecoveryPlan();
    for (let death = 0; death < 3; death += 1) plan.after(died, [intent(1)], 2);
    expect(plan.after(died, [intent(1)], 2)).toMatchObject({
      kind: 'give_up',
      error: { code: 'JOB_PROCESS_DIED', node_id: 'n1', details: { signal: 'SIGKILL' } },
    });
  });

  it('is said to have run out of memory when its heap was full', () => {
    const next = new RecoveryPlan().after({ ...died, isHeapFull: true }, [intent(1)], 1);
    expect(next).toMatchObject({ interruption: { error: { code: 'JOB_MEMORY_LIMIT' } } });
  });
});
