/** Reads settings from environment variables. An empty variable counts as not set. */
import type { ConfigProblem } from './errors.ts';
import type { GivenValue, Source } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import type { Environment } from './ports.ts';
import { sectionNames, sectionPrefix, settingList } from './setting-catalog.ts';

export function readEnvironment(env: Environment, baseFolder: string): Source {
  const given: GivenValue[] = [];
  for (const setting of settingList) {
    const text = env[setting.variable]?.trim();
    if (text === undefined || text === '') continue;
    const origin = { source: 'environment', variable: setting.variable } as const;
    given.push({ setting, value: setting.kind.fromText(text), origin, baseFolder });
  }
  return { given, problems: misspelled(env) };
}

/** Variables that begin as a section's settings do and name none: a typo must not pass in silence. */
function misspelled(env: Environment): ConfigProblem[] {
  const known = new Set(settingList.map((setting) => setting.variable));
  const prefixes = sectionNames.map(sectionPrefix);
  return Object.keys(env)
    .filter((name) => !known.has(name) && prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => {
      const meant = nearestName(name, known);
      const hint = meant === null ? '' : `; did you mean ${meant}?`;
      return { path: name, source: 'environment', message: `unknown variable${hint}` };
    });
}
