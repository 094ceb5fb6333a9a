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
  return { given, ...unknownVariables(env) };
}

const PREFIX = 'CASARE_';
/** Secrets of workflows, by their ids, and what a robot tells the processes that it starts. */
const otherVariables = /^CASARE_(?:SECRET_|JOB_ID$|JOB_PROCESS$)/;
const known: ReadonlySet<string> = new Set(settingList.map((setting) => setting.variable));
/** Known variables by what is behind the prefix. */
const rests: ReadonlyMap<string, string> = new Map(
  [...known]
    .filter((variable) => variable.startsWith(PREFIX))
    .map((variable) => [variable.slice(PREFIX.length), variable]),
);
const sectionPrefixes = sectionNames.map(sectionPrefix);

/**
 * What begins as a section's settings do, or nearly as one that is known, and names none is a problem: a typo must not pass
 * in silence. Of other variables with this prefix a warning says that nobody reads them.
 */
function unknownVariables(env: Environment): { readonly problems: ConfigProblem[]; readonly warnings: string[] } {
  const problems: ConfigProblem[] = [];
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || known.has(name) || otherVariables.test(name) || isEmpty(text)) continue;
    const meant = meantBy(name);
    const hint = meant === null ? '' : `; did you mean ${meant}?`;
    if (meant !== null || isOfSection(name))
      problems.push({ path: name, source: 'environment', message: `unknown variable${hint}` });
    else warnings.push(`the environment variable ${name} is none of the robot's settings, and is not read`);
  }
  return { problems, warnings };
}

function isOfSection(name: string): boolean {
  return sectionPrefixes.some((prefix) => name.startsWith(prefix));
}

/** The one that is written alike behind the prefix, or the only one that has a section before this name. */
function meantBy(name: string): string | null {
  const rest = name.slice(PREFIX.length);
  const [longer, ...others] = [...rests.keys()].filter((other) => other.endsWith(`_${rest}`));
  const meant = longer !== undefined && others.length === 0 ? longer : nearestName(rest, rests.keys());
  return meant === null ? null : (rests.get(meant) ?? null);
}

function isEmpty(text: string | undefined): boolean {
  return text === undefined || text.trim() === '';
}
