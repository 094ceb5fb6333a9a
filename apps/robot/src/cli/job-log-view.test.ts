import type { JobLogPage } from '@casare/execution';
import { expect, it } from 'vitest';
import { JobLogView } from './job-log-view.ts';

const line = (leaseToken: string, seq: number, level: 'info' | 'error' = 'info') => ({
  leaseToken,
  seq,
  at: '2026-01-01T00:00:00Z',
  level,
  nodeId: null,
  message: `${leaseToken}/${seq}`,
});
const lease = (leaseToken: string, attempt: number, nextSeq: number) => ({
  leaseToken,
  attempt,
  nextSeq,
  dropped: 0,
  robotName: 'r',
});
const page = (lines: JobLogPage['lines'], leases: JobLogPage['leases']): JobLogPage => ({
  lines,
  leases,
  hasMore: false,
});

it('tells what is missing before, between and behind lines, over pages and attempts', () => {
  const view = new JobLogView({ json: false });
  const leases = [lease('5', 1, 8), lease('6', 2, 4), lease('9', 3, 3)];
  const shown = [
    ...view.take(page([line('5', 3), line('5', 4)], leases)),
    ...view.take(page([line('5', 6), line('9', 1)], leases)),
    ...view.take(page([], [...leases.slice(0, 2), lease('9', 3, 5)])),
    ...view.end(),
  ].map((text) => text.replace(/^2026.* /, ''));
  expect(shown).toEqual([
    '--- attempt 1 on r ---',
    '... 2 lines missing ...',
    '5/3',
    '5/4',
    '... 1 line missing ...',
    '5/6',
    '... 1 line missing ...',
    '... 3 lines missing ...',
    '--- attempt 3 on r ---',
    '9/1',
    '... 3 lines missing ...',
  ]);
});

it('does not take lines below the level for missing ones', () => {
  const view = new JobLogView({ json: true, level: 'error' });
  const shown = [...view.take(page([line('5', 1), line('5', 2, 'error')], [lease('5', 1, 3)])), ...view.end()];
  expect(shown).toHaveLength(1);
  expect(JSON.parse(shown[0] ?? '')).toMatchObject({ seq: 2, level: 'error' });
});
