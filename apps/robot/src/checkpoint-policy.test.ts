import type { JournalEntry, ResultEntry } from '@casare/execution';
import { describe, expect, it } from 'vitest';
import { interruptionOf, withCheckpointPolicy } from './checkpoint-policy.ts';
import type { DurableJob } from './job-journal.ts';

const began: JournalEntry = { kind: 'began', workflow_hash: 'h', variables: {}, at: 0 };
const intent = (step: number, effect: 'pure' | 'effect'): JournalEntry => ({
  kind: 'intent',
  step,
  node_id: `n${step}`,
  effect,
  attempt: 1,
  idempotency_key: `k${step}`,
  at: 0,
});
const result = (step: number): ResultEntry => ({
  kind: 'result',
  step,
  node_id: `n${step}`,
  exit: 'exec_out',
  outputs: {},
  variables: {},
  duration_ms: 0,
  retries: 0,
  at: 0,
});
const outcome: JournalEntry = {
  kind: 'outcome',
  outcome: { status: 'completed', duration_ms: 0, nodes_total: 4, nodes_executed: 4, nodes_skipped: 0 },
  at: 0,
};

function recorder() {
  const commits: string[][] = [];
  const stored: JournalEntry[] = [];
  const job: DurableJob = {
    load: async () => stored,
    commit: async (entries) => {
      stored.push(...entries);
      commits.push(entries.map((entry) => ('step' in entry ? `${entry.kind} ${entry.step}` : entry.kind)));
    },
  };
  return { job, commits, stored };
}

/** Two pure nodes, an effect, and a pure node, as the engine commits them. */
const run: readonly (readonly JournalEntry[])[] = [
  [began, intent(1, 'pure')],
  [result(1), intent(2, 'pure')],
  [result(2), intent(3, 'effect')],
  [result(3), intent(4, 'pure')],
  [result(4), outcome],
];

describe('checkpoints', () => {
  it('are written with every node by default', async () => {
    const { job, commits } = recorder();
    const same = withCheckpointPolicy(job, { enabled: true, onEveryNode: true });
    for (const entries of run) await same.commit(entries, { outbox: [] });
    expect(commits).toHaveLength(5);
  });

  it('wait for the next effect when not every node asks for one, and never past an effect', async () => {
    const { job, commits } = recorder();
    const lazy = withCheckpointPolicy(job, { enabled: true, onEveryNode: false });
    for (const entries of run) await lazy.commit(entries, { outbox: [] });
    expect(commits).toEqual([
      ['began', 'intent 1'],
      ['result 1', 'intent 2', 'result 2', 'intent 3'],
      ['result 3', 'intent 4'],
      ['result 4', 'outcome'],
    ]);
  });

  it('are left out when they are off: intents of effects and the outcome stay', async () => {
    const { job, commits, stored } = recorder();
    const off = withCheckpointPolicy(job, { enabled: false, onEveryNode: true });
    for (const entries of run.slice(0, 3)) await off.commit(entries, { outbox: [] });
    expect(interruptionOf(stored)).toMatchObject({ code: 'INTERRUPTED', node_id: 'n3' });
    for (const entries of run.slice(3)) await off.commit(entries, { outbox: [] });
    expect(commits.flat()).toEqual(['began', 'intent 3', 'outcome']);
    expect(interruptionOf(stored)).toBeNull();
  });

  it('of a run that has them never stand in the way of resuming it', () => {
    expect(interruptionOf([began, intent(1, 'effect')])).toBeNull();
    expect(interruptionOf([])).toBeNull();
  });
});
