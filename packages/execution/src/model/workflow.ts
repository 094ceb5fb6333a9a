/** A workflow after parsing: the shape that the validator and the engine share. */
import type { JsonObject, JsonValue } from '../json.ts';

export interface WorkflowNode {
  readonly id: string;
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

export interface Workflow {
  readonly name: string;
  readonly metadata: JsonObject;
  /** In file order. */
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly connections: readonly Connection[];
  /** Initial values, defaults resolved. */
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly settings: WorkflowSettings;
  /** SHA-256 (hex) of the canonical file content that can change what a run does. */
  readonly hash: string;
}
