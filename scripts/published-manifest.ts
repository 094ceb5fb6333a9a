/**
 * What a package says of itself in the registry: the fields of `publishConfig` in place of those that serve the
 * workspace, and nothing that only the workspace needs. `pnpm pack` does the first by itself, `npm pack` does not; so
 * a package calls this script around packing: `write` (prepack) and `restore` (postpack), in its own folder.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = { readonly [field: string]: unknown };

const REPLACED = ['exports', 'bin'] as const;
const DROPPED: ReadonlySet<string> = new Set(['scripts', 'devDependencies']);
const ORIGINAL = '.package.json.workspace';

export function publishedManifest(manifest: Manifest): Manifest {
  const publishConfig: { [field: string]: unknown } = { ...(manifest.publishConfig as Manifest | undefined) };
  const published: { [field: string]: unknown } = {};
  for (const [field, value] of Object.entries(manifest)) if (!DROPPED.has(field)) published[field] = value;
  for (const field of REPLACED) {
    if (publishConfig[field] === undefined) continue;
    published[field] = publishConfig[field];
    delete publishConfig[field];
  }
  return { ...published, publishConfig };
}

/** Puts `folder`'s manifest for the registry, and the licence, where packing looks for them. */
export function writeManifest(folder: string): void {
  const original = join(folder, ORIGINAL);
  // A packing that was interrupted has left it behind; what lies in its place then is not the original.
  if (!existsSync(original)) copyFileSync(join(folder, 'package.json'), original);
  const manifest = publishedManifest(JSON.parse(readFileSync(original, 'utf8')) as Manifest);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(import.meta.dirname, '..', 'LICENSE'), join(folder, 'LICENSE'));
}

export function restoreManifest(folder: string): void {
  if (existsSync(join(folder, ORIGINAL))) renameSync(join(folder, ORIGINAL), join(folder, 'package.json'));
  rmSync(join(folder, 'LICENSE'), { force: true });
}

if (import.meta.main) {
  const [, , what] = process.argv;
  if (what === 'write') writeManifest(process.cwd());
  else if (what === 'restore') restoreManifest(process.cwd());
  else {
    console.error('usage: published-manifest.ts write | restore');
    process.exitCode = 2;
  }
}
