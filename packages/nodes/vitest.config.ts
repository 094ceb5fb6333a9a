import { sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Browsers and programs take their time to start on a busy machine.
    testTimeout: 60_000,
    projects: sharedProcess({
      alone: ['test/browser/*.test.ts', 'test/programs.test.ts', 'test/append-node-survives-sigkill.test.ts'],
    }),
  },
});
