import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('..', import.meta.url);
const examples = [...readFileSync(new URL('README.md', folder), 'utf8').matchAll(/```ts\n(.*?)```/gs)];

it.each(examples.map(([, code]) => [code ?? '']))('the example of the README runs and prints what it says', (code) => {
  const printed = execFileSync(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    cwd: folder,
    encoding: 'utf8',
    env: {},
  });
  const promised = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text ?? '');
  expect(printed.trim().split('\n')).toEqual(promised);
  expect(promised.length).toBeGreaterThan(0);
});
