/** Reads settings from the command line: values by setting path, as text or already typed. */
import type { ConfigProblem } from './errors.ts';
import type { GivenValue, Source } from './given-value.ts';
import { unknownSetting } from './object-source.ts';
import { findSetting } from './setting-catalog.ts';

export type Flags = Readonly<Record<string, unknown>>;

export function readFlags(flags: Flags, baseFolder: string): Source {
  const given: GivenValue[] = [];
  const problems: ConfigProblem[] = [];
  for (const [path, value] of Object.entries(flags)) {
    if (value === undefined) continue;
    const setting = findSetting(path);
    if (setting === undefined) {
      const dot = path.indexOf('.');
      const message = unknownSetting(path.slice(0, Math.max(0, dot)), path.slice(dot + 1));
      problems.push({ path, source: 'command line', message });
      continue;
    }
    const meant = typeof value === 'string' ? setting.kind.fromText(value.trim()) : value;
    given.push({ setting, value: meant, origin: { source: 'flag' }, baseFolder });
  }
  return { given, problems };
}
