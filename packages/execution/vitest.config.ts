import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Job processes are real processes: on a busy machine each takes its time to start.
    testTimeout: 60_000,
  },
});
