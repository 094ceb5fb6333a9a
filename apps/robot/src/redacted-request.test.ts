import { Redactor } from '@casare/observability';
import { expect, it } from 'vitest';
import { redactedLease, redactedRequest } from './redacted-request.ts';

const redactor = new Redactor({ values: ['hush/314159'] });

it('loses secrets in what a person writes, and keeps the rest', () => {
  const request = { mode: 'cancel', reason: 'for hush%2f314159', requestedBy: 'ann hush/314159', requestedFrom: null };
  expect(redactedRequest(request, redactor)).toEqual({
    ...{ mode: 'cancel', reason: 'for [redacted]', requestedBy: 'ann [redacted]', requestedFrom: null },
  });
});

it('loses secrets in what others have written into the database', () => {
  const answer = { node_id: 'n', step: 1, attempt: 1, answer: 'retry', by: 'hush/314159', at: 'x' } as const;
  const lease = {
    ...{ jobId: 'j', leaseToken: '1', outcome: 'cancelled', known: null },
    ...{ cancelReason: 'for hush/314159', cancelRequestedBy: null, answers: [answer] },
  } as unknown as Parameters<typeof redactedLease>[0];
  expect(redactedLease(lease, redactor)).toEqual({
    ...lease,
    cancelReason: 'for [redacted]',
    answers: [{ ...answer, by: '[redacted]' }],
  });
});
