import { sharedCompileCache, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

// Tests that talk to a real server or start a process: slow machines are slow, not wrong.
export default defineConfig({
  test: {
    env: sharedCompileCache(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: sharedProcess({
      alone: ['disconnect', 'herd', 'leaks', 'packed-package', 'readme', 'real-sign-in'].map(
        (name) => `test/${name}.test.ts`,
      ),
    }),
  },
});
