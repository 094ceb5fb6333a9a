/**
 * Effects of which nobody knows whether they happened: begun, stopped on the way or failed in doubt, and passed over from
 * then on. The run may go on, and its end names them (I4).
 */
import { requireObject, requireObjects } from '../argument-error.ts';
import type { IntentEntry, RunEnd, RunOutcome } from './journal.ts';
import type { Lane, RunState } from './run-state.ts';

/** One attempt of a node whose effect may or may not have happened. */
export type CutOff = Pick<IntentEntry, 'node_id' | 'step' | 'attempt'>;

/** What a run names, by step, and how many more there are: a run that goes on and on names the first ones (I7). */
export interface CutOffs {
  readonly named: readonly CutOff[];
  readonly more: number;
}

/** So many are named. */
export const MAX_CUT_OFF = 100;

/** Notes what the lane has under way when it comes to its end without a result. */
export function noteCutOff(lane: Lane): void {
  const { run } = lane;
  for (const attempt of attemptsOf(lane)) {
    if (run.cutOff.length < MAX_CUT_OFF) run.cutOff.push(attempt);
    else run.cutOffMore += 1;
  }
}

/**
 * The attempts at the step under way that may have taken effect: one that an operator had run again is among them as long as
 * nobody knows how the next one ended.
 */
function attemptsOf({ intent, retried }: Lane): readonly CutOff[] {
  return intent?.effect === 'effect' ? [...retried, cutOffOf(intent)] : [];
}

/** Notes a step that has ended in doubt: an operator who has answered knows what happened. */
export function noteDoubtfulEnd(lane: Lane): void {
  if (lane.answered === null) noteCutOff(lane);
}

/** All of a run that ends, also what a finally body had under way when its time was over. */
export function cutOffIn({ lanes, cutOff, cutOffMore }: RunState): CutOffs {
  const open = [...lanes.values()].flatMap(attemptsOf);
  return cutOffsOf([...cutOff, ...open], cutOffMore);
}

/** @param more how many there are besides `all` */
export function cutOffsOf(all: readonly CutOff[], more: number): CutOffs {
  const named = all.toSorted((a, b) => a.step - b.step).slice(0, MAX_CUT_OFF);
  return { named, more: more + all.length - named.length };
}

export function cutOffOf({ node_id, step, attempt }: IntentEntry): CutOff {
  return { node_id, step, attempt };
}

/** What an end says of them; nothing when there are none. */
export interface NamesCutOff {
  /** Effects of which nobody knows whether they happened, by step. Absent: none. */
  readonly may_have_happened?: readonly CutOff[];
  /** How many there are besides. Absent: none. */
  readonly may_have_happened_more?: number;
}

/**
 * The end of a run that names what may have happened; of a failed one in its error.
 *
 * @returns `end` itself when there is nothing to name, or when it did not end for good
 */
export function withCutOff<End extends RunEnd | RunOutcome>(end: End, cutOff: CutOffs): End {
  requireObject('end', end);
  requireObject('cutOff', cutOff);
  requireObjects('cutOff.named', cutOff.named);
  const [first] = cutOff.named;
  if (first === undefined || end.status === 'in_doubt' || end.status === 'suspended') return end;
  const names: NamesCutOff = {
    may_have_happened: cutOff.named,
    ...(cutOff.more === 0 ? {} : { may_have_happened_more: cutOff.more }),
  };
  if (end.status !== 'failed') return { ...end, ...names };
  const { error } = end;
  const text = mayHaveHappened(names);
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  const message = `${error.message}${/[.!?]$/.test(error.message) ? '' : '.'} ${sentence}`;
  return { ...end, error: { ...error, ...names, message, node_id: error.node_id ?? first.node_id, ambiguous: true } };
}

/** The line for the log of a job, about one of them. */
export function cutOffLine(cutOff: CutOff): string {
  requireObject('cutOff', cutOff);
  const { node_id: nodeId, step, attempt } = cutOff;
  return `Node "${nodeId}" was cut off, or failed in doubt (step ${step}, attempt ${attempt}): its effect may or may not have happened.`;
}

/** A text names so many. */
const MAX_TEXT_NAMES = 20;

/**
 * Says it to people.
 *
 * @param named at least one effect
 * @example
 * mayHaveHappened({ may_have_happened: [{ node_id: 'pay', step: 4, attempt: 1 }] });
 * // 'the effect of node "pay" (step 4) may or may not have happened'
 */
export function mayHaveHappened(named: NamesCutOff): string {
  requireObject('named', named);
  const { may_have_happened: all = [], may_have_happened_more: left = 0 } = named;
  requireObjects('may_have_happened', all);
  const steps = [...Map.groupBy(all, ({ node_id, step }) => `"${node_id}" (step ${step}`)];
  const names = steps
    .slice(0, MAX_TEXT_NAMES)
    .map(([step, { length }]) => `${step}${length > 1 ? `, ${length} attempts` : ''})`);
  const more = left + steps.length - names.length;
  const what = steps.length === 1 ? 'the effect of node' : 'the effects of nodes';
  const rest = more === 0 ? '' : ` and ${more} more`;
  return `${what} ${names.join(', ')}${rest} may or may not have happened`;
}
