import { longFilesFirst, sharedCompileCache, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    env: sharedCompileCache(),
    // Files, rotations and processes take their time on a busy machine.
    testTimeout: 60_000,
    sequence: { sequencer: longFilesFirst('audit-crash') },
    projects: sharedProcess({
      alone: ['audit-crash', 'audit-full-disk', 'logger', 'readme', 'resource-monitor'].map(
        (name) => `test/${name}.test.ts`,
      ),
    }),
  },
});
