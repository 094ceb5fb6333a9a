/** Reads the nodes of a file: an object by id or a list, with the designer's extras and older spellings. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import { isDeeperThan } from './json-depth.ts';
import type { WorkflowLimits } from './limits.ts';
import type { NodeRegistry } from './registry.ts';
import { judgeType } from './type-families.ts';
import { isJsonObject, kindOf } from './value-text.ts';

const MAX_ID_LENGTH = 256;
const MAX_TYPE_SUGGESTIONS = 100;

export interface NodeReader {
  readonly registry: NodeRegistry;
  readonly limits: WorkflowLimits;
  readonly findings: FindingList;
  readonly keysOf: (object: object) => readonly string[];
}

/** The nodes in file order; those without a usable id or shape are left out. */
export function parseNodes(source: JsonValue | undefined, reader: NodeReader): Map<string, DraftNode> {
  const { findings, limits } = reader;
  const nodes = new Map<string, DraftNode>();
  const entries = entriesOf(source, reader);
  if (entries.length > limits.maxNodes) {
    findings.error(
      'TOO_MANY_NODES',
      `The workflow has ${entries.length} nodes; at most ${limits.maxNodes} are allowed.`,
      {
        field: 'nodes',
        suggestion: 'Divide it into several workflows.',
      },
    );
    return nodes;
  }
  if (entries.length === 0) {
    findings.error('EMPTY_WORKFLOW', 'The workflow has no nodes, so there is nothing to run.', {
      field: 'nodes',
      suggestion: 'Add at least one node.',
    });
  }
  const typeJudge = new TypeJudge(reader);
  for (const { key, place, source: node } of entries) {
    const parsed = parseNode(key, place, node, reader, typeJudge);
    if (parsed === undefined) continue;
    if (nodes.has(parsed.id)) {
      findings.error('DUPLICATE_NODE_ID', `Two nodes have the id ${quoted(parsed.id)}. Give one of them another id.`, {
        node: parsed.id,
        field: 'node_id',
      });
    } else nodes.set(parsed.id, parsed);
  }
  return nodes;
}

interface NodeEntry {
  /** The key of the object; null in a list. */
  readonly key: string | null;
  readonly place: string;
  readonly source: JsonValue;
}

function entriesOf(source: JsonValue | undefined, { findings, keysOf }: NodeReader): readonly NodeEntry[] {
  if (Array.isArray(source)) {
    return source.map((node: JsonValue, index) => ({ key: null, place: `nodes[${index}]`, source: node }));
  }
  if (isJsonObject(source)) {
    return keysOf(source).map((key) => ({ key, place: `nodes.${key.slice(0, 60)}`, source: source[key] ?? null }));
  }
  if (source !== undefined && source !== null) {
    findings.error('INVALID_STRUCTURE', `"nodes" must be an object of nodes by their ids, but is ${kindOf(source)}.`, {
      field: 'nodes',
    });
  }
  return [];
}

function parseNode(
  key: string | null,
  place: string,
  source: JsonValue,
  { findings, limits }: NodeReader,
  typeJudge: TypeJudge,
): DraftNode | undefined {
  if (!isJsonObject(source)) {
    findings.error(
      'INVALID_NODE',
      `${quoted(place)} must be an object with "node_type" and "config", but is ${kindOf(source)}.`,
      {
        node: key,
        field: place,
      },
    );
    return undefined;
  }
  const id = nodeId(key, place, source, findings);
  if (id === undefined) return undefined;
  const config = nodeConfig(id, source, limits, findings);
  const disabled = config._disabled === true || config._disabled === 'true';
  const typeName = source.node_type ?? source.type;
  if (typeof typeName !== 'string' || typeName.trim() === '') {
    findings.error('INVALID_NODE', `Node ${quoted(id)} has no "node_type"; say which type of node it is.`, {
      node: id,
      field: 'node_type',
    });
    return { id, typeName: '', type: undefined, config, disabled };
  }
  return { id, config, disabled, ...typeJudge.judge(id, typeName.trim(), disabled) };
}

