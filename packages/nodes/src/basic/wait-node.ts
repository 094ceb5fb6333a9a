/** Waits for a number of seconds; ends at once when the run is stopped (I9). */
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { number } from '../params/index.ts';
import type { NodeType } from '../ports.ts';

/** Timers hold 31 bits of milliseconds. */
const LONGEST_SECONDS = 2_147_483;

export const waitNode: NodeType = defineNode({
  type: 'WaitNode',
  aliases: ['BrowserWaitNode'],
  category: 'utility',
  description: 'Waits for `duration` seconds.',
  params: z.object({ duration: number({ fallback: 1, min: 0, max: LONGEST_SECONDS }) }),
  outputs: [],
  unbounded: true,
  effect: () => 'pure',
  async run(ctx) {
    await ctx.clock.sleep(ctx.params.duration * 1000, ctx.signal);
    return {};
  },
});
