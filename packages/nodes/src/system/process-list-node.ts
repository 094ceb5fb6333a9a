/** ProcessListNode: the running processes. Command lines are left out: they may hold secrets of others. */
import psList from 'ps-list';
import { z } from 'zod';
import { defineNode } from '../define-node.ts';
import { flag, text } from '../params/index.ts';
import type { NodeType } from '../ports.ts';

/** More are not kept with a job (I7). */
const MOST = 5_000;

export const processListNode: NodeType = defineNode({
  type: 'ProcessListNode',
  category: 'system',
  description: 'Lists processes whose name contains a text.',
  params: z.object({ filter_name: text(''), include_details: flag(true) }),
  outputs: ['processes', 'count'],
  outputsFrom: 'world',
  effect: () => 'pure',
  async run(ctx) {
    const wanted = ctx.params.filter_name.trim().toLowerCase();
    const found = (await psList()).filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, MOST);
    const processes = found.map(({ pid, ppid, name, cpu, memory }) =>
      ctx.params.include_details
        ? { pid, name, parent_pid: ppid, cpu_percent: cpu ?? null, memory_percent: memory ?? null }
        : { pid, name },
    );
    return { outputs: { processes, count: processes.length } };
  },
});
