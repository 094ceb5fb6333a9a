import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

it('ends a process whose own thread is held, and keeps none that is done', async () => {
  const run = async (rest: string): Promise<unknown> => {
    const module = JSON.stringify(new URL('./kill-after.ts', import.meta.url).href);
    const code = `const { killAfter } = await import(${module}); killAfter(${rest}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
    return (await once(child, 'exit')) as unknown;
  };
  expect(await run('200); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')).toEqual([null, 'SIGKILL']);
  expect(await run('600_000)')).toEqual([0, null]);
  expect(await run('600_000); process.exit(130)')).toEqual([130, null]);
});
