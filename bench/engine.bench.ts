/**
 * What the engine costs per node: a loop of pure nodes, kept in memory, and in the store with its two settings of
 * `synchronous`; the same loop in branches side by side; and whether memory grows with the number of steps.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planFlow } from '../packages/execution/src/engine/flow-plan.ts';
import { foldJournal } from '../packages/execution/src/engine/fold.ts';
import type { JournalEntry } from '../packages/execution/src/engine/journal.ts';
import { memoryJournal } from '../packages/execution/src/engine/memory-journal.ts';
import { runWorkflow } from '../packages/execution/src/engine/run-workflow.ts';
import { checkWorkflow } from '../packages/execution/src/model/check-workflow.ts';
import { createNodeRegistry } from '../packages/execution/src/model/registry.ts';
import type { Workflow } from '../packages/execution/src/model/workflow.ts';
import type { RunJournal } from '../packages/execution/src/ports.ts';
import { systemClock } from '../packages/execution/src/system-clock.ts';
import { CheckpointManager } from '../packages/offline-store/src/checkpoint-manager.ts';
import { OfflineQueue } from '../packages/offline-store/src/offline-queue.ts';
import { openStore } from '../packages/offline-store/src/open-store.ts';
import { printSettings } from './settings.ts';

const ITERATIONS = Number(process.env.BENCH_ITERATIONS ?? 10_000);
const STEPS = Number(process.env.BENCH_STEPS ?? 1_000_000);
const BRANCHES = 4;
const HEAP_AT = [0.1, 0.5, 1];

const registry = createNodeRegistry([]);

type Node = readonly [type: string, config: Readonly<Record<string, unknown>>];

function workflowOf(nodes: Readonly<Record<string, Node>>, lines: readonly string[]): Workflow {
  const file = {
    metadata: { name: 'bench' },
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([id, [type, config]]) => [id, { node_id: id, node_type: type, config }]),
    ),
    connections: lines.map((line) => {
      const [from = '', to = ''] = line.split(' -> ');
      const [source, exit = 'exec_out'] = from.split('.');
      return { source_node: source, source_port: exit, target_node: to, target_port: 'exec_in' };
    }),
  };
  const { workflow, findings } = checkWorkflow(file, registry);
  if (workflow === null) throw new Error(findings.map(({ message }) => message).join('\n'));
  return workflow;
}

/** Each iteration: the loop's own step, one that counts, one that reads a template. */
function loop(name: string, iterations: number): { nodes: Readonly<Record<string, Node>>; lines: readonly string[] } {
  return {
    nodes: {
      [name]: ['ForLoopStartNode', { mode: 'range', start: 0, end: iterations }],
      [`${name}_add`]: ['IncrementVariableNode', { variable_name: `${name}_n` }],
      [`${name}_set`]: ['SetVariableNode', { variable_name: `${name}_text`, value: `item {{item}} of {{${name}_n}}` }],
    },
    lines: [`${name}.body -> ${name}_add`, `${name}_add -> ${name}_set`],
  };
}

function inBranches(branches: number, iterations: number): Workflow {
  const parts = Array.from({ length: branches }, (_, index) => loop(`l${index + 1}`, iterations));
  return workflowOf(
    {
      fork: ['ForkNode', { branch_count: branches, paired_join_id: 'join' }],
      ...Object.assign({}, ...parts.map(({ nodes }) => nodes)),
      join: ['JoinNode', {}],
    },
    [
      ...parts.flatMap(({ lines }) => lines),
      ...parts.flatMap((_, index) => [`fork.branch_${index + 1} -> l${index + 1}`, `l${index + 1}.completed -> join`]),
    ],
  );
}

async function run(workflow: Workflow, journal: RunJournal): Promise<void> {
  const { end } = await runWorkflow({
    jobId: 'bench',
    workflow,
    registry,
    journal,
    clock: systemClock,
    logger: { log: () => undefined },
    workDir: tmpdir(),
    inDoubtPolicy: 'fail',
    nodeTimeoutMs: 120_000,
  });
  if (end.status !== 'completed') throw new Error(`the run ended as ${end.status}`);
}

interface Figure {
  readonly perSecond: number;
  /** Of all threads of the process, per step. */
  readonly cpuMicroseconds: number;
  readonly steps: number;
}

