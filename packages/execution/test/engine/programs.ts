/**
 * Random programs and the workflow files that they compile to: all regions and jumps of the control-flow
 * nodes, with effects that can be told apart and looked for afterwards.
 */
import fc from 'fast-check';
import { z } from 'zod';
import type { JsonValue } from '../../src/json.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import type { FileSpec, NodeSpec } from './harness.ts';

/** Effects by idempotency key, in the order in which they happened. */
export type Tally = Map<string, JsonValue>;

/** An effect that happens exactly once per step, or the tally throws. */
export function tallyNode(tally: Tally): NodeType {
  return defineNode({
    type: 'TallyNode',
    category: 'test',
    description: 'Leaves a mark that can be looked for.',
    params: z.object({ mark: z.unknown().optional(), breaks: z.boolean().default(false) }),
    outputs: ['mark'],
    effect: () => 'effect',
    run: async (ctx) => {
      if (tally.has(ctx.idempotencyKey)) throw new Error(`${ctx.idempotencyKey} happened twice`);
      const mark = ctx.params.mark as JsonValue;
      tally.set(ctx.idempotencyKey, mark);
      ctx.variables.set('last', mark);
      if (ctx.params.breaks) throw new Error('broke after its effect');
      return { outputs: { mark } };
    },
    probe: async (intent, ctx) => {
      const mark = tally.get(intent.idempotencyKey);
      if (mark === undefined) return { state: 'not-done' };
      ctx.variables.set('last', mark);
      return { state: 'done', result: { outputs: { mark } } };
    },
  });
}

export type Statement =
  | { readonly do: 'mark'; readonly label: number }
  | { readonly do: 'count'; readonly variable: number }
  | { readonly do: 'throw' }
  | { readonly do: 'break' | 'continue'; readonly out: number }
  | { readonly do: 'if'; readonly variable: number; readonly yes: Block; readonly no: Block | null }
  | { readonly do: 'switch'; readonly variable: number; readonly cases: readonly Block[] }
  | { readonly do: 'for'; readonly size: number; readonly end: 'none' | 'node' | 'wire'; readonly body: Block }
  | { readonly do: 'while'; readonly times: number; readonly limit: number; readonly body: Block }
  | { readonly do: 'try'; readonly body: Block; readonly catch: Block | null; readonly finally: Block | null }
  | { readonly do: 'retry'; readonly attempts: number; readonly body: Block; readonly failed: Block | null }
  | { readonly do: 'end attempt'; readonly works: boolean }
  /** Nothing follows it: its last part is the way on. */
  | { readonly do: 'guard'; readonly body: Block; readonly handler: Block | null; readonly last: Block | null }
  | { readonly do: 'call'; readonly body: Block; readonly handled: Block | null }
  | { readonly do: 'beside'; readonly one: Block; readonly other: Block }
  /** A fork and its join. */
  | { readonly do: 'fork'; readonly branches: readonly Block[] }
  /** A parallel loop. */
  | { readonly do: 'each'; readonly size: number; readonly batch: number; readonly body: Block };

export type Block = readonly Statement[];

const variable = fc.integer({ min: 0, max: 2 });

