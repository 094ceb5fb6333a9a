/** Workflows of effects in several shapes, and for each in which order a counting server may see what. */
import type { SeededRandom } from '@casare/testing';

/**
 * `post`: nobody can look for it, so it may be in doubt. `post-or-fail`: the same, failing its try region then. `probed`:
 * the server can be asked. `put`: idempotent. `get`: no effect at all.
 */
export type EffectKind = 'post' | 'post-or-fail' | 'probed' | 'put' | 'get';

export interface ExpectedEffect {
  readonly node: string;
  readonly turn: number;
  readonly kind: EffectKind;
  /** May be missing: it stands on a way that is taken or not. */
  readonly optional: boolean;
}

/** Stages follow each other; the lanes of a stage run side by side, each in its own order. */
export type Stage = readonly (readonly ExpectedEffect[])[];

export interface Shape {
  readonly name: string;
  /** What its node ids begin with. */
  readonly tag: string;
  readonly workflow: string;
  readonly stages: readonly Stage[];
  /** The effects that certainly come, and how often. */
  readonly targets: readonly { readonly node: string; readonly turns: number }[];
  /** Of these nodes exactly one runs. */
  readonly either: readonly string[];
}

export const shapeNames = ['line', 'loop', 'fork', 'try'] as const;
export type ShapeName = (typeof shapeNames)[number];

const turns = 3;
const settingNodes = { variable_name: 'seen', value: 'yes' };

/**
 * @param tag what the node ids begin with, so that they are unique among all jobs
 * @param url of the counting server
 */
export function buildShape(name: ShapeName, tag: string, url: string, random: SeededRandom): Shape {
  return new ShapeBuilder(tag, url, random).build(name);
}

class ShapeBuilder {
  readonly #tag: string;
  readonly #url: string;
  readonly #random: SeededRandom;
  readonly #nodes: Record<string, object> = {};
  readonly #wires: object[] = [];
  readonly #stages: ExpectedEffect[][][] = [];

  constructor(tag: string, url: string, random: SeededRandom) {
    this.#tag = tag;
    this.#url = url;
    this.#random = random;
  }

