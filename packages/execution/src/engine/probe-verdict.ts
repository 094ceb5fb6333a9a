/** What a probe answered, which is code of others: whatever is no clear answer leaves the node in doubt (I4). */
import type { ProbeVerdict } from '../node-contract.ts';

/** @throws whatever a getter of the answer throws */
export function verdictOf(answer: unknown): ProbeVerdict {
  if (typeof answer !== 'object' || answer === null) return unclear(answer);
  const { state, reason, result } = answer as Readonly<Record<string, unknown>>;
  switch (state) {
    case 'not-done':
      return { state };
    case 'unknown':
      return unknown(typeof reason === 'string' && reason !== '' ? reason : 'the probe gave no reason');
    case 'done':
      if (typeof result === 'object' && result !== null) return { state, result };
      return unknown('the probe says that it is done, but gives no result: { state: "done", result: { outputs } }');
    default:
      return unclear(state);
  }
}

function unknown(reason: string): ProbeVerdict {
  return { state: 'unknown', reason };
}

function unclear(answer: unknown): ProbeVerdict {
  if (answer === undefined) return unknown('the probe gave no answer');
  const shown = typeof answer === 'object' ? (answer === null ? 'null' : 'an object') : String(answer);
  return unknown(`the probe answered ${shown}, which is none of "done", "not-done" and "unknown"`);
}
