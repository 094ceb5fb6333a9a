import { longFilesFirst, sharedCompileCache, sharedProcess } from '@casare/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: sharedProcess({ alone: ['test/**/*.test.ts'] }),
    globalSetup: ['test/support/supabase-pool.ts'],
    setupFiles: ['test/support/own-environment.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // Robots, databases and browsers are processes of their own, and mostly wait for each other: three files at a time keep
    // two cores busy.
    maxWorkers: 3,
    sequence: {
      sequencer: longFilesFirst(
        'lost-database',
        'start-and-stop',
        'controlled-robot',
        'kill-points',
        'slow-disk',
        'misbehaving-nodes',
        'answered-doubts',
        'command-line',
        'rolled-back-home',
        'two-robots',
        'killed-supervisor',
        'secrets-and-permissions',
      ),
    },
    // Every robot starts job processes, most with a home of their own: they share what is compiled.
    env: sharedCompileCache(),
  },
});
