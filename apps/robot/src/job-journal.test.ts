import type { JournalEntry } from '@casare/execution';
import { expect, it } from 'vitest';
import { type DurableJob, jobJournal, type OutboxDraft, type StatusChange } from './job-journal.ts';

it.each(['STORE_FULL', 'VALUE_TOO_LARGE'])(
  'saves the end of a job without its variables when the store has no room for them (%s)',
  async (code) => {
    const saved: { outbox: readonly OutboxDraft[]; status: StatusChange | undefined }[] = [];
    const job: DurableJob = {
      load: async () => [],
      commit: async (_entries, { outbox, status }) => {
        if (JSON.stringify({ outbox, status }).length > 10_000) throw Object.assign(new Error('no'), { code });
        saved.push({ outbox, status });
      },
    };
    const journal = jobJournal(job, () => null);
    const began: JournalEntry = { kind: 'began', workflow_hash: 'h', variables: {}, at: 0 };
    const rest = { exit: null, outputs: {}, duration_ms: 1, retries: 0, at: 0 };
    await journal.commit([began]);
    const variables = { report: 'x'.repeat(20_000) };
    await journal.commit([{ kind: 'result', step: 1, node_id: 'a', variables, ...rest }]);
    const statistics = { duration_ms: 5, nodes_total: 1, nodes_executed: 1, nodes_skipped: 0 };
    await journal.commit([{ kind: 'outcome', outcome: { status: 'completed', ...statistics }, at: 0 }]);
    const result = { ...statistics, variables: {}, variables_left_out: 'the local store had no room for them' };
    const end = { status: 'completed', result, error: null };
    const { outbox, status } = saved.at(-1) ?? { outbox: [] };
    expect(status).toEqual(end);
    expect(outbox.map(({ kind }) => kind)).toEqual(['event', 'complete']);
    expect(outbox.at(-1)?.payload).toEqual({ ...end, progress: null });
  },
);
