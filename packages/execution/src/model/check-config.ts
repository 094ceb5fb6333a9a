/** Checks each node's config against its type: required parameters, types and choices, unknown keys, conditions. */
import type { JsonValue } from '../json.ts';
import type { DraftNode } from './draft.ts';
import { conditionFault } from './expression.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';
import { readParam } from './node-params.ts';
import { choicesOf, isRequired, type ParamSchema, paramsOf, takesAnyParam } from './param-schema.ts';
import { hasReferences } from './templates.ts';

export interface ConfigChecks {
  /** The node's data inputs that something is connected to. */
  readonly connected: ReadonlySet<string>;
  readonly findings: FindingList;
  readonly speller: Speller;
}

/** Keys that the designer writes into every config and that mean nothing to a run. */
const designerKeys = new Set(['status', 'display_name']);

const policies: ReadonlySet<JsonValue> = new Set(['retry', 'skip', 'fail', 'ask']);

/** Keys that the engine understands in every node, with the form of their values. */
const engineKeys: ReadonlyMap<string, { readonly fits: (value: JsonValue) => boolean; readonly what: string }> =
  new Map([
    ['retry_count', { fits: (value: JsonValue) => isCount(value, true), what: 'a whole number, 0 or more' }],
    ['retry_interval', { fits: (value: JsonValue) => isCount(value, false), what: 'a number of ms, 0 or more' }],
    ['timeout', { fits: (value: JsonValue) => isCount(value, false), what: 'a number, 0 or more' }],
    ['in_doubt', { fits: (value: JsonValue) => policies.has(value), what: 'retry, skip, fail or ask' }],
  ]);

/** Types whose condition is evaluated as an expression, with the keys that hold one. */
const conditionKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['IfNode', ['condition', 'expression']],
  ['WhileLoopStartNode', ['condition', 'expression']],
  ['WhileLoopNode', ['condition', 'expression']],
  ['SwitchNode', ['expression']],
  ['AssertNode', ['condition']],
]);

/** Types that need one of several inputs; a for loop may have a range instead of items. */
const alternatives: ReadonlyMap<string, readonly string[]> = new Map([
  ['IfNode', ['condition', 'expression']],
  ['WhileLoopStartNode', ['condition', 'expression']],
  ['WhileLoopNode', ['condition', 'expression']],
  ['SwitchNode', ['value', 'expression']],
  ['ForLoopStartNode', ['items', 'list_var', 'end']],
]);

export function checkConfig(node: DraftNode, checks: ConfigChecks): void {
  const { type } = node;
  if (type === undefined || node.disabled) return;
  const params = paramsOf(type);
  const unknown = takesAnyParam(type) ? [] : unknownKeys(node, params);
  for (const key of unknown) reportUnknownKey(node, key, params, checks);
  for (const [param, schema] of params) {
    if (!checks.connected.has(param)) checkParam(node, param, schema, unknown, checks);
  }
  for (const [key, { fits, what }] of engineKeys) {
    const value = params.has(key) ? undefined : (node.config[key] ?? undefined);
    if (value === undefined || value === '' || hasReferences(value) || fits(value)) continue;
    reportValue(node, key, `must be ${what}`, checks);
  }
  checkConditions(node, checks);
  checkAlternatives(node, checks);
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
  if (value !== undefined && hasReferences(value)) return;
  const reading = readParam(schema, value, 'written');
  if (reading.state === 'absent' && isRequired(schema)) reportMissing(node, param, unknown, checks);
  if (reading.state !== 'unfit') return;
  const choices = choicesOf(schema);
  const nearest = typeof value === 'string' ? checks.speller.nearest(value, choices) : null;
  reportValue(node, param, reading.problem, checks, nearest);
}

function reportMissing(node: DraftNode, param: string, unknown: readonly string[], checks: ConfigChecks): void {
  const misspelled = checks.speller.nearest(param, unknown);
  const hint = misspelled === null ? '' : ` There is a key ${quoted(misspelled)}; did you mean ${quoted(param)}?`;
  checks.findings.error(
    'MISSING_CONFIG',
    `Node ${quoted(node.id)}: ${node.typeName} needs ${quoted(param)}, which is not set. ` +
      `Set it in the config, or connect a value to it.${hint}`,
    {
      node: node.id,
      field: param,
      suggestion: misspelled === null ? `Set "${param}".` : `Rename ${quoted(misspelled)} to "${param}".`,
    },
  );
}

function reportValue(
  node: DraftNode,
  param: string,
  problem: string,
  { findings }: ConfigChecks,
  suggestion: string | null = null,
): void {
  const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
  findings.error('INVALID_VALUE', `Node ${quoted(node.id)}: ${quoted(param)} ${problem}.${hint}`, {
    node: node.id,
    field: param,
    suggestion,
  });
}

function checkConditions(node: DraftNode, checks: ConfigChecks): void {
  for (const key of conditionKeys.get(node.typeName) ?? []) {
    const text = checks.connected.has(key) ? undefined : node.config[key];
    const fault = typeof text === 'string' ? conditionFault(text) : undefined;
    if (fault === undefined) continue;
    checks.findings.error('INVALID_EXPRESSION', `Node ${quoted(node.id)}: ${quoted(key)}: ${fault.message}`, {
      node: node.id,
      field: key,
    });
  }
}

function checkAlternatives(node: DraftNode, checks: ConfigChecks): void {
  const needed = alternatives.get(node.typeName);
  const goesOverRange = node.typeName === 'ForLoopStartNode' && node.config.mode === 'range';
  if (needed === undefined || goesOverRange) return;
  if (needed.some((key) => checks.connected.has(key) || isGiven(key, node.config[key]))) return;
  const [first = ''] = needed;
  checks.findings.error(
    'MISSING_CONFIG',
    `Node ${quoted(node.id)}: ${node.typeName} needs ${needed.map(quoted).join(' or ')}, and has neither.`,
    { node: node.id, field: first, suggestion: `Set "${first}".` },
  );
}

/** An empty condition is false, and an empty value a value; any other empty text is nothing. */
function isGiven(key: string, value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  return key === 'condition' || key === 'value' || typeof value !== 'string' || value.trim() !== '';
}

function isCount(value: JsonValue, whole: boolean): boolean {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 && (!whole || Number.isInteger(number));
}
