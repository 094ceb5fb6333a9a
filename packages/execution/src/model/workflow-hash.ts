/** The identity of a workflow: what decides about a run of it. */
import { createHash } from 'node:crypto';
import type { Workflow } from './workflow.ts';

/** SHA-256 (hex) of everything that can change what a run does; positions, remarks and metadata are no part of it. */
export function workflowHash(workflow: Omit<Workflow, 'hash'>): string {
  const nodes = [...workflow.nodes.values()].map(({ id, type, config, disabled }) => {
    const { status: _designerState, ...effective } = config;
    return [id, type, disabled, effective];
  });
  const connections = workflow.connections.map(({ sourceNode, sourcePort, targetNode, targetPort }) => [
    sourceNode,
    sourcePort,
    targetNode,
    targetPort,
  ]);
  const scopes = [...workflow.scopes.values()].map(({ id, variables, settings }) => [
    id,
    Object.entries(variables),
    settings,
  ]);
  const content = JSON.stringify([
    nodes,
    connections,
    Object.entries(workflow.variables),
    workflow.settings,
    ...(scopes.length === 0 ? [] : [scopes]),
  ]);
  return createHash('sha256').update(content).digest('hex');
}
