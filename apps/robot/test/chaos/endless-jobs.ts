/** Jobs that do one effect after the other for as long as the counting server says that there is more to do. */
import type { CountingServer } from './counting-server.ts';

interface Wire {
  readonly from: string;
  readonly exit?: string;
  readonly to: string;
}

const wires: readonly Wire[] = [
  { from: 'start', to: 'loop' },
  { from: 'loop', exit: 'body', to: 'effect' },
  { from: 'effect', to: 'pause' },
  { from: 'pause', to: 'ask' },
  { from: 'ask', to: 'note' },
  { from: 'loop', exit: 'completed', to: 'end' },
];

/**
 * @param tag what the node ids begin with; `<tag>-effect` is the node whose effects are counted, by turn
 * @param bytesPerTurn what each turn leaves in the job's journal, roughly
 */
export function endlessJob(tag: string, url: string, bytesPerTurn = 0): string {
  const id = (name: string): string => `${tag}-${name}`;
  const nodes: readonly (readonly [string, string, object?])[] = [
    ['start', 'StartNode'],
    ['loop', 'WhileLoopStartNode', { expression: 'more', max_iterations: 100_000 }],
    ['effect', 'ProbedPostNode', { url: `${url}/${id('effect')}/{{${id('loop')}.current_iteration}}` }],
    ['pause', 'WaitNode', { duration: 0.05 }],
    ['ask', 'HttpRequestNode', { url: `${url}/more/${tag}/${Math.floor(bytesPerTurn / 2)}` }],
    ['note', 'SetVariableNode', { variable_name: 'more', value: `{{${id('ask')}.response_json.more}}` }],
    ['end', 'EndNode'],
  ];
  return JSON.stringify({
    metadata: { name: tag, description: '', author: 'test', version: '1.0.0', tags: [] },
    nodes: Object.fromEntries(
      nodes.map(([name, type, config = {}]) => [
        id(name),
        { node_id: id(name), node_type: type, config, position: [0, 0] },
      ]),
    ),
    connections: wires.map(({ from, exit = 'exec_out', to }) => ({
      source_node: id(from),
      source_port: exit,
      target_node: id(to),
      target_port: 'exec_in',
    })),
    variables: { more: true },
    settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
  });
}

/** @returns what is wrong with a job's effects: each turn's was done once, in their order */
export function turnProblems(tag: string, counting: CountingServer): readonly string[] {
  const turns = counting.of(`${tag}-effect`).map(({ turn }) => turn);
  const isInOrder = turns.every((turn, index) => turn === index + (turns[0] ?? 0));
  return isInOrder && turns.length > 0 ? [] : [`${tag} did its turns as ${turns.join(' ')}`];
}
