/** The package as others get it: packed, checked, and installed alone in an empty project. */
import { expect, it } from 'vitest';
import { checkPackage } from './package/check-package.ts';

it('works when it is installed alone, with types, and brings nothing but its own dependencies', async () => {
  const { problems, installed, printed } = await checkPackage();
  expect(problems).toEqual([]);
  expect(installed).toEqual(['@casare/connection', 'undici', 'ws']);
  expect(JSON.parse(printed.breakerAlone)).toEqual({
    state: 'OPEN',
    refused: true,
    value: 1,
    class: 'S',
    text: 'body',
    names: [],
  });
  // Only a connection needs supabase-js, and says so.
  expect(JSON.parse(printed.managerWithoutPeer)).toEqual({
    value: 7,
    code: 'DEPENDENCY_MISSING',
    remedy: 'npm install @supabase/supabase-js',
  });
  expect(JSON.parse(printed.manager)).toEqual({ transient: true, rows: 'function' });
}, 300_000);
