import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('the example of the README runs and prints what it says', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const [, example] = /```ts\n(.*?)```/s.exec(readFileSync(`${folder}/README.md`, 'utf8')) ?? [];
  const output = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', example ?? ''], {
    cwd: folder,
  });
  expect(output.toString()).toBe("true\n[ '1 node_finished', '2 job_finished' ]\n");
});
