/** A value that some source gives to a setting, and the check of it. */
import { resolve } from 'node:path';
import type { ConfigProblem } from './errors.ts';
import { describeOrigin, type Origin } from './origin.ts';
import type { Setting } from './setting-catalog.ts';

export interface GivenValue {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
  /** Folder that a relative path of this source means. */
  readonly baseFolder: string;
}

/** What one source says. */
export interface Source {
  readonly given: readonly GivenValue[];
  readonly problems: readonly ConfigProblem[];
}

export type CheckedValue =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: ConfigProblem };

export function checkGivenValue({ setting, value, origin, baseFolder }: GivenValue, homedir: string): CheckedValue {
  const { kind, path } = setting;
  const result = kind.schema.safeParse(value);
  if (!result.success) {
    const shown = quote(setting, value);
    const message = kind.fault?.(value) ?? `must be ${kind.allowed}${shown === null ? '' : `, got ${shown}`}`;
    return { ok: false, problem: { path, source: describeOrigin(origin), message } };
  }
  if (kind.treatment === 'path' && typeof result.data === 'string') {
    return { ok: true, value: absolutePath(result.data, baseFolder, homedir) };
  }
  if (kind.treatment === 'path' && Array.isArray(result.data)) {
    const paths = result.data as readonly string[];
    return { ok: true, value: paths.map((item) => (item === '*' ? item : absolutePath(item, baseFolder, homedir))) };
  }
  return { ok: true, value: result.data };
}

function absolutePath(path: string, baseFolder: string, homedir: string): string {
  const rest = /^~(?:[/\\](.*))?$/s.exec(path);
  return rest === null ? resolve(baseFolder, path) : resolve(homedir, rest[1] ?? '');
}

/** The value as an error message may show it; null when it may not (I8). */
function quote({ kind }: Setting, value: unknown): string | null {
  if (kind.treatment === 'secret') return null;
  // A key that was put where the URL belongs must not be shown, either.
  if (kind.treatment === 'url' && !(typeof value === 'string' && /^[a-z]+:\/\/[^@?#]*$/i.test(value))) return null;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
