/** What a job in doubt waits for, as its log and the audit log say it to people. */
import type { DoubtQuestion } from '@casare/execution';

/** A question with the type of its node; null for the job as a whole, and where nobody knows. */
export interface NamedQuestion extends DoubtQuestion {
  readonly node_type: string | null;
}

/** Named at most; the others are counted (I7). */
const mostNamed = 5;

/**
 * @example
 * doubtText([{ node_id: 'pay', node_type: 'HttpRequestNode', step: 4, attempt: 1, reason: 'it was cut off', answers: ['retry'] }]);
 * // 'node "pay" (HttpRequestNode, step 4, attempt 1) may or may not have taken effect: it was cut off'
 */
export function doubtText(questions: readonly NamedQuestion[]): string {
  const named = questions.slice(0, mostNamed).map((question) => {
    const { node_id: nodeId, reason } = question;
    return nodeId === null ? reason : `${nodeText(question)} may or may not have taken effect: ${reason}`;
  });
  const others = questions.length - named.length;
  return [...named, ...(others > 0 ? [`and ${others} more`] : [])].join('; ');
}

/** `node "pay" (HttpRequestNode, step 4, attempt 1)`, as far as that is known; `the job as a whole`. */
export function nodeText(question: Pick<NamedQuestion, 'node_id' | 'node_type' | 'step' | 'attempt'>): string {
  const { node_id: nodeId, node_type: type, step, attempt } = question;
  if (nodeId === null) return 'the job as a whole';
  const details = [type, step === null ? null : `step ${step}`, attempt === null ? null : `attempt ${attempt}`];
  const known = details.filter((detail) => detail !== null);
  return `node "${nodeId}"${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
}
