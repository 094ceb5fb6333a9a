/** What people write when they ask a robot for something, without the secrets that it knows (I8). */
import type { LeaseAnswer } from '@casare/execution';
import type { Redactor } from '@casare/observability';
import type { Requester } from './requester.ts';

type Redacts = Pick<Redactor, 'text'>;

const freeTexts = ['note', 'reason', 'requestedBy', 'requestedFrom'] as const;

/** Its note and reason, and who asks; all else stays as it is. */
export function redactedRequest<R extends Requester & { readonly note?: string | null; readonly reason?: string }>(
  request: R,
  redactor: Redacts,
): R {
  const clean = freeTexts.flatMap((name) => {
    const value: unknown = Reflect.get(request, name);
    return typeof value === 'string' ? [[name, redactor.text(value)] as const] : [];
  });
  return { ...request, ...Object.fromEntries(clean) };
}

/** What the database passes on: who cancelled a job and why, and who answered a question. */
export function redactedLease(lease: LeaseAnswer, redactor: Redacts): LeaseAnswer {
  const { cancelReason, cancelRequestedBy, answers } = lease;
  return {
    ...lease,
    cancelReason: cancelReason === null ? null : redactor.text(cancelReason),
    cancelRequestedBy: cancelRequestedBy === null ? null : redactor.text(cancelRequestedBy),
    answers: answers.map((answer) => ({ ...answer, by: redactor.text(answer.by) })),
  };
}
