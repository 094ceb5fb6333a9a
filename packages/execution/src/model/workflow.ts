/** A workflow after parsing: the shape that the validator and the engine share. */
import type { JsonObject, JsonValue } from '../json.ts';

export interface WorkflowNode {
  /** In a sub-workflow: the id of the node that calls it, a slash, and the id in the sub-workflow. */
  readonly id: string;
  /** The id of the node whose call it belongs to; '' for the nodes of the file itself. */
  readonly scope: string;
  /** Canonical type name (aliases resolved). A disabled node of a type that cannot run stands as a CommentNode. */
  readonly type: string;
  readonly config: JsonObject;
  readonly disabled: boolean;
}

export interface Connection {
  readonly sourceNode: string;
  readonly sourcePort: string;
  readonly targetNode: string;
  readonly targetPort: string;
}

export interface WorkflowSettings {
  readonly stopOnError: boolean;
  /** Seconds, as in the file; undefined when the file has none or the designer's default 30. */
  readonly nodeTimeoutSeconds: number | undefined;
  readonly retryCount: number;
}

/** A sub-workflow at the place where it is called. Its nodes are among those of the workflow. */
export interface WorkflowScope {
  /** The calling node. */
  readonly id: string;
  /** The scope of the calling node. */
  readonly parent: string;
  /** As the file names it. */
  readonly source: string;
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly settings: WorkflowSettings;
}

export interface Workflow {
  readonly name: string;
  readonly metadata: JsonObject;
  /** In file order. */
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly connections: readonly Connection[];
  /** Initial values, defaults resolved. */
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly settings: WorkflowSettings;
  /** What is called, by the id of the calling node. */
  readonly scopes: ReadonlyMap<string, WorkflowScope>;
  /** SHA-256 (hex) of the canonical file content that can change what a run does. */
  readonly hash: string;
}
