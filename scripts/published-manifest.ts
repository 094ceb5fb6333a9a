/**
 * What a package says of itself in the registry: the fields of `publishConfig` in place of those that serve the
 * workspace, versions in place of `workspace:`, and nothing that only the workspace needs. `pnpm pack` does most of that
 * by itself, `npm pack` does not; so every package calls this script around packing: `write` (prepack) and `restore`
 * (postpack), in its own folder.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = { readonly [field: string]: unknown };

const REPLACED = ['exports', 'bin'] as const;
const DROPPED: ReadonlySet<string> = new Set(['scripts', 'devDependencies']);
const ORIGINAL = '.package.json.workspace';
const DEPENDING = ['dependencies', 'peerDependencies', 'optionalDependencies'] as const;
const workspace = join(import.meta.dirname, '..');

/** Folders of all packages of the workspace. */
export function packageFolders(): readonly string[] {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(workspace, group))
      .map((name) => join(workspace, group, name))
      .filter((folder) => existsSync(join(folder, 'package.json'))),
  );
}

export function publishedManifest(manifest: Manifest): Manifest {
  const publishConfig: { [field: string]: unknown } = { ...(manifest.publishConfig as Manifest | undefined) };
  const published: { [field: string]: unknown } = {};
  for (const [field, value] of Object.entries(manifest)) if (!DROPPED.has(field)) published[field] = value;
  for (const field of REPLACED) {
    if (publishConfig[field] === undefined) continue;
    published[field] = publishConfig[field];
    delete publishConfig[field];
  }
  for (const field of DEPENDING) {
    const ranges = manifest[field] as { readonly [name: string]: string } | undefined;
    if (ranges === undefined) continue;
    published[field] = Object.fromEntries(
      Object.entries(ranges).map(([name, range]) => [name, publishedRange(name, range)]),
    );
  }
  return { ...published, publishConfig };
}

/** `workspace:*` is the very version that the workspace has, `workspace:^` and `workspace:~` a range from it on. */
function publishedRange(name: string, range: string): string {
  if (!range.startsWith('workspace:')) return range;
  const prefix = range.slice('workspace:'.length);
  for (const folder of packageFolders()) {
    const other = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
    if (other.name === name) return `${prefix === '*' ? '' : prefix}${String(other.version)}`;
  }
  throw new Error(`${name} is no package of this workspace`);
}

/** Puts `folder`'s manifest for the registry, and the licence, where packing looks for them. */
export function writeManifest(folder: string): void {
  const original = join(folder, ORIGINAL);
  // A packing that was interrupted has left it behind; what lies in its place then is not the original.
  if (!existsSync(original)) copyFileSync(join(folder, 'package.json'), original);
  const manifest = publishedManifest(JSON.parse(readFileSync(original, 'utf8')) as Manifest);
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(workspace, 'LICENSE'), join(folder, 'LICENSE'));
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
