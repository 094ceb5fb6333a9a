/**
 * Mutated workflow files. `CASARE_FUZZ_FILES` sets how many (default 2,000), `CASARE_FUZZ_SEED` which; a failure names
 * the seed of its file.
 */
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { type Finding, findingCodes } from '../../src/model/finding.ts';
import { corpus, fullRegistry } from './corpus.ts';
import { mutant } from './mutate.ts';
import { Random } from './random.ts';

const files = Number(process.env.CASARE_FUZZ_FILES ?? 2_000);
const firstSeed = Number(process.env.CASARE_FUZZ_SEED ?? 1);

/** What only somebody who reads the engine's code could make sense of. */
const internals =
  /undefined|\[object |ZodError|invalid_(type|union|value|format)|unrecognized_keys|too_(small|big)|jsep|NaN|_zod|TypeError|RangeError|SyntaxError|Maximum call stack|\.ts\b|\bat [\w./]+:\d+|node_modules/;

/** Findings about the file as a whole need no place in it. */
const aboutTheFile = new Set(['EMPTY_WORKFLOW', 'FILE_TOO_LARGE', 'TOO_MANY_FINDINGS']);

/** A sentence without what it quotes from the file, which may hold anything. */
function ownWords({ message, suggestion }: Finding): string {
  const text = [message, suggestion ?? ''].join(' ').replace(/[^"]* -> [^"]*/, '');
  // A name with a quotation mark in it ends later than it seems.
  const isPlain = (text.match(/"/g)?.length ?? 0) % 2 === 0;
  return text.replace(isPlain ? /"[^"]*"/g : /"[\s\S]*/, '""');
}

function namesAPlace({ code, node, field, message }: Finding): boolean {
  if (aboutTheFile.has(code) || node !== null || field !== null) return true;
  return /line \d+, column \d+|A workflow is a JSON object|The file is empty/.test(message);
}

function expectSound(text: string): boolean {
  const { workflow, findings } = checkWorkflow(text, fullRegistry);
  expect(findings.some(({ severity }) => severity === 'error')).toBe(workflow === null);
  for (const finding of findings) {
    expect(Object.hasOwn(findingCodes, finding.code), finding.code).toBe(true);
    expect(finding.message.length).toBeGreaterThan(10);
    expect(ownWords(finding)).not.toMatch(internals);
    expect(namesAPlace(finding), `${finding.code}: ${finding.message}`).toBe(true);
  }
  return workflow !== null;
}

describe('a workflow file that was tampered with', () => {
  it('starts as one that is valid', () => {
    for (const file of corpus) expect(expectSound(JSON.stringify(file))).toBe(true);
  });

  it(`is checked without a crash, and every message names a place and shows no internals (${files} files from seed ${firstSeed})`, {
    timeout: 60_000 + files * 20,
  }, () => {
    let valid = 0;
    for (let seed = firstSeed; seed < firstSeed + files; seed += 1) {
      const random = new Random(seed);
      const text = mutant(random.of(corpus), random);
      try {
        if (expectSound(text)) valid += 1;
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}\n${text.slice(0, 4_000)}`, { cause: error });
      }
    }
    // Mutants that are all refused, or all fine, would show little.
    expect(valid).toBeGreaterThan(files / 20);
    expect(valid).toBeLessThan(files * 0.95);
  });
});
