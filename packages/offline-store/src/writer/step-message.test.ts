import { expect, it } from 'vitest';
import { encodeEntries, noEntries } from '../journal/journal-entry.ts';
import { encodeDrafts, noDrafts } from '../outbox/draft-text.ts';
import type { StoreCommand } from './commands.ts';
import { packStep, unpackStep } from './step-message.ts';

const run = { runId: 3, jobId: 'job-456', leaseToken: '17' };
const entries = encodeEntries(
  [{ kind: 'result', node_id: 'n1', iteration: ['loop', 1] }, { kind: 'intent' }, { kind: 'result', node_id: 'n2' }],
  null,
);
const outbox = encodeDrafts([
  { kind: 'event', payload: 1 },
  { kind: 'end', payload: { text: '"' }, keep: true },
]);
const step = { entries, outbox, change: null, reserve: false };

it.each([step, { ...step, outbox: noDrafts }, { ...step, entries: noEntries }])(
  'a step arrives as it was sent: %j',
  (write) => {
    const command: StoreCommand = { op: 'record', run, write, nowMs: 5 };
    const message = packStep(9, command);
    expect(message === null ? null : unpackStep(message)).toEqual({ id: 9, command });
  },
);

it('whatever is more than a step is not taken for one', () => {
  const more = [
    { ...step, change: { status: 'completed' } as const },
    { ...step, reserve: true },
    { ...step, entries: encodeEntries([{ kind: 'snapshot' }], null) },
    { ...step, entries: encodeEntries([{ kind: 'result', ...{ token: 1 } }], [[['token']]]) },
    { ...step, entries: { ...entries, saved: true } },
  ];
  expect(packStep(1, { op: 'settle' })).toBeNull();
  for (const write of more) expect(packStep(1, { op: 'record', run, write, nowMs: 5 })).toBeNull();
  expect(packStep(1, { op: 'record', run: { jobId: 'job-456' }, write: step, nowMs: 5 })).toBeNull();
});
