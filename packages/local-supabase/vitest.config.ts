import { defineConfig } from 'vitest/config';

/** Real servers on a busy machine take their time; what must be quick is measured where it matters. */
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
