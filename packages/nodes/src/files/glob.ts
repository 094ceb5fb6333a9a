/** Glob patterns as Python's pathlib has them: `*`, `?`, `[abc]`, `[!a-z]` within a name, `**` across folders. */
import { NodeError } from '../errors.ts';

export interface Glob {
  /** Takes a path relative to the start, with `/` between the names. */
  matches(relativePath: string): boolean;
  /** Levels of folders that can hold a match; Infinity for `**`. */
  readonly depth: number;
}

/** @throws NodeError `PATTERN_INVALID` */
export function globOf(pattern: string, recursive: boolean): Glob {
  const parts = pattern
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.length === 0) throw invalid(pattern, 'is empty: use * for everything');
  if (parts.includes('..')) throw invalid(pattern, 'must not lead out of the folder with ".."');
  const all = recursive ? ['**', ...parts] : parts;
  const regex = new RegExp(`^${sourceOf(all)}$`, 's');
  return {
    matches: (relativePath) => regex.test(relativePath),
    depth: all.includes('**') ? Number.POSITIVE_INFINITY : all.length,
  };
}

function sourceOf(parts: readonly string[]): string {
  return parts
    .map((part, index) => {
      const last = index === parts.length - 1;
      if (part === '**') return last ? '.+' : '(?:[^/]+/)*';
      return nameSource(part) + (last ? '' : '/');
    })
    .join('');
}

function nameSource(part: string): string {
  let source = '';
  for (let at = 0; at < part.length; at += 1) {
    const character = part[at] as string;
    const end = character === '[' ? part.indexOf(']', at + 2) : -1;
    if (end > 0) {
      const set = part.slice(at + 1, end);
      const body = set.replace(/^[!^]/, '').replace(/[\\\]^]/g, '\\$&');
      source += `[${/^[!^]/.test(set) ? '^/' : ''}${body}]`;
      at = end;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else source += character.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return source;
}

function invalid(pattern: string, problem: string): NodeError {
  return new NodeError(`The pattern "${pattern}" ${problem}`, { code: 'PATTERN_INVALID' });
}
