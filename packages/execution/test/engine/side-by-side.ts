/** Nodes that only come to their end when others run beside them, and nodes that tell how many do. */
import { z } from 'zod';
import type { JsonValue } from '../../src/json.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import type { World } from './harness.ts';

/** Ends once as many of its group as `count` says have begun, however long that takes. */
export function meetNode(): NodeType {
  const groups = new Map<string, { arrived: number; readonly all: PromiseWithResolvers<void> }>();
  return defineNode({
    type: 'MeetNode',
    category: 'test',
    description: 'Waits for others of its group.',
    params: z.object({ group: z.unknown().optional(), count: z.number().default(2) }),
    outputs: [],
    effect: () => 'pure',
    run: async (ctx) => {
      const name = String(ctx.params.group ?? 'all');
      const group = groups.get(name) ?? { arrived: 0, all: Promise.withResolvers<void>() };
      groups.set(name, group);
      group.arrived += 1;
      if (group.arrived === ctx.params.count) {
        groups.delete(name);
        group.all.resolve();
      }
      await group.all.promise;
      return {};
    },
  });
}

/** Takes a few turns of the event loop and keeps count of how many run at once. */
export class Crowd {
  now = 0;
  most = 0;
  readonly order: JsonValue[] = [];

  node(): NodeType {
    return defineNode({
      type: 'CrowdNode',
      category: 'test',
      description: 'Counts how many of its kind run at once.',
      params: z.object({ turns: z.number().default(3), mark: z.unknown().optional() }),
      outputs: ['mark'],
      effect: () => 'pure',
      run: async (ctx) => {
        this.now += 1;
        this.most = Math.max(this.most, this.now);
        for (let turn = 0; turn < ctx.params.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        this.now -= 1;
        const mark = (ctx.params.mark ?? null) as JsonValue;
        this.order.push(mark);
        return { outputs: { mark } };
      },
    });
  }
}

/** An effect that is told to stop, says so, and has happened all the same. */
export function stubbornNode(world: World): NodeType {
  return defineNode({
    type: 'StubbornNode',
    category: 'test',
    description: 'Ends with a result when it is told to stop.',
    params: z.object({}),
    outputs: ['heard'],
    effect: () => 'effect',
    run: (ctx) =>
      new Promise((resolve) => {
        world.running.add(ctx.nodeId);
        ctx.signal.addEventListener('abort', () => {
          world.running.delete(ctx.nodeId);
          world.marks.push(`${ctx.nodeId} heard`);
          ctx.variables.set('heard', true);
          resolve({ outputs: { heard: true } });
        });
      }),
  });
}

/** An effect that waits for `gate` and does not heed its signal. */
export function gateNode(world: World, gate: Promise<void>): NodeType {
  return defineNode({
    type: 'GateNode',
    category: 'test',
    description: 'Ends when the gate opens.',
    params: z.object({}),
    outputs: [],
    effect: () => 'effect',
    run: async (ctx) => {
      world.running.add(ctx.nodeId);
      await gate;
      world.running.delete(ctx.nodeId);
      world.marks.push(ctx.nodeId);
      return {};
    },
  });
}
