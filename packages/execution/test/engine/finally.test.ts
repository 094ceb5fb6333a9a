import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JournalEntry } from '../../src/engine/journal.ts';
import { type FileSpec, runFile, TestJournal } from './harness.ts';
import { type Block, compile, programs, type Statement, type Tally, tallyNode } from './programs.ts';

/** How often each try region with a finally was entered, and how often its finally node ran. */
function regionCounts(spec: FileSpec, entries: readonly JournalEntry[]): { entered: number[]; left: number[] } {
  const runsOf = (nodeId: string): number =>
    entries.filter((entry) => entry.kind === 'result' && entry.node_id === nodeId).length;
  const finallys = Object.entries(spec.nodes).filter(([, [type]]) => type === 'FinallyNode');
  return {
    entered: finallys.map(([, [, config]]) => runsOf(String(config?.paired_try_id))),
    left: finallys.map(([id]) => runsOf(id)),
  };
}

/** Cancelled at commit 26, while the try node runs in one branch and another branch is the first to hear of it. */
const enteredWhileStopping = ((): [Block, boolean, { cancelAt: number; dieAfter: number | null }] => {
  const mark = { do: 'mark', label: 0 } as const;
  const fork: Statement = {
    do: 'fork',
    branches: [
      [mark, { do: 'try', body: [mark], catch: null, finally: [mark] }, mark],
      [mark],
      [{ do: 'if', variable: 0, yes: [mark], no: null }],
    ],
  };
  const inner: Statement = {
    do: 'retry',
    attempts: 1,
    body: [mark, { do: 'call', body: [mark, mark], handled: null }, mark],
    failed: null,
  };
  const each: Statement = { do: 'each', size: 3, batch: 3, body: [mark, fork, mark] };
  const outer: Statement = { do: 'retry', attempts: 1, body: [inner, each], failed: null };
  return [[{ do: 'while', times: 1, limit: 2, body: [outer, mark] }, mark], false, { cancelAt: 26, dieAfter: null }];
})();

it('every try region that was entered runs its finally once, wherever the run is cancelled and dies', {
  timeout: 50_000,
}, async () => {
  const moments = fc.record({
    cancelAt: fc.integer({ min: 1, max: 40 }),
    dieAfter: fc.option(fc.integer({ min: 2, max: 10 })),
  });
  await fc.assert(
    fc.asyncProperty(programs, fc.boolean(), moments, async (program, stopOnError, { cancelAt, dieAfter }) => {
      const spec = compile(program, stopOnError);
      const journal = new TestJournal();
      const stopper = new AbortController();
      const tally: Tally = new Map();
      const types = [tallyNode(tally)];
      let isDead = false;
      journal.afterCommit = (commit) => {
        if (commit === cancelAt) stopper.abort({ kind: 'cancel', reason: 'enough' });
        if (dieAfter === null || isDead || commit !== cancelAt + dieAfter) return;
        isDead = true;
        throw new Error('the process died');
      };
      let run = await runFile(spec, { journal, types, signal: stopper.signal });
      if (run.end.status === 'suspended') run = await runFile(spec, { journal, types, signal: stopper.signal });
      expect(['completed', 'failed', 'cancelled']).toContain(run.end.status);
      const { entered, left } = regionCounts(spec, journal.entries);
      expect(left).toEqual(entered);
    }),
    { numRuns: 150, interruptAfterTimeLimit: 25_000, examples: [enteredWhileStopping] },
  );
});
