/**
 * A checked draft becomes a workflow: the nodes of every sub-workflow take their place beside the node that calls
 * it, under ids of their own (`outer/inner`), so that a run of them all is one run with one journal.
 */
import type { JsonObject } from '../json.ts';
import type { Draft, DraftNode } from './draft.ts';
import { quoted } from './finding.ts';
import type { Connection, Workflow, WorkflowNode, WorkflowScope } from './workflow.ts';
import { workflowHash } from './workflow-hash.ts';

/** @throws Error when the draft has errors: it was not checked */
export function inlined(draft: Draft): Workflow {
  const inliner = new Inliner();
  inliner.add(draft, '');
  const { name, metadata, variables, settings } = draft;
  const { nodes, connections, scopes } = inliner;
  const content = { name, metadata, nodes, connections, variables, settings, scopes };
  return { ...content, hash: workflowHash(content) };
}

/** The id of a node of a sub-workflow. */
export function inlinedId(scope: string, id: string): string {
  return scope === '' ? id : `${scope}/${id}`;
}

class Inliner {
  readonly nodes = new Map<string, WorkflowNode>();
  readonly connections: Connection[] = [];
  readonly scopes = new Map<string, WorkflowScope>();

  add(draft: Draft, scope: string): void {
    for (const node of draft.nodes.values()) {
      const finished = finishedNode(node, scope);
      this.nodes.set(finished.id, finished);
      const call = draft.calls.get(node.id);
      if (call === undefined) continue;
      const { variables, settings } = call.draft;
      this.scopes.set(finished.id, { id: finished.id, parent: scope, source: call.source, variables, settings });
      this.add(call.draft, finished.id);
    }
    for (const { sourceNode, sourcePort, targetNode, targetPort } of draft.connections) {
      this.connections.push({
        sourceNode: inlinedId(scope, sourceNode),
        sourcePort,
        targetNode: inlinedId(scope, targetNode),
        targetPort,
      });
    }
  }
}

/** A disabled node of a type that cannot run passes control on like a remark. */
function finishedNode({ id, type, typeName, config, disabled }: DraftNode, scope: string): WorkflowNode {
  if (type === undefined && !disabled) throw new Error(`the type of node ${quoted(id)} was not checked`);
  return {
    id: inlinedId(scope, id),
    scope,
    type: type === undefined ? 'CommentNode' : typeName,
    config: scope === '' ? config : withPartnersIn(scope, config),
    disabled,
  };
}

/** Partners are named by the ids that they have in their own file. */
function withPartnersIn(scope: string, config: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const names = key.startsWith('paired_') && (typeof value === 'string' || typeof value === 'number');
      const name = names ? String(value).trim() : '';
      return [key, name === '' ? value : inlinedId(scope, name)];
    }),
  );
}
