/** Finds what somebody probably meant. */

/**
 * The candidate closest to `name` by Levenshtein distance, ignoring case, `_` and `-`.
 *
 * @returns null when none is within a third of the length of `name`, or two letters for a short one
 * @example
 * nearestName('payy', ['look', 'pay']); // 'pay'
 */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = fold(name);
  let nearest: string | null = null;
  let best = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '').slice(0, 100);
}

/** Levenshtein distance: least insertions, deletions and replacements. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
