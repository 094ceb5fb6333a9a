/**
 * What the validator takes, the engine can run, whatever the graph. `CASARE_FUZZ_GRAPHS` sets how many graphs (default
 * 800), `CASARE_FUZZ_SEED` which; a failure names the seed.
 */
import { ManualClock } from '@casare/testing';
import { expect, it } from 'vitest';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import { advanceUntil, runFile, TestJournal, type TestRun, testNodes, World, workflowFile } from '../engine/harness.ts';
import { Random } from './random.ts';
import { mended, randomGraph } from './random-graph.ts';

const graphs = Number(process.env.CASARE_FUZZ_GRAPHS ?? 400);
const firstSeed = Number(process.env.CASARE_FUZZ_SEED ?? 1);
/** Graphs of this size have loops of a few rounds in each other; what takes more steps than that goes on for ever. */
const MAX_COMMITS = 20_000;

/** Errors that a workflow can bring about by what it says; any other would be the engine's. */
const declared = new Set([
  ...['BROKEN', 'CUSTOM_ERROR', 'ASSERTION_FAILED', 'EXPRESSION_ERROR', 'INVALID_INPUT', 'MAX_ITERATIONS'],
  ...['NO_OPEN_LOOP', 'NO_OPEN_RETRY', 'NOT_A_NUMBER', 'ATTEMPT_FAILED', 'CALL_TIMEOUT', 'NODE_TIMEOUT'],
]);

function expectLegitimate(run: TestRun): void {
  const { end } = run;
  expect(['completed', 'failed'], JSON.stringify(end)).toContain(end.status);
  const errors = [...run.errors, ...(end.status === 'failed' ? [end.error] : [])];
  for (const error of errors) {
    expect([...declared], JSON.stringify(error)).toContain(error.code);
    expect(error.node_id).not.toBeNull();
    expect(error.message).not.toMatch(/undefined|\[object|TypeError|no open|was not checked/);
  }
}

it(`what the validator takes, the engine runs to an end or a declared failure (${graphs} graphs from seed ${firstSeed})`, {
  timeout: 60_000 + graphs * 200,
}, async () => {
  const registry = createNodeRegistry(testNodes(new World()));
  let valid = 0;
  for (let seed = firstSeed; seed < firstSeed + graphs; seed += 1) {
    const random = new Random(seed);
    const spec = mended(randomGraph(random), registry, random);
    if (checkWorkflow(workflowFile(spec), registry).workflow === null) continue;
    valid += 1;
    const clock = new ManualClock();
    const journal = new TestJournal();
    journal.beforeCommit = (commit) => {
      if (commit > MAX_COMMITS) throw new Error('it goes on for ever');
    };
    try {
      expectLegitimate(await advanceUntil(clock, 500, runFile(spec, { clock, journal })));
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}\n${JSON.stringify(spec)}`, { cause: error });
    }
  }
  expect(valid).toBeGreaterThan(graphs / 4);
  expect(valid).toBeLessThan(graphs);
});
