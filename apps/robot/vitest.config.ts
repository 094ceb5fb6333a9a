import { longFilesFirst, sharedCompileCache, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: sharedProcess({ alone: ['test/**/*.test.ts'] }),
    globalSetup: ['test/support/supabase-pool.ts'],
    setupFiles: ['test/support/own-environment.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Robots, databases and browsers are processes of their own, and mostly wait for each other: two files at a time.
    maxWorkers: 2,
    sequence: {
      sequencer: longFilesFirst(
        'lost-database',
        'kill-points',
        'command-line',
        'misbehaving-nodes',
        'controlled-robot',
        'answered-doubts',
        'slow-disk',
        'secrets-and-permissions',
      ),
    },
    // Every robot starts job processes, most with a home of their own: they share what is compiled.
    env: sharedCompileCache(),
  },
});
