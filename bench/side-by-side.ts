/** Measures candidates in one run: rounds are interleaved, so that what disturbs the machine disturbs all of them. */

export interface Candidate {
  readonly name: string;
  /** Makes `calls` calls, one after the other. */
  readonly run: (calls: number) => Promise<void>;
  /** Calls per round; fewer for what is slow. */
  readonly calls: number;
}

export interface Figure {
  readonly name: string;
  /** Median over the rounds, ns per call. */
  readonly medianNs: number;
  readonly lowestNs: number;
  readonly highestNs: number;
}

export async function measure(candidates: readonly Candidate[], rounds: number): Promise<readonly Figure[]> {
  const times = candidates.map((): number[] => []);
  for (const { run, calls } of candidates) await run(Math.min(calls, 20_000));
  for (let round = 0; round < rounds; round += 1) {
    for (const [n, { run, calls }] of candidates.entries()) {
      globalThis.gc?.();
      const startedAt = process.hrtime.bigint();
      await run(calls);
      times[n]?.push(Number(process.hrtime.bigint() - startedAt) / calls);
      // Timers and immediates that a candidate left behind are its own affair, not that of the next one.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return candidates.map(({ name }, n) => {
    const sorted = (times[n] ?? []).toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    return { name, medianNs: at(0.5), lowestNs: at(0), highestNs: at(1) };
  });
}

/** One line per figure, with its ratio to the first one. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const base = figures[0]?.medianNs ?? Number.NaN;
  console.log(`\n${title} (ns per call: median, lowest-highest; ratio to the first)`);
  for (const { name, medianNs, lowestNs, highestNs } of figures) {
    const spread = `${lowestNs.toFixed(0)}-${highestNs.toFixed(0)}`;
    const ratio = `${(medianNs / base).toFixed(2)}x`;
    console.log(
      `  ${name.padEnd(46)} ${medianNs.toFixed(0).padStart(7)}  ${spread.padStart(13)}  ${ratio.padStart(8)}`,
    );
  }
}
