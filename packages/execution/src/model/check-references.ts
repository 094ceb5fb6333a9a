/**
 * Checks references in config texts: of `{{node_id.port}}`, a known node must have that output; any must begin with a name
 * that the file knows.
 */
import type { JsonValue } from '../json.ts';
import type { Draft, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import { type KnownNames, knownNames, variableNames } from './known-names.ts';
import type { Speller } from './nearest.ts';
import type { NodePorts } from './node-ports.ts';
import { referencesIn } from './templates.ts';
import { isJsonObject } from './value-text.ts';

export interface ReferenceChecks {
  readonly draft: Draft;
  readonly ports: ReadonlyMap<string, NodePorts | undefined>;
  readonly findings: FindingList;
  readonly speller: Speller;
  /** Variables that are set from without. */
  readonly given: readonly string[];
}

/** Expressions are read by the engine itself; their references count although templates in them are left alone. */
const expressionKeys = new Set(['condition', 'expression']);

export function checkReferences(checks: ReferenceChecks): void {
  const variables = new Set([...variableNames(checks.draft), ...checks.given]);
  const known = knownNames(checks.draft, checks.given);
  for (const node of checks.draft.nodes.values()) {
    if (node.disabled) continue;
    const raw = new Set(node.type?.rawParams ?? []);
    for (const [key, value] of Object.entries(node.config)) {
      if (key.startsWith('_') || (raw.has(key) && !expressionKeys.has(key))) continue;
      const references = distinctReferences(value);
      for (const [owner, port] of references.values())
        if (owner !== undefined && port !== undefined && !variables.has(owner))
          checkReference(node, key, owner, port, checks);
      if (known !== null && node.typeName !== 'CommentNode')
        for (const name of unknownNames(references.values(), known)) warnOfName(node, key, name, known, checks);
    }
  }
}

/** The distinct names at the start of the references in a value, by their text. */
function distinctReferences(value: JsonValue): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  collect(value, found);
  return found;
}

function collect(value: JsonValue, found: Map<string, readonly string[]>): void {
  if (typeof value === 'string') {
    if (!value.includes('{{')) return;
    for (const { names } of referencesIn(value)) found.set(names.join('.'), names);
  } else if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) collect(item, found);
  } else if (isJsonObject(value)) {
    for (const item of Object.values(value)) collect(item, found);
  }
}

/** Names may hold dots: a reference is known by any of its beginnings. */
function unknownNames(references: Iterable<readonly string[]>, known: KnownNames): ReadonlySet<string> {
  const unknown = new Set<string>();
  for (const names of references) {
    const [first = ''] = names;
    if (first.startsWith('$secret:')) continue;
    if (!names.some((_name, index) => known.has(names.slice(0, index + 1).join('.')))) unknown.add(first);
  }
  return unknown;
}

/** It stays as it is written when it runs, which is hardly ever meant; but what starts a job may set any variable. */
function warnOfName(node: DraftNode, key: string, name: string, known: KnownNames, checks: ReferenceChecks): void {
  const suggestion = checks.speller.nearest(name, known.likely, 0.34);
  const hint =
    suggestion === null
      ? 'If it is set when the job is started, or by a node that does not say so, declare it in "variables".'
      : `Did you mean "${suggestion}"?`;
  checks.findings.warning(
    'UNKNOWN_REFERENCE',
    `Node ${quoted(node.id)}: ${quoted(key)} refers to ${quoted(name)}, but no variable and no node of this workflow ` +
      `has that name. ${hint}`,
    { node: node.id, field: key, suggestion },
  );
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
