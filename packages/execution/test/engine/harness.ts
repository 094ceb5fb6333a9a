/** Workflows in a few words, nodes that show what a run does, and journals that can fail. */
import { ManualClock } from '@casare/testing';
import { z } from 'zod';
import type { JournalEntry } from '../../src/engine/journal.ts';
import type { RunObserver, RunOptions } from '../../src/engine/run-options.ts';
import { type RunReport, runWorkflow } from '../../src/engine/run-workflow.ts';
import { NodeError } from '../../src/errors.ts';
import type { JsonObject, JsonValue } from '../../src/json.ts';
import { checkWorkflow } from '../../src/model/check-workflow.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import type { Workflow } from '../../src/model/workflow.ts';
import { defineNode, type NodeType } from '../../src/node-contract.ts';
import type { Clock, Logger, RunJournal } from '../../src/ports.ts';

/** What the effects of a run have left in the world. */
export class World {
  readonly marks: JsonValue[] = [];
  readonly running = new Set<string>();
}

/** The nodes that tests add to the control-flow ones. All act on one world. */
export function testNodes(world: World): readonly NodeType[] {
  return [
    defineNode({
      type: 'MarkNode',
      category: 'test',
      description: 'An effect: leaves a mark in the world.',
      params: z.object({ mark: z.unknown().optional() }),
      outputs: ['mark', 'count'],
      effect: () => 'effect',
      run: async (ctx) => {
        const mark = (ctx.params.mark ?? ctx.nodeId) as JsonValue;
        world.marks.push(mark);
        return { outputs: { mark, count: world.marks.length } };
      },
    }),
    defineNode({
      type: 'FailNode',
      category: 'test',
      description: 'Fails as told, `times` times (0: always).',
      params: z.object({
        message: z.string().default('it broke'),
        code: z.string().default('BROKEN'),
        error_type: z.string().default('BrokenError'),
        category: z.enum(['transient', 'permanent', 'unknown']).default('permanent'),
        ambiguous: z.boolean().default(false),
        effect: z.enum(['pure', 'idempotent', 'effect']).default('effect'),
        times: z.number().default(0),
      }),
      outputs: ['attempt'],
      effect: (params) => params.effect,
      run: async (ctx) => {
        const { message, code, error_type: errorType, category, ambiguous, times } = ctx.params;
        world.marks.push(`${ctx.nodeId}#${ctx.attempt}`);
        if (times > 0 && ctx.attempt > times) return { outputs: { attempt: ctx.attempt } };
        throw new NodeError(message, { code, errorType, category, ambiguous });
      },
    }),
    defineNode({
      type: 'GiveNode',
      category: 'test',
      description: 'Gives `value` on its port.',
      params: z.object({ value: z.unknown().optional() }),
      outputs: ['value'],
      effect: () => 'pure',
      run: async (ctx) => ({ outputs: { value: (ctx.params.value ?? null) as JsonValue } }),
    }),
    defineNode({
      type: 'HangNode',
      category: 'test',
      description: 'Runs until it is told to stop, or for ever if it is deaf.',
      params: z.object({ deaf: z.boolean().default(false), effect: z.enum(['pure', 'effect']).default('pure') }),
      outputs: [],
      effect: (params) => params.effect,
      run: (ctx) =>
        new Promise((_resolve, reject) => {
          world.running.add(ctx.nodeId);
          ctx.signal.addEventListener('abort', () => {
            if (ctx.params.deaf) return;
            world.running.delete(ctx.nodeId);
            reject(ctx.signal.reason);
          });
        }),
    }),
  ];
}

export type NodeSpec = readonly [type: string, config?: JsonObject];

export interface FileSpec {
  readonly nodes: Readonly<Record<string, NodeSpec>>;
  /** `a -> b`, `loop.body -> b`, chains `a -> b -> c.completed -> d`; data: `a.value => b.items`. */
  readonly connect?: readonly string[];
  readonly variables?: JsonObject;
  readonly settings?: JsonObject;
  readonly subworkflows?: Readonly<Record<string, FileSpec>>;
}

/** The workflow file that a spec means. */
export function workflowFile(spec: FileSpec): JsonObject {
  const nodes = Object.entries(spec.nodes).map(([id, [type, config]]) => [
    id,
    { node_id: id, node_type: type, config: config ?? {}, position: [0, 0] },
  ]);
  return {
    metadata: { name: 'test' },
    nodes: Object.fromEntries(nodes),
    connections: (spec.connect ?? []).flatMap(connectionsOf),
    variables: spec.variables ?? {},
    settings: spec.settings ?? {},
    ...(spec.subworkflows === undefined
      ? {}
      : {
          subworkflows: Object.fromEntries(
            Object.entries(spec.subworkflows).map(([name, sub]) => [name, workflowFile(sub)]),
          ),
        }),
  };
}

