/**
 * Measures candidates in one run, interleaved, so that what disturbs the machine disturbs all of them alike. Time is
 * the CPU time of the thread: on an idle machine the same as the time that passes, for work that never waits; on a
 * busy one it leaves out what the neighbours took. Systems count it in steps of a few ms, so slices are longer.
 */

export interface Candidate {
  readonly name: string;
  /** Makes `calls` calls, one after the other. */
  readonly run: (calls: number) => Promise<void>;
}

export interface Figure {
  readonly name: string;
  /** Over the slices, ns per call. */
  readonly medianNs: number;
  readonly lowerQuartileNs: number;
  readonly upperQuartileNs: number;
}

const SLICE_NS = 60_000_000;
const WARM_UP_CALLS = 30_000;

export async function measure(candidates: readonly Candidate[], rounds: number): Promise<readonly Figure[]> {
  const slices: { readonly run: Candidate['run']; readonly calls: number; readonly times: number[] }[] = [];
  for (const { run } of candidates) {
    await run(WARM_UP_CALLS);
    const startedAt = process.hrtime.bigint();
    await run(WARM_UP_CALLS);
    const callNs = Number(process.hrtime.bigint() - startedAt) / WARM_UP_CALLS;
    slices.push({ run, calls: Math.ceil(SLICE_NS / callNs), times: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { run, calls, times } of slices) times.push(await timeOf(run, calls));
  }
  return slices.map(({ times }, n) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
    const name = candidates[n]?.name ?? '';
    return { name, medianNs: at(0.5), lowerQuartileNs: at(0.25), upperQuartileNs: at(0.75) };
  });
}

/** One line per figure, with its ratio to the first one. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  const base = figures[0]?.medianNs ?? Number.NaN;
  console.log(`\n${title} (ns of CPU per call: median, middle half; ratio to the first)`);
  for (const { name, medianNs, lowerQuartileNs, upperQuartileNs } of figures) {
    const spread = `${lowerQuartileNs.toFixed(0)}-${upperQuartileNs.toFixed(0)}`;
    const ratio = `${(medianNs / base).toFixed(2)}x`;
    console.log(
      `  ${name.padEnd(46)} ${medianNs.toFixed(0).padStart(7)}  ${spread.padStart(13)}  ${ratio.padStart(8)}`,
    );
  }
}

/** Ns per call. */
async function timeOf(run: Candidate['run'], calls: number): Promise<number> {
  // What a candidate left for the end of the turn is its own affair, not that of the next one.
  await new Promise((resolve) => setImmediate(resolve));
  const before = process.threadCpuUsage();
  await run(calls);
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1_000) / calls;
}
