/**
 * Reads and checks a workflow file: everything that can be known before a run is known here, so that nothing is
 * refused halfway (the engine trusts what this module returns).
 *
 * Stages: text -> JSON -> draft (nodes, connections, variables, settings) -> rules -> workflow. A stage that cannot
 * go on ends the check; otherwise all faults are gathered. No file makes it throw, and the largest permitted file
 * is checked in well under a second.
 */
import { requireMethods, requireObject } from '../argument-error.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { CallReader } from './call-reader.ts';
import { checkConfig } from './check-config.ts';
import { checkConnections } from './check-connections.ts';
import { checkFlow } from './check-flow.ts';
import { checkKeys } from './check-keys.ts';
import { checkPairs } from './check-pairs.ts';
import { checkReferences } from './check-references.ts';
import { checkText } from './check-text.ts';
import { type Draft, type DraftConnection, type DraftNode, EXEC_IN } from './draft.ts';
import { type Finding, FindingList } from './finding.ts';
import { buildFlowGraph, portNodes } from './flow-graph.ts';
import { inlined } from './inline.ts';
import { defaultWorkflowLimits, requireLimits, type WorkflowLimits } from './limits.ts';
import { Speller } from './nearest.ts';
import { type NodePorts, portsOf } from './node-ports.ts';
import { pairNodes } from './pairs.ts';
import { parseConnections } from './parse-connections.ts';
import { parseNodes } from './parse-nodes.ts';
import { parseSettings } from './parse-settings.ts';
import { parseVariables } from './parse-variables.ts';
import { readFile } from './read-file.ts';
import type { NodeRegistry } from './registry.ts';
import { isJsonObject, kindOf } from './value-text.ts';
import type { Workflow } from './workflow.ts';

export interface WorkflowCheck {
  /** Null when there is any error. */
  readonly workflow: Workflow | null;
  /** In the order of the rules; errors and warnings. */
  readonly findings: readonly Finding[];
}

/**
 * Checks a workflow file against the registry's node types.
 *
 * @param source the file's text, or its JSON already parsed.
 * @param limits sizes past which the file is refused; what is left out has its default.
 * @param given variables that the run will be given; the file need not declare them. Default: none.
 * @throws ArgumentError for a `registry` that is none, a limit that is no number, or `given` that is no object
 * @example
 * const registry = createNodeRegistry([]);
 * const { workflow, findings } = checkWorkflow('{"nodes": {"a": {"node_type": "StartNod"}}}', registry);
 * workflow; // null
 * findings[0].suggestion; // 'StartNode'
 */
export function checkWorkflow(
  source: unknown,
  registry: NodeRegistry,
  limits: Partial<WorkflowLimits> = {},
  given: JsonObject = {},
): WorkflowCheck {
  requireMethods('registry', registry, ['get', 'has', 'nearest']);
  requireLimits(limits);
  requireObject('given', given);
  const findings = new FindingList();
  const allLimits = { ...defaultWorkflowLimits, ...limits };
  const file = readFile(source, allLimits, findings);
  if (file === undefined) return { workflow: null, findings: findings.all() };
  const tools = { registry, limits: allLimits, findings, speller: new Speller(), keysOf: file.keysOf };
  const checkFile = (content: JsonObject, calls: CallReader, set: JsonObject = {}): Draft => {
    const draft = calls.resolve(readDraft(content, tools, set), content);
    checkText(draft, findings);
    if (draft.nodes.size > 0) checkDraft(draft, Object.keys(set), findings, tools.speller);
    return draft;
  };
  const draft = checkFile(file.content, new CallReader({ ...tools, checkFile }), given);
  checkBeginning(draft, findings);
  return { workflow: findings.hasErrors ? null : inlined(draft), findings: findings.all() };
}

/** A sub-workflow may do nothing but hand values through; a run of its own would end before it began. */
function checkBeginning({ nodes }: Draft, findings: FindingList): void {
  if (nodes.size === 0 || [...nodes.values()].some(({ typeName }) => !portNodes.has(typeName))) return;
  findings.error(
    'EMPTY_WORKFLOW',
    'The workflow has only inputs and outputs of a sub-workflow, so there is nothing to run.',
    { field: 'nodes', suggestion: 'Add a node that does something, or call this file from another workflow.' },
  );
}

interface DraftTools {
  readonly registry: NodeRegistry;
  readonly limits: WorkflowLimits;
  readonly findings: FindingList;
  readonly speller: Speller;
  readonly keysOf: (object: object) => readonly string[];
}

function readDraft(content: JsonObject, tools: DraftTools, given: JsonObject): Draft {
  const { limits, findings, speller } = tools;
  checkKeys(content, tools);
  const metadata = readMetadata(content.metadata, findings);
  const name = metadata.name ?? content.name;
  const connections = parseConnections(content.connections, limits, findings);
  const nodes = parseNodes(content.nodes, tools);
  dropHiddenStart(nodes, connections);
  return {
    name: typeof name === 'string' && name.trim() !== '' ? name : 'Untitled workflow',
    metadata,
    nodes,
    connections,
    variables: parseVariables(content.variables, given, findings, speller),
    settings: parseSettings(content.settings, findings),
    calls: new Map(),
  };
}

/** The designer keeps a start node of its own in some files, connected to nothing, besides the one that people see. */
function dropHiddenStart(nodes: Map<string, DraftNode>, connections: readonly DraftConnection[]): void {
  const hidden = '__auto_start__';
  const isConnected = connections.some(({ sourceNode, targetNode }) => sourceNode === hidden || targetNode === hidden);
  const hasOther = [...nodes.values()].some((node) => node.typeName === 'StartNode' && node.id !== hidden);
  if (hasOther && !isConnected && nodes.get(hidden)?.typeName === 'StartNode') nodes.delete(hidden);
}

function readMetadata(source: JsonValue | undefined, findings: FindingList): JsonObject {
  if (isJsonObject(source)) return source;
  if (source !== undefined && source !== null) {
    findings.error('INVALID_STRUCTURE', `"metadata" must be an object, but is ${kindOf(source)}.`, {
      field: 'metadata',
    });
  }
  return {};
}

function checkDraft(draft: Draft, given: readonly string[], findings: FindingList, speller: Speller): void {
  const ports = new Map<string, NodePorts | undefined>();
  for (const node of draft.nodes.values()) ports.set(node.id, portsOf(node));
  const connected = connectedInputs(draft);
  for (const node of draft.nodes.values()) {
    checkConfig(node, { connected: connected.get(node.id) ?? new Set(), findings, speller });
  }
  checkReferences({ draft, ports, findings, speller, given });
  checkConnections({ draft, ports, findings, speller });
  const pairs = pairNodes(draft.nodes);
  checkPairs({ draft, pairs, findings, speller });
  checkFlow(draft, buildFlowGraph({ nodes: draft.nodes, connections: draft.connections, pairs }), findings);
}

function connectedInputs(draft: Draft): ReadonlyMap<string, ReadonlySet<string>> {
  const connected = new Map<string, Set<string>>();
  for (const { targetNode, targetPort } of draft.connections) {
    if (targetPort === EXEC_IN) continue;
    const inputs = connected.get(targetNode);
    if (inputs === undefined) connected.set(targetNode, new Set([targetPort]));
    else inputs.add(targetPort);
  }
  return connected;
}
