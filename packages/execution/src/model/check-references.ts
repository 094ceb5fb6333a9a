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
import { parseReference } from './reference-path.ts';
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
      if (node.typeName === 'CommentNode') continue;
      for (const text of unknownKinds(value)) warnOfKind(node, key, text, checks);
      if (known !== null)
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

/** `{{$word:id}}`, and `{{word:id}}`, which is meant so where the word reads like `secret`. */
const KIND = /\{\{\s*(\$?)(\w{1,60}):([^{}]{0,200})\}\}/g;
const kinds = ['secret'];

/** What is written like a secret's reference, and is none: it would be taken as it is written, without a word. */
function* unknownKinds(value: JsonValue): Iterable<UnknownKind> {
  if (typeof value === 'string') {
    for (const [text, dollar = '', word = '', id = ''] of value.matchAll(KIND)) {
      if (parseReference(text.slice(2, -2)) === null) yield { text, word, id: id.trim(), isKind: dollar === '$' };
    }
  } else if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) yield* unknownKinds(item);
  } else if (isJsonObject(value)) {
    for (const item of Object.values(value)) yield* unknownKinds(item);
  }
}

interface UnknownKind {
  readonly text: string;
  readonly word: string;
  readonly id: string;
  /** Whether it can be nothing else. */
  readonly isKind: boolean;
}

function warnOfKind(
  node: DraftNode,
  key: string,
  { text, word, id, isKind }: UnknownKind,
  checks: ReferenceChecks,
): void {
  const meant = checks.speller.nearest(word, kinds);
  if (meant === null && !isKind) return;
  const isWritable = meant !== null && /^\S+$/.test(id);
  const suggestion = isWritable ? `{{$${meant}:${id}}}` : null;
  const hint =
    suggestion === null
      ? 'A secret is written {{$secret:id}}, with an id without spaces.'
      : `Did you mean ${quoted(suggestion)}?`;
  checks.findings.warning(
    'UNKNOWN_REFERENCE',
    `Node ${quoted(node.id)}: ${quoted(key)} holds ${quoted(text)}, which stands for nothing and stays as it is written. ${hint}`,
    { node: node.id, field: key, suggestion },
  );
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
