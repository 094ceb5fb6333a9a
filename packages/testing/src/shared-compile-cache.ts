import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * For `env` in a `vitest.config.ts`: the processes that tests start from the source share what Node.js compiles of it,
 * types stripped. It keeps no results of tests.
 */
export function sharedCompileCache(): { NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: join(tmpdir(), `casare-test-compile-cache-${userInfo().username}`) };
}
