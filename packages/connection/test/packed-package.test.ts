/** The package as others get it: packed, checked, and installed alone in an empty project. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageFolders, publishedManifest } from '../../../scripts/published-manifest.ts';
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

it('every package of the workspace is packed with manifests that stand outside of it', () => {
  const manifests = packageFolders().map((folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  const published = manifests.filter((manifest) => manifest.private !== true);
  expect(published).not.toEqual([]);
  for (const manifest of published) {
    const { name, scripts } = manifest;
    const packed = JSON.stringify(publishedManifest(manifest));
    expect([name, scripts.prepack, scripts.postpack]).toEqual([
      name,
      expect.stringContaining('published-manifest.ts write'),
      expect.stringContaining('published-manifest.ts restore'),
    ]);
    expect(packed, name).not.toMatch(/workspace:|\.\/src\//);
  }
});