function connectionsOf(text: string): JsonObject[] {
  if (text.includes('=>')) {
    const [from = '', to = ''] = text.split('=>').map((part) => part.trim());
    const [source = '', sourcePort = ''] = from.split('.');
    const [target = '', targetPort = ''] = to.split('.');
    return [{ source_node: source, source_port: sourcePort, target_node: target, target_port: targetPort }];
  }
  const parts = text.split('->').map((part) => part.trim().split('.'));
  return parts.slice(1).map(([target = ''], index) => {
    const [source = '', exit = 'exec_out'] = parts[index] ?? [];
    return { source_node: source, source_port: exit, target_node: target, target_port: 'exec_in' };
  });
}

const checked = new WeakMap<FileSpec, Workflow>();

/** @throws Error when the file does not pass the check */
export function checkedWorkflow(spec: FileSpec, types: readonly NodeType[]): Workflow {
  const known = checked.get(spec);
  if (known !== undefined) return known;
  const { workflow, findings } = checkWorkflow(workflowFile(spec), createNodeRegistry(types));
  if (workflow === null) throw new Error(findings.map((finding) => finding.message).join('\n'));
  checked.set(spec, workflow);
  return workflow;
}

export interface RunSetup extends Partial<Omit<RunOptions, 'workflow' | 'registry'>> {
  readonly world?: World;
  readonly types?: readonly NodeType[];
}

export interface TestRun extends RunReport {
  readonly world: World;
  readonly lines: readonly string[];
}

/** Checks and runs a workflow with the test nodes. */
export async function runFile(spec: FileSpec, setup: RunSetup = {}): Promise<TestRun> {
  const world = setup.world ?? new World();
  const types = [...testNodes(world), ...(setup.types ?? [])];
  const lines: string[] = [];
  const observer: RunObserver = { log: ({ level, message }) => lines.push(`${level}: ${message}`) };
  const { world: _world, types: _types, ...options } = setup;
  const report = await runWorkflow({
    jobId: 'job-1',
    workflow: checkedWorkflow(spec, types),
    registry: createNodeRegistry(types),
    journal: new TestJournal(),
    clock: new ManualClock(),
    logger: silentLogger,
    observer,
    workDir: '/tmp/work',
    inDoubtPolicy: 'fail',
    nodeTimeoutMs: 120_000,
    ...options,
  });
  return { ...report, world, lines };
}

export const silentLogger: Logger = { log: () => undefined };

/** The machine's time, for tests that measure or wait for it. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(resolve, delayMs);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

/** Moves the clock in steps until `promise` is settled. */
export async function advanceUntil<T>(clock: ManualClock, stepMs: number, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const noteEnd = (): void => {
    isSettled = true;
  };
  const watched = promise.then(noteEnd, noteEnd);
  while (!isSettled) await clock.advance(stepMs);
  await watched;
  return promise;
}

/** Keeps every entry as text, as a store would, and can be told to refuse. */
export class TestJournal implements RunJournal {
  readonly snapshotEveryEntries?: number;
  #rows: string[];
  /** How many commits there have been. */
  commits = 0;
  /** Asked before each commit: throw to refuse it. */
  beforeCommit: (commit: number) => void = () => undefined;
  /** Asked after each commit is durable. */
  afterCommit: (commit: number) => void = () => undefined;

  constructor(entries: readonly JournalEntry[] = [], snapshotEveryEntries?: number) {
    this.#rows = entries.map((entry) => JSON.stringify(entry));
    if (snapshotEveryEntries !== undefined) this.snapshotEveryEntries = snapshotEveryEntries;
  }

  get entries(): readonly JournalEntry[] {
    return this.#rows.map((row) => JSON.parse(row) as JournalEntry);
  }

  async load(): Promise<readonly JournalEntry[]> {
    return this.entries;
  }

  async commit(entries: readonly JournalEntry[]): Promise<void> {
    this.beforeCommit(this.commits + 1);
    this.#rows.push(...entries.map((entry) => JSON.stringify(entry)));
    this.commits += 1;
    this.afterCommit(this.commits);
  }
}
