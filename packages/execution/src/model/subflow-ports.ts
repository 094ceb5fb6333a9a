/** What a sub-workflow takes and gives: its input and output nodes, by the names of their ports. */
import type { JsonObject } from '../json.ts';

export interface PortNode {
  readonly id: string;
  readonly typeName: string;
  readonly config: JsonObject;
  readonly disabled: boolean;
}

export interface SubflowPorts {
  /** Port names, each with the input nodes that publish it. */
  readonly inputs: ReadonlyMap<string, readonly string[]>;
  /** Port names, each with the output nodes that set it, in file order: the last one that has a value counts. */
  readonly outputs: ReadonlyMap<string, readonly string[]>;
}

export function subflowPorts(nodes: Iterable<PortNode>): SubflowPorts {
  const inputs = new Map<string, string[]>();
  const outputs = new Map<string, string[]>();
  for (const node of nodes) {
    if (node.disabled) continue;
    if (node.typeName === 'SubflowInputNode') note(inputs, portName(node.config, 'input'), node.id);
    if (node.typeName === 'SubflowOutputNode') note(outputs, portName(node.config, 'output'), node.id);
  }
  return { inputs, outputs };
}

/** The name of an input or output node's port, as its config has it. */
export function portName({ port_name: name }: JsonObject, fallback: string): string {
  return typeof name === 'string' && name.trim() !== '' ? name.trim() : fallback;
}

function note(ports: Map<string, string[]>, name: string, id: string): void {
  const nodes = ports.get(name);
  if (nodes === undefined) ports.set(name, [id]);
  else nodes.push(id);
}
