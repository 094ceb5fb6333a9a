import { longFilesFirst, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Job processes are real processes: on a busy machine each takes its time to start.
    testTimeout: 60_000,
    sequence: { sequencer: longFilesFirst('processes/misbehaving-nodes', 'processes/job-processes', 'engine/resume') },
    projects: sharedProcess({ alone: ['test/processes/*.test.ts'] }),
  },
});
