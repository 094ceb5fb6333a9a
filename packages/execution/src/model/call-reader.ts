/**
 * Finds what the nodes of a file call, has it checked, and gives the calling nodes the ports that it has. Each
 * sub-workflow is checked once, at its first call; what is wrong with it is said there.
 */
import { z } from 'zod';
import { anything } from '../control/control-params.ts';
import type { JsonObject } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import type { Draft, DraftCall, DraftNode } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import { inlinedId } from './inline.ts';
import type { WorkflowLimits } from './limits.ts';
import type { Speller } from './nearest.ts';
import { unwrapped } from './read-file.ts';
import { subflowPorts } from './subflow-ports.ts';
import { type CalledName, calledName, callKeys, keyIn } from './subworkflow-names.ts';
import { hasReferences } from './templates.ts';
import { isJsonObject, kindOf } from './value-text.ts';

export interface CallTools {
  readonly limits: WorkflowLimits;
  readonly findings: FindingList;
  readonly speller: Speller;
  readonly checkFile: (content: JsonObject, calls: CallReader) => Draft;
}

/** A sub-workflow that was found, and those that its own file carries besides. */
interface Found {
  readonly source: string;
  readonly content: JsonObject;
  readonly places: readonly Library[];
}

/** Sub-workflows that a file carries; names in it are relative to `owner`. */
interface Library {
  readonly content: JsonObject;
  readonly owner: string;
}

interface Shared {
  /** By the content of the sub-workflow: the same one may be called in many places. */
  readonly checked: Map<JsonObject, Checked>;
}

interface Checked {
  readonly draft: Draft;
  readonly isSound: boolean;
  /** With all that it calls. */
  readonly nodeCount: number;
}

export class CallReader {
  readonly #tools: CallTools;
  readonly #shared: Shared;
  /** Where names are looked up, innermost first. */
  readonly #places: readonly Library[];
  /** The calls on the way to here, outermost first. */
  readonly #chain: readonly Found[];
  /** Id of the calling node, as the engine names it; '' for the outermost file. */
  readonly #scope: string;
  #nodeCount = 0;

  constructor(
    tools: CallTools,
    shared: Shared = { checked: new Map() },
    places: readonly Library[] = [],
    chain: readonly Found[] = [],
    scope = '',
  ) {
    this.#tools = tools;
    this.#shared = shared;
    this.#places = places;
    this.#chain = chain;
    this.#scope = scope;
  }

  /** The draft with its calls resolved, and with the ports that they give to the calling nodes. */
  resolve(draft: Draft, content: JsonObject): Draft {
    const places = this.#placesWith(content);
    const calls = new Map<string, DraftCall>();
    const nodes = new Map(draft.nodes);
    let nodeCount = nodes.size;
    for (const node of draft.nodes.values()) {
      if (node.disabled || node.type === undefined || !callKeys.has(node.typeName)) continue;
      const checked = this.#callee(node, places);
      if (checked === undefined) nodes.set(node.id, { ...node, hasUnknownPorts: true });
      else {
        calls.set(node.id, { source: checked.source, draft: checked.draft });
        nodes.set(node.id, withPorts(node, checked.draft, node.type));
        nodeCount += checked.nodeCount;
        if (nodeCount > this.#tools.limits.maxInlinedNodes) {
          this.#refuseSize(node);
          break;
        }
      }
    }
    this.#refuseSharedIds(draft, calls);
    this.#nodeCount = nodeCount;
    return { ...draft, nodes, calls };
  }

