/**
 * Checks what a node needs as a whole, beyond its parameters one by one: conditions that can be parsed, one of
 * several inputs, what another parameter decides, and a for loop that goes over something.
 */
import type { JsonValue } from '../json.ts';
import { type ConfigChecks, reportMissing, reportValue } from './config-findings.ts';
import type { DraftNode } from './draft.ts';
import { conditionFault } from './expression.ts';
import { quoted } from './finding.ts';
import { hasReferences } from './templates.ts';

/** Types whose condition is evaluated as an expression, with the keys that hold one. */
const conditionKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['IfNode', ['condition', 'expression']],
  ['WhileLoopStartNode', ['condition', 'expression']],
  ['WhileLoopNode', ['condition', 'expression']],
  ['SwitchNode', ['expression']],
  ['AssertNode', ['condition']],
]);

/** Types that need one of several inputs. What a for loop needs depends on its mode. */
const alternatives: ReadonlyMap<string, readonly string[]> = new Map([
  ['IfNode', ['condition', 'expression']],
  ['WhileLoopStartNode', ['condition', 'expression']],
  ['WhileLoopNode', ['condition', 'expression']],
  ['SwitchNode', ['value', 'expression']],
]);

/** Values that would need what a robot has no right to do, or cannot do, with the remedy. */
const unsupported: readonly {
  readonly type: string;
  readonly key: string;
  readonly values: ReadonlySet<JsonValue>;
  readonly why: string;
  readonly remedy: string;
}[] = [
  ...[
    { type: 'CallSubworkflowNode', key: 'execution_mode', values: ['async'], good: 'sync' },
    { type: 'CallSubworkflowNode', key: 'wait_for_result', values: [false, 'false'], good: 'true' },
    { type: 'ExecuteWorkflowNode', key: 'wait_for_completion', values: [false, 'false'], good: 'true' },
  ].map(({ type, key, values, good }) => ({
    type,
    key,
    values: new Set<JsonValue>(values),
    why: 'asks for a job of its own, which a robot has no right to submit',
    remedy: `Set "${key}" to ${good}; to run it apart, let its own trigger or an operator submit it.`,
  })),
  {
    type: 'ErrorRecoveryNode',
    key: 'strategy',
    values: new Set<JsonValue>(['restart']),
    why: 'would start the workflow again from inside, and so repeat what it has done',
    remedy: 'Use "retry" in a catch body, or a RetryNode around what may be repeated.',
  },
];

/** @param unknown the keys of the config that its type does not know */
export function checkNeeds(node: DraftNode, unknown: readonly string[], checks: ConfigChecks): void {
  checkConditions(node, checks);
  const needed = node.typeName === 'ForLoopStartNode' ? loopSources(node, checks) : alternatives.get(node.typeName);
  if (needed !== undefined) checkAlternatives(node, needed, checks);
  for (const missing of missingParams(node, checks)) reportMissing(node, { ...missing, unknown }, checks);
  checkStep(node, checks);
  checkSupported(node, checks);
}

function checkSupported(node: DraftNode, { connected, findings }: ConfigChecks): void {
  for (const { type, key, values, why, remedy } of unsupported) {
    const value = node.config[key];
    const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
    if (node.typeName !== type || connected.has(key) || word === undefined || !values.has(word)) continue;
    findings.error('UNSUPPORTED_VALUE', `Node ${quoted(node.id)}: ${quoted(key)} ${why}.`, {
      node: node.id,
      field: key,
      suggestion: remedy,
    });
  }
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

function checkAlternatives(node: DraftNode, needed: readonly string[], checks: ConfigChecks): void {
  if (needed.some((key) => isGiven(node, key, checks))) return;
  const [first = ''] = needed;
  const last = needed.at(-1) ?? '';
  const list = `${needed.slice(0, -1).map(quoted).join(', ')} or ${quoted(last)}`;
  const none = needed.length === 2 ? 'neither' : 'none of them';
  checks.findings.error('MISSING_CONFIG', `Node ${quoted(node.id)}: ${node.typeName} needs ${list}, and has ${none}.`, {
    node: node.id,
    field: first,
    suggestion: `Set "${first}" in the config, or connect a value to it.`,
  });
}

/** An empty condition is false, and an empty value a value; any other empty text is nothing. */
function isGiven(node: DraftNode, key: string, { connected }: ConfigChecks): boolean {
  const value = node.config[key];
  if (connected.has(key)) return true;
  if (value === undefined || value === null) return false;
  return key === 'condition' || key === 'value' || typeof value !== 'string' || value.trim() !== '';
}

/** Node types read configs that were not checked yet; one that cannot is asked again at run time. */
function missingParams(
  node: DraftNode,
  { connected }: ConfigChecks,
): readonly { readonly param: string; readonly purpose: string }[] {
  try {
    return node.type?.missing?.(node.config, (param) => connected.has(param)) ?? [];
  } catch {
    return [];
  }
}

/** `unsaid`: a file without a mode may mean either. `unknown`: only the run will tell. */
function loopMode(node: DraftNode, { connected }: ConfigChecks): 'items' | 'range' | 'unsaid' | 'unknown' {
  const mode = node.config.mode ?? '';
  if (connected.has('mode') || hasReferences(mode)) return 'unknown';
  if (mode === '') return 'unsaid';
  const word = typeof mode === 'string' ? mode.trim().toLowerCase() : '';
  return word === 'items' || word === 'range' ? word : 'unknown';
}

/** The parameters of which a for loop needs one; undefined when it needs none. */
function loopSources(node: DraftNode, checks: ConfigChecks): readonly string[] | undefined {
  const mode = loopMode(node, checks);
  if (mode === 'items') return ['items', 'list_var'];
  return mode === 'unsaid' ? ['items', 'list_var', 'end'] : undefined;
}

function checkStep(node: DraftNode, checks: ConfigChecks): void {
  const isZero = !checks.connected.has('step') && isZeroNumber(node.config.step);
  if (isZero && goesOverRange(node, checks)) {
    reportValue(node, 'step', 'must not be 0, because the loop would never end', checks);
  }
}

function goesOverRange(node: DraftNode, checks: ConfigChecks): boolean {
  if (node.typeName === 'ForLoopNode') return !isGiven(node, 'items', checks);
  if (node.typeName !== 'ForLoopStartNode') return false;
  const mode = loopMode(node, checks);
  return (
    mode === 'range' || (mode === 'unsaid' && !isGiven(node, 'items', checks) && !isGiven(node, 'list_var', checks))
  );
}

function isZeroNumber(value: JsonValue | undefined): boolean {
  return typeof value === 'string' ? value.trim() !== '' && Number(value) === 0 : value === 0;
}
