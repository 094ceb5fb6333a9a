/** A duration as people say it: the two largest units, `3 m 20 s`, rounded to the smaller one. */
export function showDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / unitOf(ms)) * (unitOf(ms) / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/**
 * A duration that is still to come, rounded up to the smaller of its two units and without one that is zero: two hours that
 * were asked for a moment ago are `2 h`.
 */
export function showRemaining(ms: number): string {
  return showDuration(Math.ceil(ms / unitOf(ms)) * unitOf(ms)).replace(/ 0 [smh]$/, '');
}

/** The smaller of the two units, in ms. */
function unitOf(ms: number): number {
  return ms < 3_600_000 ? 1_000 : ms < 86_400_000 ? 60_000 : 3_600_000;
}
