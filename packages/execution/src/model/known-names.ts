/**
 * The names with which references of a file may begin: what the file declares, what its nodes may set, and the nodes. It
 * rather takes a name for known than not: what cannot be told from the file counts as set.
 */
import { RECOVERY_RETRIES, RECOVERY_STRATEGY } from '../control/recovery-nodes.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import type { Draft, DraftNode } from './draft.ts';
import { paramsOf, tryParse } from './param-schema.ts';
import { subflowPorts } from './subflow-ports.ts';
import { SYSTEM_VALUES } from './system-values.ts';
import { hasReferences } from './templates.ts';

/** Config keys whose value is the name of a variable that the node sets. */
const NAMES_A_VARIABLE = /(^|_)(var|variable|variable_name|var_name|output_variable)$/;
/** What nodes set under names of their own: CatchNode, FinallyNode and ErrorRecoveryNode. */
const setByNodes = ['error_message', 'error_type', 'stack_trace', 'had_error', RECOVERY_STRATEGY, RECOVERY_RETRIES];

/** The variables that a node may set, by its config. */
export function* variablesNamedIn(config: JsonObject): Iterable<string> {
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === 'string' && NAMES_A_VARIABLE.test(key)) yield value;
  }
}

/** The variables of a file by name: those that it declares, and those that its nodes may set by their config. */
export function variableNames(draft: Draft): ReadonlySet<string> {
  const names = new Set(Object.keys(draft.variables));
  for (const node of draft.nodes.values()) for (const name of variablesNamedIn(node.config)) names.add(name);
  return names;
}

export interface KnownNames {
  has(name: string): boolean;
  /** Those worth a suggestion. */
  readonly likely: ReadonlySet<string>;
}

/**
 * @param given variables that are set from without
 * @returns null when a node sets a variable whose name is known only when it runs: then any name may be one
 */
export function knownNames(draft: Draft, given: Iterable<string>): KnownNames | null {
  if (namesAreComputed(draft)) return null;
  const variables = new Set([...variableNames(draft), ...given, ...subflowPorts(draft.nodes.values()).inputs.keys()]);
  for (const { type } of draft.nodes.values())
    for (const name of type === undefined ? [] : namesByDefault(type)) variables.add(name);
  const others = new Set([...setByNodes, ...SYSTEM_VALUES]);
  for (const { config } of draft.nodes.values())
    for (const value of Object.values(config)) if (typeof value === 'string') others.add(value);
  const isLoopName = (name: string): boolean => variables.has(name.replace(/_(?:index|key)$/, ''));
  return {
    has: (name) => draft.nodes.has(name) || variables.has(name) || others.has(name) || isLoopName(name),
    likely: new Set([...variables, ...draft.nodes.keys(), ...SYSTEM_VALUES]),
  };
}

function namesAreComputed(draft: Draft): boolean {
  const isComputed = ({ config }: DraftNode): boolean => [...variablesNamedIn(config)].some(hasReferences);
  return (
    draft.connections.some(({ targetPort }) => NAMES_A_VARIABLE.test(targetPort)) ||
    [...draft.nodes.values()].some((node) => !node.disabled && isComputed(node))
  );
}

const byDefault = new WeakMap<NodeType, readonly string[]>();

/** Names that a type uses where its config gives none. */
function namesByDefault(type: NodeType): readonly string[] {
  const known = byDefault.get(type);
  if (known !== undefined) return known;
  const names = [...paramsOf(type)].flatMap(([key, schema]) => {
    const fallback = NAMES_A_VARIABLE.test(key) ? tryParse(schema, undefined) : null;
    const value = fallback?.ok === true ? (fallback.value as JsonValue | undefined) : undefined;
    return typeof value === 'string' ? [value] : [];
  });
  byDefault.set(type, names);
  return names;
}
