/**
 * Looks for misspelled keys where a file is otherwise silent about them: what is not known is ignored, because designers
 * add keys of their own, and a misspelled "connections" would be, too.
 */
import type { JsonObject } from '../json.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';
import { isJsonObject } from './value-text.ts';

const fileKeys = ['metadata', 'nodes', 'connections', 'variables', 'settings', 'frames', 'subworkflows'];
const settingKeys = ['stop_on_error', 'timeout', 'retry_count'];
/** Longer differences are other words. */
const TOLERANCE = 0.3;

export function checkKeys(content: JsonObject, findings: FindingList, speller: Speller): void {
  reportMisspelled(content, fileKeys, '', findings, speller);
  if (isJsonObject(content.settings)) {
    reportMisspelled(content.settings, settingKeys, 'settings.', findings, speller);
  }
}

/** Only for a key that is missing: two alike are hardly both meant to be the same. */
function reportMisspelled(
  object: JsonObject,
  known: readonly string[],
  place: string,
  findings: FindingList,
  speller: Speller,
): void {
  const missing = known.filter((key) => !Object.hasOwn(object, key));
  for (const key of Object.keys(object)) {
    const meant = known.includes(key) ? null : speller.nearest(key, missing, TOLERANCE);
    if (meant === null) continue;
    findings.warning(
      'UNKNOWN_KEY',
      `The key ${quoted(place + key)} means nothing and is ignored. Did you mean ${quoted(place + meant)}?`,
      { field: place + key.slice(0, 60), suggestion: meant },
    );
  }
}
