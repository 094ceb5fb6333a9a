/** What the `vitest.config.ts` files of the packages share. */
export { longFilesFirst } from './long-files-first.ts';
export { sharedCompileCache } from './shared-compile-cache.ts';
export { sharedProcess, type TestGroups } from './shared-process.ts';