  #placesWith({ subworkflows }: JsonObject): readonly Library[] {
    if (subworkflows === undefined || subworkflows === null) return this.#places;
    if (isJsonObject(subworkflows)) return [{ content: subworkflows, owner: '' }, ...this.#places];
    this.#tools.findings.error(
      'INVALID_STRUCTURE',
      `"subworkflows" must be an object of workflows by their paths, but is ${kindOf(subworkflows)}.`,
      { field: 'subworkflows' },
    );
    return this.#places;
  }

  #callee(
    node: DraftNode,
    places: readonly Library[],
  ): { readonly source: string; readonly draft: Draft; readonly nodeCount: number } | undefined {
    const called = calledName(node.typeName, node.config);
    if (called === undefined) return this.#refuseNameless(node);
    if (hasReferences(called.name)) return this.#refuseTemplate(node, called);
    const found = find(called.name, places);
    if (found === undefined) return this.#refuseUnknown(node, called, places);
    if (this.#chain.some(({ content }) => content === found.content)) return this.#refuseCircle(node, called, found);
    if (this.#chain.length >= this.#tools.limits.maxCallDepth) return this.#refuseDepth(node, called);
    const checked = this.#shared.checked.get(found.content) ?? this.#check(node, found);
    return checked.isSound ? { source: found.source, ...checked } : undefined;
  }

  /** Not sound are files that have errors: they were reported, and their ports are not to be relied on. */
  #check(node: DraftNode, found: Found): Checked {
    const { findings } = this.#tools;
    const scope = inlinedId(this.#scope, node.id);
    const before = findings.errorCount;
    const inner = new CallReader(this.#tools, this.#shared, found.places, [...this.#chain, found], scope);
    let draft: Draft | undefined;
    findings.within({ caller: scope, name: found.source }, () => {
      draft = this.#tools.checkFile(found.content, inner);
    });
    if (draft === undefined) throw new Error('a check always yields a draft');
    const checked = { draft, isSound: findings.errorCount === before, nodeCount: inner.#nodeCount };
    this.#shared.checked.set(found.content, checked);
    return checked;
  }

  #refuseNameless(node: DraftNode): undefined {
    const keys = callKeys.get(node.typeName) ?? [];
    this.#tools.findings.error(
      'MISSING_CONFIG',
      `Node ${quoted(node.id)}: ${node.typeName} needs ${keys.map(quoted).join(' or ')}, which names the workflow that it calls.`,
      { node: node.id, field: keys[0] ?? null, suggestion: `Set "${keys[0]}" in the config.` },
    );
  }

  #refuseTemplate(node: DraftNode, { key }: CalledName): undefined {
    this.#tools.findings.error(
      'UNSUPPORTED_VALUE',
      `Node ${quoted(node.id)}: ${quoted(key)} must not be a template: what a run calls is read and checked before it begins.`,
      { node: node.id, field: key, suggestion: 'Write the name out; to choose among several, use a SwitchNode.' },
    );
  }

  #refuseUnknown(node: DraftNode, { key, name }: CalledName, places: readonly Library[]): undefined {
    const { findings, speller } = this.#tools;
    const suggestion = speller.nearest(
      name,
      places.flatMap(({ content }) => Object.keys(content)),
    );
    const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
    findings.error(
      'UNKNOWN_SUBWORKFLOW',
      `Node ${quoted(node.id)}: ${quoted(key)} names the workflow ${quoted(name)}, which this file does not carry in "subworkflows".${hint}`,
      {
        node: node.id,
        field: key,
        suggestion: suggestion ?? 'Put it there, or give the file by its path so that it is looked for beside it.',
      },
    );
  }

  #refuseCircle(node: DraftNode, { key }: CalledName, found: Found): undefined {
    const from = this.#chain.findIndex(({ content }) => content === found.content);
    const circle = [...this.#chain.slice(from), found].map(({ source }) => quoted(source)).join(' -> ');
    this.#tools.findings.error(
      'RECURSIVE_SUBWORKFLOW',
      `Node ${quoted(node.id)}: ${quoted(key)} leads back to a workflow that is being called already: ${circle}.`,
      { node: node.id, field: key, suggestion: 'Use a loop instead of a call of itself.' },
    );
  }

  #refuseDepth(node: DraftNode, { key }: CalledName): undefined {
    const { findings, limits } = this.#tools;
    findings.error(
      'RECURSIVE_SUBWORKFLOW',
      `Node ${quoted(node.id)}: calls of sub-workflows nest more than ${limits.maxCallDepth} deep.`,
      { node: node.id, field: key },
    );
  }

  #refuseSize(node: DraftNode): void {
    const { findings, limits } = this.#tools;
    findings.error(
      'TOO_MANY_NODES',
      `With the sub-workflows that it calls, each counted as often as it is called, the workflow has more than ${limits.maxInlinedNodes} nodes.`,
      { node: node.id, field: 'node_type', suggestion: 'Call a sub-workflow in a loop instead of many times.' },
    );
  }

  /** `call/inner` may be a node's own id; then two nodes would be one. */
  #refuseSharedIds(draft: Draft, calls: ReadonlyMap<string, DraftCall>): void {
    for (const id of draft.nodes.keys()) {
      for (let slash = id.indexOf('/'); slash > 0; slash = id.indexOf('/', slash + 1)) {
        if (!calls.has(id.slice(0, slash))) continue;
        this.#tools.findings.error(
          'DUPLICATE_NODE_ID',
          `The id of node ${quoted(id)} reads like that of a node in the sub-workflow called by ${quoted(id.slice(0, slash))}.`,
          { node: id, field: 'node_id', suggestion: 'Give it an id without a slash.' },
        );
      }
    }
  }
}

function find(name: string, places: readonly Library[]): Found | undefined {
  for (const [at, { content, owner }] of places.entries()) {
    const key = keyIn(content, name, owner);
    const workflow = key === undefined ? undefined : content[key];
    if (key === undefined) continue;
    // Names in what was found are relative to its own place, in the file that carries it.
    return {
      source: key,
      content: isJsonObject(workflow) ? unwrapped(workflow) : {},
      places: [{ content, owner: key }, ...places.slice(at + 1)],
    };
  }
  return undefined;
}

/** Inputs are its input nodes and its variables; what the type itself has keeps its meaning. */
function withPorts(node: DraftNode, callee: Draft, type: NodeType): DraftNode {
  const { inputs, outputs } = subflowPorts(callee.nodes.values());
  const names = [...inputs.keys(), ...Object.keys(callee.variables)];
  const taken = type.params.shape;
  const own = Object.fromEntries(names.filter((name) => !Object.hasOwn(taken, name)).map((name) => [name, anything()]));
  const declared = typeof type.outputs === 'function' ? type.outputs(node.config) : type.outputs;
  return {
    ...node,
    type: { ...type, params: z.object({ ...taken, ...own }), outputs: [...new Set([...declared, ...outputs.keys()])] },
  };
}
