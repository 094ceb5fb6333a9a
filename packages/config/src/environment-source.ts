/**
 * Reads settings from environment variables. An empty variable counts as not set. One that begins with `CASARE_` and is
 * none of them is refused where it is nearly one, and named in a warning elsewhere.
 */
import type { ConfigProblem } from './errors.ts';
import type { GivenValue, Source } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import type { Environment } from './ports.ts';
import { sectionNames, sectionPrefix, settingList } from './setting-catalog.ts';

export function readEnvironment(
  env: Environment,
  baseFolder: string,
): Source & { readonly warnings: readonly string[] } {
  const given: GivenValue[] = [];
  for (const setting of settingList) {
    const text = env[setting.variable]?.trim();
    if (text === undefined || text === '') continue;
    const origin = { source: 'environment', variable: setting.variable } as const;
    given.push({ setting, value: setting.kind.fromText(text), origin, baseFolder });
  }
  return { given, problems: misspelled(env), warnings: unread(env) };
}

const PREFIX = 'CASARE_';
/** Secrets of workflows, by their ids, and what a robot tells the processes that it starts. */
const otherVariables = /^CASARE_(?:SECRET_|JOB_ID$|JOB_PROCESS$)/;
const known: ReadonlySet<string> = new Set(settingList.map((setting) => setting.variable));
const sectionPrefixes = sectionNames.map(sectionPrefix);

/** Variables that begin as a section's settings do, or nearly as one that is known, and name none: a typo must not pass in silence. */
function misspelled(env: Environment): ConfigProblem[] {
  return unknownIn(env).flatMap((name) => {
    const meant = meantBy(name);
    if (meant === null && !isOfSection(name)) return [];
    const hint = meant === null ? '' : `; did you mean ${meant}?`;
    return [{ path: name, source: 'environment', message: `unknown variable${hint}` }];
  });
}

/** Says of other variables of this prefix that nobody reads them. */
function unread(env: Environment): string[] {
  return unknownIn(env)
    .filter((name) => meantBy(name) === null && !isOfSection(name))
    .map((name) => `the environment variable ${name} is none of the robot's settings, and is not read`);
}

function unknownIn(env: Environment): string[] {
  return Object.keys(env).filter(
    (name) => name.startsWith(PREFIX) && !known.has(name) && !otherVariables.test(name) && !isEmpty(env[name]),
  );
}

function isOfSection(name: string): boolean {
  return sectionPrefixes.some((prefix) => name.startsWith(prefix));
}

/** The one that is written alike behind the prefix, or the only one that has a section before this name. */
function meantBy(name: string): string | null {
  const rests = new Map([...known].filter(hasPrefix).map((variable) => [variable.slice(PREFIX.length), variable]));
  const rest = name.slice(PREFIX.length);
  const [longer, ...others] = [...rests.keys()].filter((other) => other.endsWith(`_${rest}`));
  const meant = longer !== undefined && others.length === 0 ? longer : nearestName(rest, rests.keys());
  return meant === null ? null : (rests.get(meant) ?? null);
}

function hasPrefix(variable: string): boolean {
  return variable.startsWith(PREFIX);
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}