export const programs: fc.Arbitrary<Block> = fc.letrec<{ block: Block; statement: Statement }>((tie) => ({
  block: fc.array(tie('statement'), { minLength: 1, maxLength: 3 }),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ do: fc.constant('mark' as const), label: fc.integer({ min: 0, max: 99 }) }),
    fc.record({ do: fc.constant('count' as const), variable }),
    fc.constant<Statement>({ do: 'throw' }),
    fc.record({ do: fc.constantFrom('break' as const, 'continue' as const), out: fc.integer({ min: 0, max: 1 }) }),
    fc.record({ do: fc.constant('if' as const), variable, yes: tie('block'), no: fc.option(tie('block')) }),
    fc.record({
      do: fc.constant('switch' as const),
      variable,
      cases: fc.array(tie('block'), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({
      do: fc.constant('for' as const),
      size: fc.integer({ min: 0, max: 3 }),
      end: fc.constantFrom('none' as const, 'node' as const, 'wire' as const),
      body: tie('block'),
    }),
    fc.record({
      do: fc.constant('while' as const),
      times: fc.integer({ min: 0, max: 3 }),
      limit: fc.integer({ min: 2, max: 4 }),
      body: tie('block'),
    }),
    fc.record({
      do: fc.constant('try' as const),
      body: tie('block'),
      catch: fc.option(tie('block')),
      finally: fc.option(tie('block')),
    }),
    fc.record({
      do: fc.constant('retry' as const),
      attempts: fc.integer({ min: 1, max: 3 }),
      body: tie('block'),
      failed: fc.option(tie('block')),
    }),
    fc.record({ do: fc.constant('end attempt' as const), works: fc.boolean() }),
    fc.record({
      do: fc.constant('guard' as const),
      body: tie('block'),
      handler: fc.option(tie('block')),
      last: fc.option(tie('block')),
    }),
    fc.record({ do: fc.constant('call' as const), body: tie('block'), handled: fc.option(tie('block')) }),
    fc.record({ do: fc.constant('beside' as const), one: tie('block'), other: tie('block') }),
    fc.record({
      do: fc.constant('fork' as const),
      branches: fc.array(tie('block'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({
      do: fc.constant('each' as const),
      size: fc.integer({ min: 0, max: 4 }),
      batch: fc.integer({ min: 1, max: 3 }),
      body: tie('block'),
    }),
  ),
})).block;

/** What a jump without a loop and a try without handlers compile to: a file must be valid. */
export const jumpOutsideLoops: Statement = { do: 'mark', label: -1 };
export const defaultHandler: Block = [{ do: 'mark', label: -2 }];

/** Where a compiled piece begins, and the exits that lead on from it. */
interface Piece {
  readonly entry: string;
  readonly exits: readonly string[];
}

export function compile(program: Block, stopOnError: boolean): FileSpec {
  const subworkflows: Record<string, FileSpec> = {};
  const file = compileFile(program, stopOnError, subworkflows);
  return Object.keys(subworkflows).length === 0 ? file : { ...file, subworkflows };
}

function compileFile(program: Block, stopOnError: boolean, subworkflows: Record<string, FileSpec>): FileSpec {
  const compiler = new Compiler((body) => {
    const name = `${Object.keys(subworkflows).length}.json`;
    // Its place is taken before what it calls itself takes one.
    subworkflows[name] = { nodes: {} };
    subworkflows[name] = compileFile(body, stopOnError, subworkflows);
    return name;
  });
  const { entry } = compiler.block(program, []);
  compiler.connect.push(`start -> ${entry}`);
  return {
    nodes: { start: ['StartNode'], ...compiler.nodes },
    connect: compiler.connect,
    variables: { v0: 0, v1: 1, v2: 2 },
    settings: { stop_on_error: stopOnError },
  };
}

class Compiler {
  readonly nodes: Record<string, NodeSpec> = {};
  readonly connect: string[] = [];
  readonly #addFile: (body: Block) => string;
  #made = 0;
  #retries = 0;

  constructor(addFile: (body: Block) => string) {
    this.#addFile = addFile;
  }

  block(statements: Block, loops: readonly string[]): Piece {
    const pieces: Piece[] = [];
    for (const statement of statements) {
      const before = pieces.at(-1);
      if (before?.exits.length === 0) break;
      const piece = this.#statement(statement, loops);
      for (const exit of before?.exits ?? []) this.connect.push(`${exit} -> ${piece.entry}`);
      pieces.push(piece);
    }
    return { entry: pieces[0]?.entry ?? '', exits: pieces.at(-1)?.exits ?? [] };
  }

  /** Nothing in it reaches the loops and retry regions around it. */
  #apart(block: Block, loops: readonly string[]): Piece {
    const retries = this.#retries;
    this.#retries = 0;
    const piece = this.block(block, loops);
    this.#retries = retries;
    return piece;
  }

  #add(type: string, config: NodeSpec[1] = {}): string {
    this.#made += 1;
    const id = `n${this.#made}`;
    this.nodes[id] = [type, config];
    return id;
  }

  #statement(statement: Statement, loops: readonly string[]): Piece {
    switch (statement.do) {
      case 'mark': {
        const id = this.#add('TallyNode');
        this.nodes[id] = [
          'TallyNode',
          { mark: `${statement.label} {{v0}} {{v1}} {{v2}} {{error_type}} {{had_error}}` },
        ];
        return { entry: id, exits: [id] };
      }
      case 'count': {
        const id = this.#add('IncrementVariableNode', { variable_name: `v${statement.variable}` });
        return { entry: id, exits: [id] };
      }
      case 'throw': {
        const id = this.#add('ThrowErrorNode', { error_message: 'thrown at {{v0}}' });
        return { entry: id, exits: [id] };
      }
      case 'break':
      case 'continue': {
        const loop = loops.at(-1 - statement.out) ?? loops.at(-1);
        if (loop === undefined) return this.#statement(jumpOutsideLoops, loops);
        const type = statement.do === 'break' ? 'BreakNode' : 'ContinueNode';
        return { entry: this.#add(type, { paired_loop_start_id: loop }), exits: [] };
      }
      case 'if': {
        const id = this.#add('IfNode', { condition: `{{v${statement.variable}}} % 2 == 0` });
        const yes = this.block(statement.yes, loops);
        this.connect.push(`${id}.true -> ${yes.entry}`);
        if (statement.no === null) return { entry: id, exits: [...yes.exits, `${id}.false`] };
        const no = this.block(statement.no, loops);
        this.connect.push(`${id}.false -> ${no.entry}`);
        return { entry: id, exits: [...yes.exits, ...no.exits] };
      }
      case 'switch': {
        const cases = statement.cases.map((_, index) => index);
        const id = this.#add('SwitchNode', { expression: `v${statement.variable} % 3`, cases });
        const exits = statement.cases.flatMap((block, index) => {
          const piece = this.block(block, loops);
          this.connect.push(`${id}.case_${index} -> ${piece.entry}`);
          return piece.exits;
        });
        return { entry: id, exits: [...exits, `${id}.default`] };
      }
      case 'for':
        return this.#loop(
          'ForLoopStartNode',
          { mode: 'range', end: statement.size },
          statement.body,
          statement.end,
          loops,
        );
      case 'while': {
        const id = `w${this.#made}`;
        const config = { condition: `{{${id}}} < ${statement.times}`, max_iterations: statement.limit };
        const reset = this.#add('SetVariableNode', { variable_name: id, value: 0 });
        const loop = this.#loop('WhileLoopStartNode', config, statement.body, 'none', loops, id);
        this.connect.push(`${reset} -> ${loop.entry}`);
        return { entry: reset, exits: loop.exits };
      }
      case 'try':
        return this.#try(statement, loops);
      case 'retry': {
        const id = this.#add('RetryNode', { max_attempts: statement.attempts, initial_delay: 0 });
        this.#retries += 1;
        const body = this.block(statement.body, loops);
        this.#retries -= 1;
        this.connect.push(`${id}.retry_body -> ${body.entry}`);
        if (statement.failed === null) return { entry: id, exits: [`${id}.success`] };
        const failed = this.block(statement.failed, loops);
        this.connect.push(`${id}.failed -> ${failed.entry}`);
        return { entry: id, exits: [`${id}.success`, ...failed.exits] };
      }
      case 'end attempt': {
        if (this.#retries === 0) return this.#statement(jumpOutsideLoops, loops);
        const type = statement.works ? 'RetrySuccessNode' : 'RetryFailNode';
        return { entry: this.#add(type), exits: [] };
      }
      case 'guard': {
        const id = this.#add('OnErrorNode');
        const parts = [
          ['protected_body', statement.body],
          ['on_error', statement.handler],
          ['finally', statement.last],
        ] as const;
        for (const [exit, block] of parts) {
          if (block !== null) this.connect.push(`${id}.${exit} -> ${this.block(block, loops).entry}`);
        }
        return { entry: id, exits: [] };
      }
      case 'call': {
        const id = this.#add('SubflowNode', { subflow_path: this.#addFile(statement.body) });
        if (statement.handled === null) return { entry: id, exits: [id] };
        const handled = this.block(statement.handled, loops);
        this.connect.push(`${id}.error -> ${handled.entry}`);
        return { entry: id, exits: [id, ...handled.exits] };
      }
      case 'beside': {
        const id = this.#add('MergeNode');
        const one = this.block(statement.one, loops);
        const other = this.block(statement.other, loops);
        this.connect.push(`${id} -> ${one.entry}`, `${id} -> ${other.entry}`);
        return { entry: id, exits: one.exits };
      }
      case 'fork': {
        const id = this.#add('ForkNode', { branch_count: statement.branches.length });
        const join = this.#add('JoinNode', { paired_fork_id: id });
        statement.branches.forEach((block, index) => {
          const piece = this.#apart(block, []);
          this.connect.push(`${id}.branch_${index + 1} -> ${piece.entry}`);
          for (const exit of piece.exits) this.connect.push(`${exit} -> ${join}`);
        });
        return { entry: id, exits: [join] };
      }
      case 'each': {
        const items = Array.from({ length: statement.size }, (_, index) => index);
        const id = this.#add('ParallelForEachNode', { items, batch_size: statement.batch });
        const { entry } = this.#apart(statement.body, [id]);
        this.connect.push(`${id}.body -> ${entry}`);
        return { entry: id, exits: [`${id}.completed`] };
      }
    }
  }

  #loop(
    type: string,
    config: NodeSpec[1],
    body: Block,
    end: 'none' | 'node' | 'wire',
    loops: readonly string[],
    counter?: string,
  ): Piece {
    const id = this.#add(type, config);
    const piece = this.block(body, [...loops, id]);
    if (counter === undefined) {
      this.connect.push(`${id}.body -> ${piece.entry}`);
    } else {
      const count = this.#add('IncrementVariableNode', { variable_name: counter });
      this.connect.push(`${id}.body -> ${count} -> ${piece.entry}`);
    }
    const target = end === 'node' ? this.#add('ForLoopEndNode', { paired_start_id: id }) : end === 'wire' ? id : null;
    if (target !== null) for (const exit of piece.exits) this.connect.push(`${exit} -> ${target}`);
    return { entry: id, exits: [`${id}.completed`] };
  }

  #try({ body, catch: handler, finally: cleanup }: Extract<Statement, { do: 'try' }>, loops: readonly string[]): Piece {
    const id = this.#add('TryNode');
    const inner = this.block(body, loops);
    this.connect.push(`${id}.try_body -> ${inner.entry}`);
    if (handler !== null || cleanup === null) {
      const catchId = this.#add('CatchNode', { paired_try_id: id });
      const piece = this.block(handler ?? defaultHandler, loops);
      this.connect.push(`${catchId}.catch_body -> ${piece.entry}`);
    }
    if (cleanup !== null) {
      const finallyId = this.#add('FinallyNode', { paired_try_id: id });
      const piece = this.block(cleanup, loops);
      this.connect.push(`${finallyId}.finally_body -> ${piece.entry}`);
    }
    return { entry: id, exits: [id] };
  }
}
