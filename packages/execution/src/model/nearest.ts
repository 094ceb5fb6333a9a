/** Finds the name that a person probably meant. */
import { distance } from 'fastest-levenshtein';

const MAX_NAME_LENGTH = 80;

/**
 * Compares names within a budget of comparisons, so that a file with thousands of wrong names is still checked at
 * once; when the budget is spent there are no more suggestions.
 */
export class Speller {
  #budget: number;

  constructor(budget = 60_000) {
    this.#budget = budget;
  }

  /**
   * The candidate nearest to `name`, or null when none is near.
   *
   * @param tolerance the part of the longer name that may differ. Default one half.
   */
  nearest(name: string, candidates: Iterable<string>, tolerance = 0.5): string | null {
    if (name === '' || name.length > MAX_NAME_LENGTH) return null;
    const wanted = name.toLowerCase();
    let best: string | null = null;
    let bestDistance = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      if (this.#budget <= 0) break;
      const limit = Math.floor(Math.max(name.length, candidate.length) * tolerance);
      if (candidate.length > MAX_NAME_LENGTH || Math.abs(name.length - candidate.length) > limit) continue;
      this.#budget -= 1;
      const known = candidate.toLowerCase();
      const apart = isTransposed(wanted, known) ? 1 : distance(wanted, known);
      if (apart < bestDistance && apart <= limit) {
        best = candidate;
        bestDistance = apart;
      }
    }
    return best;
  }
}

/** True when two neighbouring letters have changed places, which is one slip of the fingers, not two. */
function isTransposed(name: string, other: string): boolean {
  if (name.length !== other.length) return false;
  let at = 0;
  while (at < name.length && name[at] === other[at]) at += 1;
  return name[at] === other[at + 1] && name[at + 1] === other[at] && name.slice(at + 2) === other.slice(at + 2);
}
