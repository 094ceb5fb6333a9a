import { expect, it } from 'vitest';
import type { StoreCommand } from './commands.ts';
import { packStep, unpackStep } from './step-message.ts';

const run = { runId: 3, jobId: 'job-456', leaseToken: '17' };
const entries = [
  { kind: 'result', nodeId: 'n1', payload: '{"kind":"result"}', secrets: '[]', iteration: '["loop",1]' },
  { kind: 'intent', nodeId: null, payload: '{"kind":"intent"}', secrets: null, iteration: '[]' },
];
const outbox = [
  { kind: 'event', payload: '1', keep: false },
  { kind: 'end', payload: '2', keep: true },
];

it.each([
  { entries, outbox },
  { entries, outbox: [] },
  { entries: [], outbox },
])('a step arrives as it was sent: %j', (write) => {
  const command: StoreCommand = { op: 'record', run, write, nowMs: 5 };
  const message = packStep(9, command);
  expect(message === null ? null : unpackStep(message)).toEqual({ id: 9, command });
});

it('whatever is more than a step is not taken for one', () => {
  const change = { status: 'completed' } as const;
  expect(packStep(1, { op: 'settle' })).toBeNull();
  expect(packStep(1, { op: 'record', run, write: { entries, change }, nowMs: 5 })).toBeNull();
  expect(packStep(1, { op: 'record', run: { jobId: 'job-456' }, write: { entries }, nowMs: 5 })).toBeNull();
});
