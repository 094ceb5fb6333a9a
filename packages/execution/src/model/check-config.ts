/** Checks each node's config against its type: required parameters, types and choices, unknown keys. */
import type { JsonValue } from '../json.ts';
import { checkNeeds } from './check-needs.ts';
import { type ConfigChecks, reportMissing, reportValue } from './config-findings.ts';
import type { DraftNode } from './draft.ts';
import { quoted } from './finding.ts';
import { readParam } from './node-params.ts';
import { choicesOf, isRequired, mayBeStructure, type ParamSchema, paramsOf, takesAnyParam } from './param-schema.ts';
import { hasReferences } from './templates.ts';

/** Keys that the designer writes into every config and that mean nothing to a run. */
const designerKeys = new Set(['status', 'display_name']);

const policies: ReadonlySet<JsonValue> = new Set(['retry', 'skip', 'fail', 'ask']);

/** Keys that the engine understands in every node, with the form of their values. */
const engineKeys: ReadonlyMap<string, { readonly fits: (value: JsonValue) => boolean; readonly what: string }> =
  new Map([
    ['retry_count', { fits: (value: JsonValue) => isCount(value, true), what: 'a whole number, 0 or more' }],
    ['retry_interval', { fits: (value: JsonValue) => isCount(value, false), what: 'a number of ms, 0 or more' }],
    ['retry_backoff', { fits: (value: JsonValue) => isCount(value, false), what: 'a number, 1 or more' }],
    ['timeout', { fits: (value: JsonValue) => isCount(value, false), what: 'a number, 0 or more' }],
    ['unstorable', { fits: (value: JsonValue) => value === 'rerun' || value === 'fail', what: 'rerun or fail' }],
    ['in_doubt', { fits: (value: JsonValue) => policies.has(value), what: 'retry, skip, fail or ask' }],
  ]);

export function checkConfig(node: DraftNode, checks: ConfigChecks): void {
  const { type } = node;
  if (type === undefined || node.disabled) return;
  const params = paramsOf(type);
  const unknown = takesAnyParam(type) || node.hasUnknownPorts ? [] : unknownKeys(node, params);
  for (const key of unknown) reportUnknownKey(node, key, params, checks);
  for (const [param, schema] of params) {
    if (!checks.connected.has(param)) checkParam(node, param, schema, unknown, checks);
  }
  for (const [key, { fits, what }] of engineKeys) {
    const value = params.has(key) ? undefined : (node.config[key] ?? undefined);
    if (value === undefined || value === '' || hasReferences(value) || fits(value)) continue;
    reportValue(node, key, `must be ${what}`, checks);
  }
  checkNeeds(node, unknown, checks);
}

function unknownKeys(node: DraftNode, params: ReadonlyMap<string, ParamSchema>): readonly string[] {
  return Object.keys(node.config).filter(
    (key) =>
      !params.has(key) &&
      !key.startsWith('_') &&
      !key.startsWith('paired_') &&
      !designerKeys.has(key) &&
      !engineKeys.has(key),
  );
}

function reportUnknownKey(
  node: DraftNode,
  key: string,
  params: ReadonlyMap<string, ParamSchema>,
  { findings, speller }: ConfigChecks,
): void {
  const suggestion = speller.nearest(key, params.keys());
  const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
  findings.warning(
    'UNKNOWN_CONFIG_KEY',
    `Node ${quoted(node.id)}: ${node.typeName} has no parameter ${quoted(key)}; it is ignored.${hint}`,
    { node: node.id, field: key, suggestion },
  );
}

function checkParam(
  node: DraftNode,
  param: string,
  schema: ParamSchema,
  unknown: readonly string[],
  checks: ConfigChecks,
): void {
  const value = Object.hasOwn(node.config, param) ? node.config[param] : undefined;
  if (value !== undefined && isLeftToTheRun(schema, value)) return;
  const reading = readParam(schema, value, 'written');
  if (reading.state === 'absent' && isRequired(schema)) reportMissing(node, { param, unknown }, checks);
  if (reading.state !== 'unfit') return;
  const choices = choicesOf(schema);
  const nearest = typeof value === 'string' ? checks.speller.nearest(value, choices) : null;
  reportValue(node, param, reading.problem, checks, nearest);
}

/** What holds a reference is known only then, but for its outermost kind. */
function isLeftToTheRun(schema: ParamSchema, value: JsonValue): boolean {
  return hasReferences(value) && (typeof value !== 'object' || value === null || mayBeStructure(schema, value));
}

function isCount(value: JsonValue, whole: boolean): boolean {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 && (!whole || Number.isInteger(number));
}
