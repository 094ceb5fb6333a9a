/** Checks what connections join: existing nodes and ports, control to control, data to data, each once. */
import { connectionText, type Draft, type DraftConnection, type DraftNode, EXEC_IN } from './draft.ts';
import { type FindingList, quoted } from './finding.ts';
import type { Speller } from './nearest.ts';
import { isExecSource, isExecTarget, type NodePorts } from './node-ports.ts';

export interface ConnectionChecks {
  readonly draft: Draft;
  readonly ports: ReadonlyMap<string, NodePorts | undefined>;
  readonly findings: FindingList;
  readonly speller: Speller;
}

export function checkConnections(checks: ConnectionChecks): void {
  const { draft, findings } = checks;
  const seen = new Set<string>();
  const sourceOfInput = new Map<string, DraftConnection>();
  for (const connection of draft.connections) {
    const source = existing(checks, connection, 'source');
    const target = existing(checks, connection, 'target');
    const field = `connections[${connection.index}]`;
    const identity = identityOf(
      connection.sourceNode,
      connection.sourcePort,
      connection.targetNode,
      connection.targetPort,
    );
    if (seen.has(identity)) {
      findings.error(
        'DUPLICATE_CONNECTION',
        `The connection ${connectionText(connection)} is listed twice (${field}).`,
        {
          node: connection.targetNode,
          field,
          suggestion: 'Remove one of the two.',
        },
      );
      continue;
    }
    seen.add(identity);
    if (connection.sourceNode === connection.targetNode) {
      findings.error('SELF_CONNECTION', `Node ${quoted(connection.sourceNode)} is connected to itself (${field}).`, {
        node: connection.sourceNode,
        field,
        suggestion: 'Remove the connection; to repeat a node, put it into a loop.',
      });
      continue;
    }
    if (source === undefined || target === undefined) continue;
    checkPorts(checks, connection, source, target);
    if (checks.ports.get(target.id)?.inputs.has(connection.targetPort)) noteInput(checks, connection, sourceOfInput);
  }
}

function identityOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function existing(
  checks: ConnectionChecks,
  connection: DraftConnection,
  side: 'source' | 'target',
): DraftNode | undefined {
  const { draft, findings, speller } = checks;
  const id = side === 'source' ? connection.sourceNode : connection.targetNode;
  const node = draft.nodes.get(id);
  if (node !== undefined) return node;
  const other = side === 'source' ? connection.targetNode : connection.sourceNode;
  const suggestion = speller.nearest(id, draft.nodes.keys());
  const hint = suggestion === null ? '' : ` Did you mean ${quoted(suggestion)}?`;
  findings.error(
    'UNKNOWN_NODE',
    `The connection ${connectionText(connection)} names the node ${quoted(id)}, which does not exist.${hint}`,
    { node: draft.nodes.has(other) ? other : null, field: `connections[${connection.index}].${side}_node`, suggestion },
  );
  return undefined;
}

/** Both ports must exist and be of one kind. A node whose ports are unknown is not judged. */
function checkPorts(checks: ConnectionChecks, connection: DraftConnection, source: DraftNode, target: DraftNode): void {
  const { findings, ports } = checks;
  const sourcePorts = ports.get(source.id);
  const targetPorts = ports.get(target.id);
  const hasSource = sourcePorts === undefined || hasOutput(checks, sourcePorts, source, connection);
  const hasTarget = targetPorts === undefined || hasInput(checks, targetPorts, target, connection);
  if (!hasSource || !hasTarget || sourcePorts === undefined || targetPorts === undefined) return;
  const fromExec = isExecSource(sourcePorts, connection.sourcePort);
  const toExec = isExecTarget(connection.targetPort);
  if (fromExec === toExec) return;
  const [from, to] = fromExec ? ['control', 'data'] : ['data', 'control'];
  findings.error(
    'EXEC_DATA_MISMATCH',
    `The connection ${connectionText(connection)} joins a ${from} port to a ${to} port.`,
    {
      node: target.id,
      field: connection.targetPort,
      suggestion: fromExec ? `Connect it to "${EXEC_IN}".` : 'Connect it to a data input.',
    },
  );
}

function hasOutput(checks: ConnectionChecks, ports: NodePorts, node: DraftNode, connection: DraftConnection): boolean {
  const port = connection.sourcePort;
  if (ports.exits.has(port) || ports.outputs.has(port)) return true;
  reportPort(checks, node, port, 'output', [...ports.exits, ...ports.outputs], connection);
  return false;
}

function hasInput(checks: ConnectionChecks, ports: NodePorts, node: DraftNode, connection: DraftConnection): boolean {
  const port = connection.targetPort;
  if (port === EXEC_IN ? ports.hasExecIn : ports.inputs.has(port) || ports.takesAnyInput) return true;
  const inputs = ports.hasExecIn ? [EXEC_IN, ...ports.inputs] : [...ports.inputs];
  reportPort(checks, node, port, 'input', inputs, connection);
  return false;
}

function reportPort(
  { findings, speller }: ConnectionChecks,
  node: DraftNode,
  port: string,
  kind: 'input' | 'output',
  valid: readonly string[],
  connection: DraftConnection,
): void {
  const suggestion = speller.nearest(port, valid);
  const all = valid.length === 0 ? 'It has none.' : `It has ${valid.slice(0, 12).map(quoted).join(', ')}.`;
  const hint = suggestion === null ? all : `Did you mean ${quoted(suggestion)}?`;
  findings.error(
    'UNKNOWN_PORT',
    `Node ${quoted(node.id)} (${node.typeName}) has no ${kind} port ${quoted(port)}: ${connectionText(connection)}. ${hint}`,
    { node: node.id, field: port, suggestion },
  );
}

function noteInput(checks: ConnectionChecks, connection: DraftConnection, sources: Map<string, DraftConnection>): void {
  const input = identityOf(connection.targetNode, connection.targetPort);
  const first = sources.get(input);
  if (first === undefined) {
    sources.set(input, connection);
    return;
  }
  const { targetNode, targetPort } = connection;
  checks.findings.error(
    'MULTIPLE_INPUTS',
    `Several connections lead to the data port ${quoted(targetPort)} of node ${quoted(targetNode)}: ` +
      `from ${quoted(first.sourceNode)} and from ${quoted(connection.sourceNode)}. Keep one.`,
    { node: targetNode, field: targetPort },
  );
}
