/**
 * Which turn of which loops a node ran in, outermost loop first: `['loop-1', 3, 'loop-2', 1]`. A node that ran
 * in an earlier turn of a loop has not been executed in the present one. Pure.
 */
import { StoreError } from '../errors.ts';

export type Iteration = readonly (string | number)[];

/** @throws StoreError `INVALID_ARGUMENT` */
export function iterationText(iteration: Iteration): string {
  const isValid =
    Array.isArray(iteration) && iteration.every((part) => typeof part === 'string' || Number.isInteger(part));
  if (isValid) return JSON.stringify(iteration);
  throw new StoreError('INVALID_ARGUMENT', "An iteration is a list of loop ids and turns: ['loop-1', 3].");
}

const noLoops: Iteration = [];

/** The iteration whose `iterationText` it is. */
export function iterationOfText(text: string): Iteration {
  return text === '[]' ? noLoops : (JSON.parse(text) as Iteration);
}

/**
 * Whether what ran at `ranAt` counts as executed at `now`: it ran in the same turn of every loop that the two
 * share. So the body of a finished loop counts after the loop, and what ran before a loop counts inside it.
 */
export function isSameTurn(ranAt: Iteration, now: Iteration): boolean {
  const shared = Math.min(ranAt.length, now.length);
  return ranAt.slice(0, shared).every((part, index) => part === now[index]);
}
