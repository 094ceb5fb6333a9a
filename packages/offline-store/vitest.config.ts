import { sharedCompileCache, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    env: sharedCompileCache(),
    testTimeout: 60_000,
    projects: sharedProcess({
      alone: ['damage-drill', 'inline-writer', 'killed-process', 'ownership', 'readme', 'slow-disk'].map(
        (name) => `test/${name}.test.ts`,
      ),
    }),
  },
});
