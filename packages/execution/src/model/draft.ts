/** A workflow while it is being checked: what the file says, before it is known to be sound. */
import type { JsonObject, JsonValue } from '../json.ts';
import type { NodeType } from '../node-contract.ts';
import type { Connection, WorkflowSettings } from './workflow.ts';

export interface DraftNode {
  readonly id: string;
  /** The canonical name when the type is known, else as the file has it. */
  readonly typeName: string;
  /** Undefined when the type is unknown or cannot run. */
  readonly type: NodeType | undefined;
  readonly config: JsonObject;
  readonly disabled: boolean;
  /** True when its ports cannot be told: it calls a workflow that could not be read. */
  readonly hasUnknownPorts?: boolean;
}

export interface DraftConnection extends Connection {
  /** Place in the file's list. */
  readonly index: number;
}

/** A call of a sub-workflow. */
export interface DraftCall {
  /** The name of the sub-workflow in the file. */
  readonly source: string;
  readonly draft: Draft;
}

export interface Draft {
  readonly name: string;
  readonly metadata: JsonObject;
  readonly nodes: ReadonlyMap<string, DraftNode>;
  readonly connections: readonly DraftConnection[];
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly settings: WorkflowSettings;
  /** By the id of the calling node. */
  readonly calls: ReadonlyMap<string, DraftCall>;
}

/** The control input of every node. */
export const EXEC_IN = 'exec_in';

export function connectionText(connection: Connection): string {
  const { sourceNode, sourcePort, targetNode, targetPort } = connection;
  return `${shown(sourceNode)}.${shown(sourcePort)} -> ${shown(targetNode)}.${shown(targetPort)}`;
}

function shown(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}
