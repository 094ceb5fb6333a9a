import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runFile } from './harness.ts';
import { meaningOf } from './oracle.ts';
import { type Block, compile, programs, type Statement, type Tally, tallyNode } from './programs.ts';

function blocksIn(statement: Statement): readonly Block[] {
  return Object.values(statement).flatMap((part): Block[] => {
    if (!Array.isArray(part)) return [];
    if (statement.do === 'switch' && part === statement.cases) return [...statement.cases];
    return statement.do === 'fork' ? [...statement.branches] : [part as Block];
  });
}

function goesSideBySide(block: Block): boolean {
  return block.some((statement) => statement.do === 'beside' || blocksIn(statement).some(goesSideBySide));
}

function hasLanes(block: Block): boolean {
  return block.some((statement) => ['fork', 'each'].includes(statement.do) || blocksIn(statement).some(hasLanes));
}

it('a workflow does what its structure means, whatever the program', { timeout: 50_000 }, async () => {
  const plain = programs.filter((program) => !goesSideBySide(program));
  await fc.assert(
    fc.asyncProperty(plain, fc.boolean(), async (program, stopOnError) => {
      // Branches come in any order.
      const inOrder = (marks: readonly string[]) => (hasLanes(program) ? marks.toSorted() : marks);
      const tally: Tally = new Map();
      const run = await runFile(compile(program, stopOnError), { types: [tallyNode(tally)] });
      const meaning = meaningOf(program, stopOnError);
      const marks = [...tally.values()].map(String);
      expect({ end: run.end.status, marks: inOrder(marks), errors: run.errors.length }).toEqual({
        ...meaning,
        marks: inOrder(meaning.marks),
      });
    }),
    { numRuns: Number(process.env.CASARE_FUZZ_PROGRAMS ?? 250), interruptAfterTimeLimit: 25_000 },
  );
});
