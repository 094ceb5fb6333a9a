/**
 * Effects that were cut off: begun, stopped on the way, and looked for by nobody, because the run ends. They may have
 * happened; the end of the run names them (I4).
 */
import type { IntentEntry, RunEnd, RunOutcome } from './journal.ts';
import type { Lane, RunState } from './run-state.ts';

/** One attempt of a node whose effect may or may not have happened. */
export type CutOff = Pick<IntentEntry, 'node_id' | 'step' | 'attempt'>;

/** Notes what the lane has under way when the run is stopped: at most one per lane that was open then. */
export function noteCutOff({ intent, run }: Lane): void {
  if (run.stop !== null && intent?.effect === 'effect') run.cutOff.push(cutOffOf(intent));
}

/** All of a stopped run, by step: also what a finally body had under way when its time was over. */
export function cutOffIn({ stop, lanes, cutOff }: RunState): readonly CutOff[] {
  if (stop === null) return [];
  const open = [...lanes.values()].flatMap(({ intent }) => (intent?.effect === 'effect' ? [cutOffOf(intent)] : []));
  return [...cutOff, ...open].toSorted((a, b) => a.step - b.step);
}

export function cutOffOf({ node_id, step, attempt }: IntentEntry): CutOff {
  return { node_id, step, attempt };
}

/**
 * The end of a run that names what was cut off; of a failed one in its error.
 *
 * @param cutOff by step
 * @returns `end` itself when nothing was cut off, or when it did not end for good
 */
export function withCutOff<End extends RunEnd | RunOutcome>(end: End, cutOff: readonly CutOff[]): End {
  const [first] = cutOff;
  if (first === undefined) return end;
  if (end.status === 'cancelled') return { ...end, may_have_happened: cutOff };
  if (end.status !== 'failed') return end;
  const { error } = end;
  const text = mayHaveHappened(cutOff);
  const message = `${error.message} ${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  const node_id = error.node_id ?? first.node_id;
  return { ...end, error: { ...error, message, node_id, ambiguous: true, may_have_happened: cutOff } };
}

/** The line for the log of a job, about one of them. */
export function cutOffLine({ step, attempt }: CutOff): string {
  return `It was cut off with its job (step ${step}, attempt ${attempt}): its effect may or may not have happened.`;
}

/**
 * Says it to people.
 *
 * @param cutOff not empty
 * @example
 * mayHaveHappened([{ node_id: 'pay', step: 4, attempt: 1 }]);
 * // 'the effect of node "pay" (step 4) may or may not have happened'
 */
export function mayHaveHappened(cutOff: readonly CutOff[]): string {
  const names = cutOff.map(({ node_id, step }) => `"${node_id}" (step ${step})`);
  const what = names.length === 1 ? 'the effect of node' : 'the effects of nodes';
  return `${what} ${names.join(', ')} may or may not have happened`;
}
