/** Reads settings from an object of sections: the content of a file, or a configuration made in code. */
import type { ConfigProblem } from './errors.ts';
import type { GivenValue, Source } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import { describeOrigin, type Origin } from './origin.ts';
import { findSetting, sectionNames, settingList } from './setting-catalog.ts';

export function readObject(sections: object, origin: Origin, baseFolder: string): Source {
  const given: GivenValue[] = [];
  const problems: ConfigProblem[] = [];
  const source = describeOrigin(origin);
  for (const [section, values] of Object.entries(sections)) {
    if (values === undefined) continue;
    if (!sectionNames.includes(section)) {
      problems.push({ path: section, source, message: `unknown section${meantSection(section)}` });
      continue;
    }
    if (!isRecord(values)) {
      problems.push({ path: section, source, message: 'must be an object of settings' });
      continue;
    }
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue;
      const setting = findSetting(`${section}.${name}`);
      if (setting !== undefined) given.push({ setting, value, origin, baseFolder });
      else problems.push({ path: `${section}.${name}`, source, message: unknownSetting(section, name) });
    }
  }
  return { given, problems };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Says that the setting is unknown, and which one was probably meant. */
export function unknownSetting(section: string, name: string): string {
  const elsewhere = settingList.find((setting) => setting.name === name)?.path;
  const neighbours = settingList.filter((setting) => setting.section === section).map((setting) => setting.name);
  const neighbour = nearestName(name, neighbours);
  const meant = elsewhere ?? (neighbour === null ? null : `${section}.${neighbour}`);
  return `unknown setting${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function meantSection(name: string): string {
  const setting = settingList.find((candidate) => candidate.name === name);
  const meant = setting?.path ?? nearestName(name, sectionNames);
  return meant === null ? `; the sections are ${sectionNames.join(', ')}` : `; did you mean ${meant}?`;
}
