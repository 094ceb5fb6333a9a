/**
 * Test files that only compute share one process, which loads the test runner and the package once; a process of its own
 * costs a file about a second of CPU. Those that start processes, watch what a process leaves behind, or change what
 * belongs to the whole process have one each.
 */
import type { TestProjectInlineConfiguration } from 'vitest/config';

export interface TestGroups {
  /** Globs of all test files. Default: those beside the source, and those of `test/`. */
  readonly all?: readonly string[];
  /** Globs of the test files that need a process of their own. */
  readonly alone: readonly string[];
}

/**
 * For `projects` in a `vitest.config.ts`; everything else is set beside it, for both groups.
 *
 * @example
 * ```ts
 * export default defineConfig({ test: { testTimeout: 60_000, projects: sharedProcess({ alone: ['test/processes/a.test.ts'] }) } });
 * ```
 */
export function sharedProcess({
  all = ['src/**/*.test.ts', 'test/**/*.test.ts'],
  alone,
}: TestGroups): TestProjectInlineConfiguration[] {
  return [
    { extends: true, test: { name: 'alone', include: [...alone] } },
    { extends: true, test: { name: 'shared', include: [...all], exclude: [...alone], isolate: false } },
  ];
}
