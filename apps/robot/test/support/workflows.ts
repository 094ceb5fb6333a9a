/** Workflow files for tests, in the format of the designer. */

export interface NodeSpec {
  readonly id: string;
  readonly type: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Nodes that run one after the other, between a StartNode and an EndNode. */
export function chain(name: string, nodes: readonly NodeSpec[], extra: Readonly<Record<string, unknown>> = {}): string {
  const all: NodeSpec[] = [{ id: 'start', type: 'StartNode' }, ...nodes, { id: 'end', type: 'EndNode' }];
  return JSON.stringify({
    metadata: { name, description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: Object.fromEntries(
      all.map(({ id, type, config = {} }, index) => [
        id,
        { node_id: id, node_type: type, config, position: [200 * index, 0] },
      ]),
    ),
    connections: all.slice(1).map((node, index) => ({
      source_node: all[index]?.id,
      source_port: 'exec_out',
      target_node: node.id,
      target_port: 'exec_in',
    })),
    variables: {},
    settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
    ...extra,
  });
}

export function appendLine(id: string, file: string, line: string): NodeSpec {
  return { id, type: 'AppendFileNode', config: { file_path: file, content: `${line}\n` } };
}

export function wait(id: string, seconds: number): NodeSpec {
  return { id, type: 'WaitNode', config: { duration: seconds } };
}
