/** The order of test files: a long one that starts last keeps one core busy while the others have nothing to do. */
import { BaseSequencer, type TestSequencerConstructor, type TestSpecification } from 'vitest/node';

/**
 * For `sequence.sequencer` in a `vitest.config.ts`.
 *
 * @param names the files that take longest, without `.test.ts`, in the order in which they are to start; the others
 *   follow in vitest's own order
 */
export function longFilesFirst(...names: readonly string[]): TestSequencerConstructor {
  const rank = ({ moduleId }: TestSpecification): number => {
    const index = names.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return index === -1 ? names.length : index;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
    }
  };
}