  build(name: ShapeName): Shape {
    this.#add('start', 'StartNode');
    this.#add('end', 'EndNode');
    this[name]();
    const workflow = JSON.stringify({
      metadata: { name: `${this.#tag}-${name}`, description: '', author: 'test', version: '1.0.0', tags: [] },
      nodes: this.#nodes,
      connections: this.#wires,
      variables: {},
      settings: { stop_on_error: true, timeout: 30, retry_count: 0 },
    });
    const either = name === 'try' ? [this.#id('t1'), this.#id('c0')] : [];
    return { name, tag: `${this.#tag}-`, workflow, stages: this.#stages, targets: this.#targets(), either };
  }

  line(): void {
    this.#chain(['start', 'e0', this.#pure('p0'), 'e1', 'e2', this.#pure('p1'), 'e3', 'e4', 'end']);
    for (const id of ['e0', 'e1', 'e2', 'e3', 'e4']) this.#stage([[this.#effect(id)]]);
  }

  loop(): void {
    this.#add('loop', 'ForLoopStartNode', { mode: 'range', start: 0, end: turns });
    this.#chain(['start', 'e0', 'loop']);
    this.#wire('loop', 'body', 'b0');
    this.#chain(['b0', this.#pure('p0'), 'b1']);
    this.#wire('loop', 'completed', 'e1');
    this.#chain(['e1', 'end']);
    this.#stage([[this.#effect('e0')]]);
    const [one, two] = [this.#effect('b0', 'loop'), this.#effect('b1', 'loop')];
    for (let turn = 0; turn < turns; turn += 1) {
      this.#stage([[{ ...one, turn }]]);
      this.#stage([[{ ...two, turn }]]);
    }
    this.#stage([[this.#effect('e1')]]);
  }

  fork(): void {
    this.#add('fork', 'ForkNode', { branch_count: 3, paired_join_id: this.#id('join') });
    this.#add('join', 'JoinNode', { paired_fork_id: this.#id('fork') });
    this.#chain(['start', 'e0', 'fork']);
    this.#stage([[this.#effect('e0')]]);
    const lanes = ['a', 'b', 'c'].map((branch, index) => {
      this.#wire('fork', `branch_${index + 1}`, `${branch}0`);
      this.#chain([`${branch}0`, `${branch}1`, 'join']);
      return [this.#effect(`${branch}0`), this.#effect(`${branch}1`)];
    });
    this.#stage(lanes);
    this.#chain(['join', 'e1', 'end']);
    this.#stage([[this.#effect('e1')]]);
  }

  /** `t0` fails when it is in doubt: then the catch body makes good for it, and `t1` is passed over. */
  try(): void {
    this.#add('try', 'TryNode', { paired_catch_id: this.#id('catch'), paired_finally_id: this.#id('finally') });
    this.#add('catch', 'CatchNode', { paired_try_id: this.#id('try') });
    this.#add('finally', 'FinallyNode', { paired_try_id: this.#id('try') });
    this.#chain(['start', 'e0', 'try']);
    this.#wire('try', 'try_body', 't0');
    this.#chain(['t0', 't1']);
    this.#wire('catch', 'catch_body', 'c0');
    this.#wire('finally', 'finally_body', 'f0');
    this.#chain(['f0', this.#pure('p0'), 'e1', 'end']);
    this.#stage([[this.#effect('e0')]]);
    this.#stage([[{ ...this.#effect('t0', null, 'post-or-fail'), optional: true }]]);
    this.#stage([[{ ...this.#effect('t1'), optional: true }]]);
    this.#stage([[{ ...this.#effect('c0'), optional: true }]]);
    this.#stage([[this.#effect('f0')]]);
    this.#stage([[this.#effect('e1')]]);
  }

  #effect(id: string, loop: string | null = null, given: EffectKind | null = null): ExpectedEffect {
    const kind = given ?? this.#random.pick<EffectKind>(['post', 'post', 'post', 'probed', 'put', 'get']);
    const turn = loop === null ? '0' : `{{${this.#id(loop)}.current_index}}`;
    const url = `${this.#url}/${this.#id(id)}/${turn}`;
    switch (kind) {
      case 'post':
        this.#add(id, 'HttpRequestNode', { url, method: 'POST', body: '{"amount": 1}', in_doubt: 'ask' });
        break;
      case 'post-or-fail':
        this.#add(id, 'HttpRequestNode', { url, method: 'POST', body: '{"amount": 1}', in_doubt: 'fail' });
        break;
      case 'get':
        this.#add(id, 'HttpRequestNode', { url });
        break;
      case 'put':
        this.#add(id, 'KeyedPutNode', { url });
        break;
      case 'probed':
        this.#add(id, 'ProbedPostNode', { url });
    }
    return { node: this.#id(id), turn: 0, kind, optional: false };
  }

  #pure(id: string): string {
    this.#add(id, 'SetVariableNode', settingNodes);
    return id;
  }

  #stage(lanes: ExpectedEffect[][]): void {
    this.#stages.push(lanes);
  }

  #targets(): Shape['targets'] {
    const certain = this.#stages.flat(2).filter(({ optional }) => !optional);
    const all = new Map<string, number>();
    for (const { node } of certain) all.set(node, (all.get(node) ?? 0) + 1);
    return [...all].map(([node, count]) => ({ node, turns: count }));
  }

  #chain(ids: readonly string[]): void {
    ids.slice(1).forEach((id, index) => {
      this.#wire(ids[index] ?? '', 'exec_out', id);
    });
  }

  #wire(from: string, exit: string, to: string): void {
    this.#wires.push({
      source_node: this.#id(from),
      source_port: exit,
      target_node: this.#id(to),
      target_port: 'exec_in',
    });
  }

  #add(id: string, type: string, config: object = {}): void {
    const nodeId = this.#id(id);
    this.#nodes[nodeId] = { node_id: nodeId, node_type: type, config, position: [0, 0] };
  }

  #id(id: string): string {
    return `${this.#tag}-${id}`;
  }
}
