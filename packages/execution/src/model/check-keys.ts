/**
 * Looks for misspelled keys where a file is otherwise silent about them: what is not known is ignored, because designers
 * add keys of their own, and a misspelled "connections" would be, too. The settings alone are a closed set.
 */
import type { JsonObject, JsonValue } from '../json.ts';
import { type FindingList, type FindingPlace, quoted } from './finding.ts';
import type { WorkflowLimits } from './limits.ts';
import type { Speller } from './nearest.ts';
import { looksLikeDefinition } from './parse-variables.ts';
import { isJsonObject } from './value-text.ts';

/** Names of one thing: the designer's, and those of older files. */
type Spellings = readonly string[];

const fileKeys: readonly Spellings[] = [
  ['metadata'],
  ['nodes'],
  ['connections'],
  ['variables'],
  ['settings'],
  ['frames'],
  ['subworkflows'],
];
const settingKeys = ['stop_on_error', 'timeout', 'retry_count'];
const nodeKeys: readonly Spellings[] = [
  ['node_id', 'id'],
  ['node_type', 'type'],
  ['config', 'properties'],
];
const connectionKeys: readonly Spellings[] = [
  ['source_node', 'from_node', 'out'],
  ['source_port', 'from_port', 'out'],
  ['target_node', 'to_node', 'in'],
  ['target_port', 'to_port', 'in'],
];
const variableKeys: readonly Spellings[] = [['type', 'data_type'], ['default_value', 'value'], ['description']];
/** Longer differences are other words. */
const TOLERANCE = 0.3;

export interface KeyChecks {
  readonly limits: WorkflowLimits;
  readonly findings: FindingList;
  readonly speller: Speller;
}

export function checkKeys(content: JsonObject, checks: KeyChecks): void {
  checkFileKeys(content, checks);
  if (isJsonObject(content.settings)) checkSettings(content.settings, checks);
  if (isJsonObject(content.metadata)) {
    for (const { key, meant } of misspelled(content.metadata, [['name']], checks)) {
      report({ key: `metadata.${key}`, meant: `metadata.${meant}` }, { suggestion: meant }, checks);
    }
  }
  checkNodes(content.nodes, checks);
  checkConnections(content.connections, checks);
  checkVariables(content.variables, checks);
}

function checkFileKeys(content: JsonObject, checks: KeyChecks): void {
  for (const { key, meant } of misspelled(content, fileKeys, checks)) report({ key, meant }, {}, checks);
  for (const key of Object.keys(content).filter((one) => settingKeys.includes(one))) {
    report({ key, meant: `settings.${key}` }, {}, checks);
  }
}

function checkSettings(settings: JsonObject, checks: KeyChecks): void {
  for (const key of Object.keys(settings)) {
    if (settingKeys.includes(key) || key.startsWith('_')) continue;
    const suggestion = checks.speller.nearest(key, settingKeys);
    const meant = suggestion === null ? null : `settings.${suggestion}`;
    report({ key: `settings.${key}`, meant }, { suggestion }, checks, `Settings are ${settingKeys.join(', ')}.`);
  }
}

function checkNodes(nodes: JsonValue | undefined, checks: KeyChecks): void {
  const entries = isJsonObject(nodes) ? Object.entries(nodes) : Array.isArray(nodes) ? [...nodes.entries()] : [];
  if (entries.length > checks.limits.maxNodes) return;
  for (const [place, source] of entries as readonly (readonly [string | number, JsonValue])[]) {
    if (!isJsonObject(source)) continue;
    const id = typeof place === 'string' ? place : (source.node_id ?? source.id);
    const node = typeof id === 'string' || typeof id === 'number' ? String(id) : null;
    const where = node === null ? `nodes[${place}]` : `Node ${quoted(node)}`;
    // Where it stands names a node of an object: that it does not say its id itself is as it should be.
    const known = typeof place === 'string' ? nodeKeys.slice(1) : nodeKeys;
    for (const { key, meant } of misspelled(source, known, checks)) {
      report({ key, meant, where }, { node, field: key.slice(0, 60) }, checks);
    }
  }
}

function checkConnections(connections: JsonValue | undefined, checks: KeyChecks): void {
  if (!Array.isArray(connections) || connections.length > checks.limits.maxConnections) return;
  for (const [index, source] of connections.entries() as Iterable<[number, JsonValue]>) {
    if (!isJsonObject(source)) continue;
    for (const { key, meant } of misspelled(source, connectionKeys, checks)) {
      const where = `connections[${index}]`;
      report({ key, meant, where }, { field: `${where}.${key.slice(0, 60)}` }, checks);
    }
  }
}

function checkVariables(variables: JsonValue | undefined, checks: KeyChecks): void {
  const entries = isJsonObject(variables)
    ? Object.entries(variables)
    : Array.isArray(variables)
      ? variables.flatMap((item: JsonValue) => (isJsonObject(item) ? [[String(item.name), item] as const] : []))
      : [];
  for (const [name, source] of entries) {
    if (!isJsonObject(source)) continue;
    const found = misspelled(source, variableKeys, checks);
    if (!looksLikeDefinition(source, new Set(found.map(({ key }) => key)))) continue;
    for (const { key, meant } of found) {
      const place = { field: `variables.${name.slice(0, 60)}.${key.slice(0, 60)}` };
      report({ key, meant, where: `Variable ${quoted(name)}` }, place, checks);
    }
  }
}

interface Slip {
  readonly key: string;
  readonly meant: string;
}

/** Only for a key that is missing: two alike are hardly both meant to be the same. */
function misspelled(object: JsonObject, known: readonly Spellings[], { speller }: KeyChecks): readonly Slip[] {
  const missing = known.filter((spellings) => !spellings.some((key) => Object.hasOwn(object, key))).flat();
  if (missing.length === 0) return [];
  const names = new Set(known.flat());
  return Object.keys(object).flatMap((key) => {
    const meant = names.has(key) || key.startsWith('_') ? null : speller.nearest(key, missing, TOLERANCE);
    return meant === null ? [] : [{ key, meant }];
  });
}

interface UnknownKey {
  readonly key: string;
  readonly meant: string | null;
  /** Default: the file. */
  readonly where?: string;
}

function report({ key, meant, where }: UnknownKey, place: FindingPlace, { findings }: KeyChecks, otherwise = ''): void {
  const subject = where === undefined ? 'The key' : `${where}: the key`;
  const hint = meant === null ? otherwise : `Did you mean ${quoted(meant)}?`;
  findings.warning('UNKNOWN_KEY', `${subject} ${quoted(key)} means nothing and is ignored. ${hint}`.trimEnd(), {
    field: key.slice(0, 60),
    suggestion: meant,
    ...place,
  });
}
