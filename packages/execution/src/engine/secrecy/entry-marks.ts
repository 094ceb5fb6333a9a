/**
 * Marks the secret parts of a journal entry by their paths (`secret`), for whoever stores it: derived values, and what
 * node types keep of live objects. What was marked says so after a restart, too.
 */
import type { JournalEntry } from '../journal.ts';
import type { RunSecrets } from './run-secrets.ts';
import type { SecretPath } from './secret-path.ts';

/** Marks that the entry has already stay. */
export function markedEntry(entry: JournalEntry, secrets: RunSecrets): JournalEntry {
  const given = ('secret' in entry ? entry.secret : undefined) ?? [];
  const marks = [...given, ...sealedResources(entry), ...partsOf(entry, secrets)];
  return marks.length === 0 ? entry : { ...entry, secret: outermost(marks) };
}

function partsOf(entry: JournalEntry, secrets: RunSecrets): readonly SecretPath[] {
  if (secrets.isEmpty) return [];
  switch (entry.kind) {
    case 'began':
      return secrets.partsOfEach(entry.variables, ['variables']);
    case 'intent':
      return [
        ...secrets.partsOfEach(entry.params ?? {}, ['params']),
        ...secrets.partsOf(entry.evidence ?? null, ['evidence']),
      ];
    case 'result':
      return [
        ...secrets.partsOfEach(entry.outputs, ['outputs']),
        ...secrets.partsOfEach(entry.variables, ['variables']),
        ...secrets.partsOf(entry.control ?? null, ['control']),
        ...secrets.partsOfEach(entry.resources ?? [], ['resources']),
      ];
    case 'snapshot':
      return partsOfState(entry.state, ['state'], secrets);
    default:
      return [];
  }
}

/** Variables and outputs are lists of pairs there, and lanes hold their own. */
function partsOfState(state: object, at: SecretPath, secrets: RunSecrets): SecretPath[] {
  return Object.entries(state).flatMap(([key, value]) => {
    if (key === 'lanes' && Array.isArray(value)) {
      return value.flatMap((lane: object, index) => partsOfState(lane, [...at, key, index], secrets));
    }
    if ((key === 'variables' || key === 'outputs') && Array.isArray(value)) {
      return value.flatMap((pair: readonly unknown[], index) => {
        const place = [...at, key, index];
        return secrets.holds(pair[0]) ? [place] : [...secrets.partsOf(pair[1], [...place, 1])];
      });
    }
    return [...secrets.partsOf(value, [...at, key])];
  });
}

function sealedResources(entry: JournalEntry): SecretPath[] {
  if (entry.kind === 'result') return sealedIn(entry.resources, ['resources']);
  return entry.kind === 'snapshot' ? sealedIn(entry.state.resources, ['state', 'resources']) : [];
}

function sealedIn(resources: unknown, at: SecretPath): SecretPath[] {
  if (!Array.isArray(resources)) return [];
  return resources.flatMap((resource: object, index) => ('sealed' in resource ? [[...at, index, 'sealed']] : []));
}

/** Each part is taken out once: what lies inside of another one goes with it. */
function outermost(paths: readonly SecretPath[]): readonly SecretPath[] {
  const kept = new Map<string, SecretPath>();
  for (const path of [...paths].sort((a, b) => a.length - b.length)) {
    const isInside = path.some((_key, length) => length > 0 && kept.has(JSON.stringify(path.slice(0, length))));
    if (!isInside) kept.set(JSON.stringify(path), path);
  }
  return [...kept.values()];
}
