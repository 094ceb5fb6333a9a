import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runFile } from './harness.ts';
import { meaningOf } from './oracle.ts';
import { type Block, compile, programs, type Statement, type Tally, tallyNode } from './programs.ts';

function blocksIn(statement: Statement): readonly Block[] {
  return Object.values(statement).flatMap((part): Block[] => {
    if (!Array.isArray(part)) return [];
    return statement.do === 'switch' && part === statement.cases ? [...statement.cases] : [part as Block];
  });
}

function goesSideBySide(block: Block): boolean {
  return block.some((statement) => statement.do === 'beside' || blocksIn(statement).some(goesSideBySide));
}

it('a workflow does what its structure means, whatever the program', { timeout: 50_000 }, async () => {
  const plain = programs.filter((program) => !goesSideBySide(program));
  await fc.assert(
    fc.asyncProperty(plain, fc.boolean(), async (program, stopOnError) => {
      const tally: Tally = new Map();
      const run = await runFile(compile(program, stopOnError), { types: [tallyNode(tally)] });
      const meaning = meaningOf(program, stopOnError);
      expect({ end: run.end.status, marks: [...tally.values()], errors: run.errors.length }).toEqual(meaning);
    }),
    { numRuns: 500, interruptAfterTimeLimit: 25_000 },
  );
});
