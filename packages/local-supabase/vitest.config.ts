import { longFilesFirst, sharedCompileCache } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

/** Two files at a time, each with servers of its own. They take their time on a busy machine. */
export default defineConfig({
  test: {
    env: sharedCompileCache(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: longFilesFirst('embedded-server', 'conformance', 'lease-model') },
  },
});
