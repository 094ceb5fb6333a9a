/** Checks references of the form `{{node_id.port}}` in config texts: a known node must have that output. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { Draft, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';
import type { NodePorts } from './node-ports.ts';
import { referencesIn } from './templates.ts';
import { isJsonObject } from './value-text.ts';

export interface ReferenceChecks {
  readonly draft: Draft;
  readonly ports: ReadonlyMap<string, NodePorts | undefined>;
  readonly findings: FindingList;
  readonly speller: Speller;
}

/** Config keys whose value is the name of a variable that the node sets. */
const NAMES_A_VARIABLE = /(^|_)(var|variable|variable_name|var_name|output_variable)$/;
/** Expressions are read by the engine itself; their references count although templates in them are left alone. */
const expressionKeys = new Set(['condition', 'expression']);

export function checkReferences(checks: ReferenceChecks): void {
  const variables = variableNames(checks.draft);
  for (const node of checks.draft.nodes.values()) {
    if (node.disabled) continue;
    const raw = new Set(node.type?.rawParams ?? []);
    for (const [key, value] of Object.entries(node.config)) {
      if (key.startsWith('_') || (raw.has(key) && !expressionKeys.has(key))) continue;
      for (const [owner, port] of portReferences(value)) {
        if (!variables.has(owner)) checkReference(node, key, owner, port, checks);
      }
    }
  }
}

/** Variables may be named like a node; then a path leads into the variable's value, which is not known here. */
function variableNames(draft: Draft): ReadonlySet<string> {
  const names = new Set(Object.keys(draft.variables));
  for (const node of draft.nodes.values()) for (const name of variablesNamedIn(node.config)) names.add(name);
  return names;
}

/** The variables that a node may set, by its config. */
export function* variablesNamedIn(config: JsonObject): Iterable<string> {
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === 'string' && NAMES_A_VARIABLE.test(key)) yield value;
  }
}

/** The distinct pairs of names at the start of the references in a value. */
function portReferences(value: JsonValue): Iterable<readonly [string, string]> {
  const found = new Map<string, readonly [string, string]>();
  collect(value, found);
  return found.values();
}

function collect(value: JsonValue, found: Map<string, readonly [string, string]>): void {
  if (typeof value === 'string') {
    if (!value.includes('{{')) return;
    for (const { names } of referencesIn(value)) {
      const [owner, port] = names;
      if (owner !== undefined && port !== undefined) found.set(`${owner}.${port}`, [owner, port]);
    }
  } else if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) collect(item, found);
  } else if (isJsonObject(value)) {
    for (const item of Object.values(value)) collect(item, found);
  }
}

function checkReference(node: DraftNode, key: string, owner: string, port: string, checks: ReferenceChecks): void {
  const ports = checks.ports.get(owner);
  if (ports === undefined || ports.outputs.has(port)) return;
  const suggestion = checks.speller.nearest(port, ports.outputs);
  const has =
    ports.outputs.size === 0 ? 'has no outputs' : `has ${[...ports.outputs].slice(0, 12).map(quoted).join(', ')}`;
  const hint = suggestion === null ? '' : ` Did you mean "{{${owner}.${suggestion}}}"?`;
  checks.findings.error(
    'UNKNOWN_REFERENCE',
    `Node ${quoted(node.id)}: ${quoted(key)} refers to the output ${quoted(port)} of node ${quoted(owner)}, ` +
      `which ${has}.${hint}`,
    { node: node.id, field: key, suggestion },
  );
}
