/** Nodes that do what no node should, for the process that runs them. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { z } from 'zod';
import { defineNode, type NodeType } from '../../../src/node-contract.ts';

const effect = z.enum(['pure', 'idempotent', 'effect']).default('pure');

/** Leaves a line in the file `marks` of the job's work folder: what a test can count. */
function mark(ctx: { readonly workDir: string }, line: string): void {
  appendFileSync(`${ctx.workDir}/marks`, `${line}\n`);
}

export const misbehavingNodes: readonly NodeType[] = [
  defineNode({
    type: 'MarkNode',
    category: 'test',
    description: 'Leaves a mark.',
    params: z.object({ mark: z.string().default('mark') }),
    outputs: [],
    effect: () => 'effect',
    run: async (ctx) => {
      mark(ctx, ctx.params.mark);
      return {};
    },
  }),
  defineNode({
    type: 'SpinNode',
    category: 'test',
    description: 'Spins for ever.',
    params: z.object({ effect }),
    outputs: [],
    effect: (params) => params.effect,
    run: async (ctx) => {
      mark(ctx, 'spin');
      for (;;);
    },
  }),
  defineNode({
    type: 'DeafNode',
    category: 'test',
    description: 'Ignores its signal, and goes on marking.',
    params: z.object({ effect }),
    outputs: [],
    effect: (params) => params.effect,
    run: (ctx) => {
      mark(ctx, 'deaf');
      setInterval(() => mark(ctx, 'tick'), 20);
      return new Promise(() => undefined);
    },
  }),
  defineNode({
    type: 'DieNode',
    category: 'test',
    description: 'Ends its process, `times` times (0: always).',
    params: z.object({
      effect,
      how: z.enum(['kill', 'exit', 'throw', 'heap']).default('kill'),
      times: z.number().default(0),
    }),
    outputs: ['attempt'],
    effect: (params) => params.effect,
    run: async (ctx) => {
      const { how, times } = ctx.params;
      mark(ctx, `die ${ctx.attempt}`);
      if (times > 0 && ctx.attempt > times) return { outputs: { attempt: ctx.attempt } };
      if (how === 'kill') process.kill(process.pid, 'SIGKILL');
      if (how === 'exit') process.exit(3);
      if (how === 'throw')
        setImmediate(() => {
          throw new Error('nobody catches this');
        });
      if (how === 'heap') for (const held: unknown[] = []; ; ) held.push(new Array(100_000).fill(Math.random()));
      return new Promise(() => undefined);
    },
  }),
  defineNode({
    type: 'LeakNode',
    category: 'test',
    description: 'Takes memory outside the heap, and keeps it.',
    params: z.object({ megabytes: z.number().default(1_024) }),
    outputs: [],
    effect: () => 'pure',
    run: async (ctx) => {
      mark(ctx, 'leak');
      const held: Buffer[] = [];
      for (let taken = 0; taken < ctx.params.megabytes; taken += 8) {
        held.push(Buffer.alloc(8 * 1_024 * 1_024, 1));
        await ctx.clock.sleep(5);
      }
      await ctx.clock.sleep(60_000, ctx.signal);
      return {};
    },
  }),
  defineNode({
    type: 'ChildNode',
    category: 'test',
    description: 'Starts a child that outlives it, and tells its id.',
    params: z.object({
      detached: z.boolean().default(true),
      afterwards: z.enum(['return', 'spin', 'throw']).default('return'),
    }),
    outputs: ['pid', 'job', 'mark'],
    effect: () => 'pure',
    run: async (ctx) => {
      const child = spawn('sleep', ['1000'], { detached: ctx.params.detached, stdio: 'ignore' });
      child.unref();
      mark(ctx, `child ${child.pid}`);
      if (ctx.params.afterwards === 'throw') throw new Error('after starting a child');
      if (ctx.params.afterwards === 'spin') for (;;);
      const { CASARE_JOB_ID = null, CASARE_JOB_PROCESS = null } = process.env;
      return { outputs: { pid: child.pid ?? 0, job: CASARE_JOB_ID, mark: CASARE_JOB_PROCESS } };
    },
  }),
  defineNode({
    type: 'TellNode',
    category: 'test',
    description: 'Tells which process it runs in, logs `lines` lines and prints some.',
    params: z.object({ lines: z.number().default(0), bytes: z.number().default(0) }),
    outputs: ['pid', 'text'],
    effect: () => 'pure',
    run: async (ctx) => {
      for (let line = 0; line < ctx.params.lines; line += 1) ctx.log.log('info', `line ${line}`);
      console.log('printed');
      return { outputs: { pid: process.pid, text: 'x'.repeat(ctx.params.bytes) } };
    },
  }),
  defineNode({
    type: 'SleepNode',
    category: 'test',
    description: 'Waits as long as it is let.',
    params: z.object({ ms: z.number().default(600_000) }),
    outputs: [],
    effect: () => 'pure',
    unbounded: true,
    run: async (ctx) => {
      mark(ctx, 'sleep');
      await ctx.clock.sleep(ctx.params.ms, ctx.signal);
      return {};
    },
  }),
  defineNode({
    type: 'CommandsNode',
    category: 'test',
    description:
      'Starts commands, each in a group of its own, which are over once the file `enough` is there; then sleeps.',
    params: z.object({ count: z.number().default(5) }),
    outputs: [],
    effect: () => 'pure',
    run: async (ctx) => {
      const commands = Array.from({ length: ctx.params.count }, () => spawn('cat', { detached: true }));
      const over = commands.map((command) => new Promise((resolve) => command.once('close', resolve)));
      while (!existsSync(`${ctx.workDir}/enough`)) await ctx.clock.sleep(50, ctx.signal);
      for (const { stdin } of commands) stdin.end();
      await Promise.all(over);
      mark(ctx, 'over');
      await ctx.clock.sleep(600_000, ctx.signal);
      return {};
    },
  }),
  defineNode({
    type: 'TickNode',
    category: 'test',
    description: 'An effect, again and again, without a moment for anything else: a line with the id of its process.',
    params: z.object({}),
    outputs: [],
    effect: () => 'effect',
    run: async (ctx) => {
      for (;;) {
        appendFileSync(`${ctx.workDir}/ticks`, `${process.pid}\n`);
        const until = performance.now() + 10;
        while (performance.now() < until);
      }
    },
  }),
];
