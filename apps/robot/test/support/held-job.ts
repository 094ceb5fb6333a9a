/** A job that makes the file `begun` in its work folder and then waits until there is a file `go`. */

interface Wire {
  readonly from: string;
  readonly exit?: string;
  readonly to: string;
}

/** @param options.cleanup what it waits for stands in a finally body, so that a cancel has to wait for it, too */
export function heldJob(name: string, options: { readonly cleanup?: boolean } = {}): string {
  const nodes: (readonly [string, string, object?])[] = [
    ['start', 'StartNode'],
    ['begin', 'AppendFileNode', { file_path: 'begun', content: 'x' }],
    ['held', 'WhileLoopStartNode', { expression: 'not go', max_iterations: 100_000 }],
    ['look', 'FileExistsNode', { path: 'go' }],
    ['note', 'SetVariableNode', { variable_name: 'go', value: '{{look.exists}}' }],
    ['pause', 'WaitNode', { duration: 0.3 }],
    ['end', 'EndNode'],
  ];
  const wires: Wire[] = [
    { from: 'start', to: 'begin' },
    { from: 'held', exit: 'body', to: 'look' },
    { from: 'look', to: 'note' },
    { from: 'note', to: 'pause' },
    { from: 'held', exit: 'completed', to: 'end' },
  ];
  if (options.cleanup === true) {
    nodes.push(
      ['try', 'TryNode', { paired_finally_id: 'finally' }],
      ['sleep', 'WaitNode', { duration: 600 }],
      ['finally', 'FinallyNode', { paired_try_id: 'try' }],
      ['cleaning', 'AppendFileNode', { file_path: 'cleaning', content: 'x' }],
    );
    wires.push(
      { from: 'begin', to: 'try' },
      { from: 'try', exit: 'try_body', to: 'sleep' },
      { from: 'finally', exit: 'finally_body', to: 'cleaning' },
      { from: 'cleaning', to: 'held' },
    );
  } else wires.push({ from: 'begin', to: 'held' });
  return JSON.stringify({
    metadata: { name, description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: Object.fromEntries(
      nodes.map(([id, type, config = {}]) => [id, { node_id: id, node_type: type, config, position: [0, 0] }]),
    ),
    connections: wires.map(({ from, exit = 'exec_out', to }) => ({
      source_node: from,
      source_port: exit,
      target_node: to,
      target_port: 'exec_in',
    })),
    variables: { go: false },
    settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
  });
}
