/** Finds a node package: by path, or by name from the robot's home, the current folder and its own installation. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolveSpecifier } from 'import-meta-resolve';
import { NodePackageError } from './package-error.ts';

export interface FoundPackage {
  /** Name, or path, as it is shown to people. */
  readonly name: string;
  /** Version of the package; for a file: a hash of its content. */
  readonly version: string;
  /** Absolute path of the module to load. */
  readonly entry: string;
  readonly manifest: Manifest | null;
}

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly casare?: { readonly nodeContract?: unknown };
}

/** Where names and relative paths are looked up, in this order. */
export interface SearchPlaces {
  readonly home: string;
  readonly cwd: string;
}

/** @throws NodePackageError */
export function findPackage(specifier: string, places: SearchPlaces): FoundPackage {
  return isPath(specifier) ? packageAtPath(specifier, places) : packageByName(specifier, places);
}

function isPath(specifier: string): boolean {
  return isAbsolute(specifier) || /^(\.{1,2}|~)([/\\]|$)/.test(specifier) || specifier.startsWith('file:');
}

function packageByName(name: string, { home, cwd }: SearchPlaces): FoundPackage {
  const bases = [home, cwd].map((folder) => pathToFileURL(join(folder, 'package.json')).href);
  const problems: unknown[] = [];
  for (const base of [...bases, import.meta.url]) {
    try {
      const entry = fileURLToPath(resolveSpecifier(name, base));
      if (!existsSync(entry)) continue;
      const manifest = manifestAbove(entry, name);
      return { name, version: manifest?.version ?? hashOf(entry), entry, manifest };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') problems.push(error);
    }
  }
  const [problem] = problems;
  if (problem instanceof Error) throw new NodePackageError(name, `cannot be resolved: ${problem.message}`, problem);
  throw new NodePackageError(
    name,
    `was not found in ${home}, in ${cwd} or beside the robot: install it (npm install --prefix ${home} ${name}), correct nodes.packages, or give a path that begins with ./ or /`,
  );
}

function packageAtPath(specifier: string, places: SearchPlaces): FoundPackage {
  const tried = pathsOf(specifier, places);
  const path = tried.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new NodePackageError(
      specifier,
      `was not found: there is no ${tried.join(' and no ')}; correct nodes.packages`,
    );
  }
  if (!statSync(path).isDirectory()) return { name: specifier, version: hashOf(path), entry: path, manifest: null };
  const manifest = readManifest(join(path, 'package.json'));
  const main = manifest === null ? undefined : entryOf(manifest);
  const candidates = [main, 'index.js', 'index.mjs', 'index.ts'].filter((name) => name !== undefined);
  const entry = candidates.map((name) => resolve(path, name)).find((candidate) => existsSync(candidate));
  if (entry === undefined) {
    throw new NodePackageError(specifier, `has no module to load: give it a package.json with "exports" or "main"`);
  }
  return {
    name: manifest?.name ?? specifier,
    version: `${manifest?.version ?? '0'}-${hashOf(entry)}`,
    entry,
    manifest,
  };
}

function pathsOf(specifier: string, { home, cwd }: SearchPlaces): readonly string[] {
  if (specifier.startsWith('file:')) return [fileURLToPath(specifier)];
  if (isAbsolute(specifier)) return [specifier];
  const rest = /^~[/\\](.*)$/s.exec(specifier)?.[1];
  if (rest !== undefined) return [join(homedir(), rest)];
  return [...new Set([resolve(home, specifier), resolve(cwd, specifier)])];
}

/** The module that `exports` or `main` of a folder's manifest name. */
function entryOf(manifest: Manifest & { readonly exports?: unknown; readonly main?: unknown }): string | undefined {
  const root = targetOf(manifest.exports);
  return root ?? (typeof manifest.main === 'string' ? manifest.main : undefined);
}

function targetOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const conditions = exports as Readonly<Record<string, unknown>>;
  return ['.', 'import', 'node', 'default']
    .map((key) => targetOf(conditions[key]))
    .find((found) => found !== undefined);
}

/** The manifest of the package that a module belongs to. */
function manifestAbove(entry: string, name: string): Manifest | null {
  for (let folder = dirname(entry); ; folder = dirname(folder)) {
    const manifest = readManifest(join(folder, 'package.json'));
    if (manifest?.name === name) return manifest;
    if (folder === dirname(folder)) return null;
  }
}

function readManifest(path: string): (Manifest & { readonly exports?: unknown; readonly main?: unknown }) | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  } catch {
    return null;
  }
}

/** Twelve digits of the SHA-256 of a module's own text; what it imports is not in it. */
function hashOf(path: string): string {
  const kind = extname(path).slice(1);
  return `${kind === '' ? 'file' : kind}-${createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12)}`;
}