async function speed(workflow: Workflow, journal: RunJournal): Promise<Figure> {
  let steps = 0;
  const counting: RunJournal = {
    ...journal,
    load: () => journal.load(),
    commit: (entries) => {
      for (const { kind } of entries) if (kind === 'result') steps += 1;
      return journal.commit(entries);
    },
  };
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  await run(workflow, counting);
  const { user, system } = process.cpuUsage(cpuBefore);
  const perSecond = (steps * 1_000) / (performance.now() - startedAt);
  return { perSecond, cpuMicroseconds: (user + system) / steps, steps };
}

async function stored(workflow: Workflow, synchronous: 'normal' | 'full'): Promise<Figure> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-bench-'));
  const store = await openStore({ path: join(folder, 'store.db'), robotId: 'bench', synchronous });
  try {
    const queue = new OfflineQueue({ store, robotId: 'bench' });
    await queue.cacheJob({ jobId: 'bench', workflowJson: '{}', name: 'bench', variables: {} });
    const handle = new CheckpointManager(queue).startJob<JournalEntry>('bench', 'bench');
    return await speed(workflow, {
      load: () => handle.load(),
      commit: async (entries) => void (await handle.commit(entries)),
      snapshotEveryEntries: 5_000,
    });
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function show(name: string, { perSecond, cpuMicroseconds, steps }: Figure, base: number): void {
  const cpu = cpuMicroseconds.toFixed(0).padStart(5);
  const rate = Math.round(perSecond).toLocaleString('en').padStart(9);
  console.log(
    `${name.padEnd(46)} ${rate} nodes/s   ${(base / perSecond).toFixed(1).padStart(6)} x   ${cpu} us of CPU each   (${steps} nodes)`,
  );
}

function heapMiB(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** What taking up a run costs that has no snapshot. */
async function folding(iterations: number): Promise<void> {
  const { nodes, lines } = loop('l', iterations);
  const workflow = workflowOf(nodes, lines);
  const entries: JournalEntry[] = [];
  await run(workflow, { load: async () => [], commit: async (added) => void entries.push(...added) });
  const startedAt = performance.now();
  foldJournal(planFlow(workflow, registry), entries);
  const perSecond = Math.round((entries.length * 1_000) / (performance.now() - startedAt));
  console.log(`fold: ${perSecond.toLocaleString('en')} entries/s   (${entries.length} entries)`);
}

async function memory(steps: number): Promise<void> {
  const { nodes, lines } = loop('l', Math.ceil(steps / 3));
  const workflow = workflowOf(nodes, lines);
  const journal = memoryJournal();
  const marks = HEAP_AT.map((share) => Math.floor(share * steps));
  let seen = 0;
  await run(workflow, {
    ...journal,
    load: () => journal.load(),
    commit: async (entries) => {
      for (const { kind } of entries) {
        if (kind !== 'result') continue;
        seen += 1;
        if (seen === marks[0]) {
          marks.shift();
          console.log(`heap after ${seen.toLocaleString('en').padStart(9)} nodes: ${heapMiB().toFixed(1)} MiB`);
        }
      }
      await journal.commit(entries);
    },
  });
}

printSettings({ iterations: ITERATIONS, 'nodes per iteration': 3 });
const { nodes, lines } = loop('l', ITERATIONS);
const workflow = workflowOf(nodes, lines);
await speed(workflow, memoryJournal());
const base = await speed(workflow, memoryJournal());
console.log('\none walk');
show('memory', base, base.perSecond);
show('store, synchronous=NORMAL', await stored(workflow, 'normal'), base.perSecond);
show('store, synchronous=FULL', await stored(workflow, 'full'), base.perSecond);
console.log(`\n${BRANCHES} branches`);
const forked = inBranches(BRANCHES, Math.ceil(ITERATIONS / BRANCHES));
show('memory', await speed(forked, memoryJournal()), base.perSecond);
show('store, synchronous=NORMAL', await stored(forked, 'normal'), base.perSecond);
show('store, synchronous=FULL', await stored(forked, 'full'), base.perSecond);
console.log('\nresuming');
await folding(ITERATIONS);
console.log('\nmemory');
await memory(STEPS);