function nodeId(key: string | null, place: string, source: JsonObject, findings: FindingList): string | undefined {
  const given = source.node_id ?? source.id;
  const own = typeof given === 'number' ? String(given) : given;
  if (own !== undefined && own !== null && typeof own !== 'string') {
    findings.error('INVALID_NODE', `The "node_id" of ${quoted(place)} must be text, but is ${kindOf(own)}.`, {
      node: key,
      field: 'node_id',
    });
    return key ?? undefined;
  }
  const id = key ?? own ?? '';
  if (id === '' || id.length > MAX_ID_LENGTH) {
    const fault = id === '' ? 'has no "node_id"' : `has an id of more than ${MAX_ID_LENGTH} characters`;
    findings.error('INVALID_NODE', `The node at ${quoted(place)} ${fault}.`, { field: 'node_id' });
    return undefined;
  }
  if (own !== undefined && own !== null && own !== id) {
    findings.error(
      'NODE_ID_MISMATCH',
      `Node ${quoted(id)} says that its "node_id" is ${quoted(own)}. Make the two agree; connections need one name.`,
      { node: id, field: 'node_id', suggestion: id },
    );
  }
  return id;
}

function nodeConfig(id: string, source: JsonObject, limits: WorkflowLimits, findings: FindingList): JsonObject {
  const config = source.config ?? source.properties ?? {};
  if (!isJsonObject(config)) {
    findings.error('INVALID_NODE', `The "config" of node ${quoted(id)} must be an object, but is ${kindOf(config)}.`, {
      node: id,
      field: 'config',
    });
    return {};
  }
  const tooDeep = Object.keys(config).filter((key) => isDeeperThan(config[key] ?? null, limits.maxConfigDepth));
  for (const key of tooDeep) {
    findings.error(
      'CONFIG_TOO_DEEP',
      `"${key.slice(0, 60)}" of node ${quoted(id)} is nested more than ${limits.maxConfigDepth} levels deep.`,
      { node: id, field: key },
    );
  }
  if (tooDeep.length === 0) return config;
  return Object.fromEntries(Object.entries(config).filter(([key]) => !tooDeep.includes(key)));
}

/** Resolves type names and says why a type cannot run. */
class TypeJudge {
  readonly #registry: NodeRegistry;
  readonly #findings: FindingList;
  readonly #nearest = new Map<string, string | null>();

  constructor({ registry, findings }: NodeReader) {
    this.#registry = registry;
    this.#findings = findings;
  }

  judge(node: string, name: string, disabled: boolean): Pick<DraftNode, 'type' | 'typeName'> {
    const type = this.#registry.get(name);
    if (type === undefined) this.#refuse(node, name, disabled);
    return { type, typeName: type?.type ?? name };
  }

  /** A disabled node only passes control on, so its type is no obstacle. */
  #refuse(node: string, name: string, disabled: boolean): void {
    const report = disabled ? this.#findings.warning.bind(this.#findings) : this.#findings.error.bind(this.#findings);
    const verdict = judgeType(name);
    const place = { node, field: 'node_type' };
    const subject = `Node ${quoted(node)}: ${quoted(name)}`;
    switch (verdict.kind) {
      case 'trigger':
        report('TRIGGER_NODE', `${subject} is a trigger; triggers start workflows and are no part of a robot's run.`, {
          ...place,
          suggestion: 'Remove the trigger node; the robot starts the workflow itself.',
        });
        return;
      case 'abstract':
        report('ABSTRACT_NODE_TYPE', `${subject} is an abstract base of other node types and cannot run.`, {
          ...place,
          suggestion: 'Use one of the concrete types of that family.',
        });
        return;
      case 'unsupported':
        report('UNSUPPORTED_NODE_TYPE', `${subject} ${verdict.needs}; this platform can't run it.`, {
          ...place,
          suggestion: 'Remove or disable the node, or run the workflow where its type is supported.',
        });
        return;
      case 'unknown': {
        const suggestion = this.#nearestTo(name);
        const hint = suggestion === null ? '' : ` Did you mean "${suggestion}"?`;
        report('UNKNOWN_NODE_TYPE', `${subject} is no known node type.${hint}`, {
          ...place,
          suggestion: suggestion ?? 'Use a type of the node library; their names end in "Node".',
        });
      }
    }
  }

  #nearestTo(name: string): string | null {
    const known = this.#nearest.get(name);
    if (known !== undefined) return known;
    const found = this.#nearest.size < MAX_TYPE_SUGGESTIONS ? this.#registry.nearest(name) : null;
    if (this.#nearest.size < MAX_TYPE_SUGGESTIONS) this.#nearest.set(name, found);
    return found;
  }
}
