import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { KEY, startServer } from './set-up.ts';

const folder = new URL('..', import.meta.url);
const examples = [...readFileSync(new URL('README.md', folder), 'utf8').matchAll(/```ts\n(.*?)```/gs)];

it.each(examples.map(([, code]) => [code ?? '']))(
  'an example of the README runs and prints what it says',
  async (code) => {
    const server = await startServer();
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '--eval', code], {
      cwd: folder,
      env: { SUPABASE_URL: server.url, SUPABASE_KEY: KEY },
    });
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text ?? '');
    expect(stdout.trim().split('\n')).toEqual(promised);
    expect(promised.length).toBeGreaterThan(0);
  },
);
