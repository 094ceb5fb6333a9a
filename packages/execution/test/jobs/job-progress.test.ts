import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { newRunState, rootLane } from '../../src/engine/run-state.ts';
import { takeSnapshot } from '../../src/engine/snapshot.ts';
import {
  checkWorkflow,
  createNodeRegistry,
  JobProgress,
  type JournalEntry,
  memoryJournal,
  progressShape,
  runWorkflow,
  systemClock,
  type Workflow,
} from '../../src/index.ts';

const registry = createNodeRegistry([]);

type Spec = readonly [id: string, type: string, config?: object];

/** `wires`: 'a.exit -> b'; without an exit it is exec_out. */
function workflowOf(nodes: readonly Spec[], wires: readonly string[]): Workflow {
  const text = JSON.stringify({
    metadata: { name: 'test' },
    nodes: Object.fromEntries(nodes.map(([id, type, config = {}]) => [id, { node_id: id, node_type: type, config }])),
    connections: wires.map((wire) => {
      const [from = '', to = ''] = wire.split(' -> ');
      const [source, port = 'exec_out'] = from.split('.');
      return { source_node: source, source_port: port, target_node: to, target_port: 'exec_in' };
    }),
  });
  const { workflow, findings } = checkWorkflow(text, registry);
  if (workflow === null) throw new Error(findings.map((finding) => finding.message).join('\n'));
  return workflow;
}

/** Runs a workflow and yields its progress after every commit. */
async function percentsOf(workflow: Workflow) {
  const progress = new JobProgress({ clock: new ManualClock() });
  progress.reportWorkflow(progressShape(workflow));
  const journal = memoryJournal();
  const percents: number[] = [];
  const entries: JournalEntry[] = [];
  await runWorkflow({
    jobId: 'job',
    workflow,
    registry,
    clock: systemClock,
    logger: { log: () => undefined },
    workDir: '/',
    inDoubtPolicy: 'fail',
    nodeTimeoutMs: 1_000,
    journal: {
      ...journal,
      load: () => journal.load(),
      commit: async (committed) => {
        await journal.commit(committed);
        entries.push(...structuredClone(committed));
        progress.apply(committed);
        percents.push(progress.snapshot().percent);
      },
    },
  });
  return { percents, entries, progress };
}

const loop = (end: number): readonly Spec[] => [
  ['start', 'StartNode'],
  ['each', 'ForLoopStartNode', { mode: 'range', start: 0, end }],
  ['one', 'CommentNode'],
  ['two', 'CommentNode'],
  ['end', 'EndNode'],
];
const loopWires = ['start -> each', 'each.body -> one', 'one -> two', 'each.completed -> end'];

describe('the percent of a job', () => {
  it('follows the turns of a loop instead of jumping with the first one', async () => {
    const { percents } = await percentsOf(workflowOf(loop(10), loopWires));
    const firstTurn = percents[5] ?? 100;
    expect(firstTurn).toBeLessThan(35);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    const half = percents[Math.floor(percents.length / 2)] ?? 0;
    expect(half).toBeGreaterThan(40);
    expect(half).toBeLessThan(65);
    expect(percents.at(-1)).toBe(99);
  });

  it('counts a turn of an inner loop as its part of the outer turn', async () => {
    const workflow = workflowOf(
      [
        ['start', 'StartNode'],
        ['outer', 'ForLoopStartNode', { mode: 'range', start: 0, end: 4 }],
        ['inner', 'ForLoopStartNode', { mode: 'range', start: 0, end: 5 }],
        ['work', 'CommentNode'],
      ],
      ['start -> outer', 'outer.body -> inner', 'inner.body -> work'],
    );
    const { percents } = await percentsOf(workflow);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(Math.max(...percents.slice(1).map((percent, index) => percent - (percents[index] ?? 0)))).toBeLessThan(30);
    expect(percents.at(-1)).toBe(99);
  });

  it('lets each turn of a loop of unknown length count for less than the one before', async () => {
    const workflow = workflowOf(
      [
        ['start', 'StartNode'],
        ['loop', 'WhileLoopStartNode', { expression: 'i < 6' }],
        ['more', 'IncrementVariableNode', { variable_name: 'i' }],
        ['end', 'EndNode'],
      ],
      ['start -> loop', 'loop.body -> more', 'loop.completed -> end'],
    );
    const { percents } = await percentsOf({ ...workflow, variables: { i: 0 } });
    const steps = percents.slice(1).map((percent, index) => percent - (percents[index] ?? 0));
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(Math.max(...steps)).toBeLessThanOrEqual(25);
    expect(percents.at(-1)).toBe(99);
  });

  it('is the same for a resumed run as for the one that was interrupted', async () => {
    const workflow = workflowOf(loop(4), loopWires);
    const { entries, percents } = await percentsOf(workflow);
    const middle = entries.slice(0, Math.floor(entries.length / 2));
    const resumed = new JobProgress({ clock: new ManualClock() });
    resumed.reportWorkflow(progressShape(workflow));
    resumed.replay(middle);
    resumed.replay(middle);
    expect(percents).toContain(resumed.snapshot().percent);
    resumed.apply(entries.slice(middle.length));
    expect(resumed.snapshot()).toMatchObject({ percent: 99, nodes_completed: 5, current_nodes: [] });
  });
});

it('the stages of a resumed job say when its run began and when it went on, not what the last process went through', async () => {
  const clock = new ManualClock();
  const begun = clock.now();
  const entries: JournalEntry[] = [{ kind: 'began', workflow_hash: '', variables: {}, at: begun }];
  const progress = new JobProgress({ clock });
  const enter = async (stage: 'starting' | 'loading_workflow' | 'completed') => {
    await clock.advance(1_000);
    progress.reportStage(stage);
  };
  await enter('starting');
  progress.replay([]);
  expect(Object.keys(progress.snapshot().stages)).toEqual(['queued', 'starting']);
  await enter('loading_workflow');
  progress.replay(entries);
  await enter('completed');
  const at = (seconds: number): string => new Date(begun + seconds * 1_000).toISOString();
  expect(progress.snapshot().stages).toEqual({ executing: at(0), resumed: at(2), completed: at(3) });
  // A long journal is read from its newest snapshot on.
  const state = newRunState([]);
  state.begunAt = begun;
  const later = new JobProgress({ clock });
  later.reportStage('starting');
  later.replay([{ kind: 'snapshot', state: takeSnapshot(state).state, at: clock.now() }]);
  expect(later.snapshot().stages).toEqual({ executing: at(0), resumed: at(3) });
  expect(progress.queueWaitMs).toBe(1_000);
});

it('a job that is only looked at, or ends while it waits, does not go on; the run that an answer brings does, once', async () => {
  const clock = new ManualClock();
  const begun = clock.now();
  const stored: JournalEntry[] = [];
  const commit = (progress: JobProgress, ...entries: JournalEntry[]): void => {
    const noted = progress.withCourse(entries);
    stored.push(...noted);
    progress.apply(noted);
  };
  const takenUp = (): JobProgress => {
    const progress = new JobProgress({ clock });
    progress.reportStage('starting');
    progress.reportStage('loading_workflow');
    progress.replay(stored);
    return progress;
  };
  const cancelled = (progress: JobProgress) => {
    progress.replay(stored);
    progress.reportStage('completing');
    progress.reportStage('cancelled');
    return progress.snapshot();
  };
  const waits = {
    kind: 'in_doubt',
    step: 1,
    node_id: 'n',
    attempt: 1,
    reason: '',
    at: begun,
  } as unknown as JournalEntry;
  const first = takenUp();
  commit(first, { kind: 'began', workflow_hash: '', variables: {}, at: begun }, waits);
  await clock.advance(1_000);
  const beginning = ['queued', 'starting', 'loading_workflow', 'executing'];
  for (const waiting of [first, new JobProgress({ clock })]) {
    waiting.replay(stored);
    expect(Object.keys(waiting.snapshot().stages)).toEqual(beginning);
    const end = cancelled(waiting);
    expect([Object.keys(end.stages), end.resumptions]).toEqual([[...beginning, 'completing', 'cancelled'], undefined]);
  }
  const answered = takenUp();
  expect(answered.snapshot()).toMatchObject({ resumptions: 1 });
  commit(answered, waits);
  await clock.advance(1_000);
  // What it notes of itself is not another time.
  const resumed = { resumptions: 1, resumed_at: [new Date(begun + 1_000).toISOString()] };
  expect(cancelled(answered)).toMatchObject(resumed);
  expect(cancelled(new JobProgress({ clock }))).toMatchObject(resumed);
});

it('the stages of a job keep their beginning over restarts, and each time it went on, in order and bounded', async () => {
  const clock = new ManualClock();
  const begun = clock.now();
  const at = (seconds: number): string => new Date(begun + seconds * 1_000).toISOString();
  const stored: JournalEntry[] = [];
  /** A process that keeps the journal, and commits so many entries before it dies. */
  const processOf = async (...entries: JournalEntry[]) => {
    const progress = new JobProgress({ clock });
    progress.reportStage('starting');
    progress.replay(stored);
    progress.reportStage('loading_workflow');
    for (const entry of entries) {
      const noted = progress.withCourse([entry]);
      stored.push(...noted);
      progress.apply(noted);
    }
    await clock.advance(1_000);
    return progress.snapshot();
  };
  const failed = (step: number): JournalEntry => {
    const error = { code: 'X', category: 'permanent', message: '', node_id: 'n' } as const;
    return { kind: 'failure', step, node_id: 'n', error, duration_ms: 1, retries: 0, at: clock.now() };
  };
  await processOf({ kind: 'began', workflow_hash: '', variables: {}, at: begun }, failed(1));
  await processOf();
  const beginning = { queued: at(0), starting: at(0), loading_workflow: at(0), executing: at(0) };
  const third = await processOf(failed(2), failed(3));
  // The second process recorded nothing, so the job had not gone on there.
  expect(third).toMatchObject({ stages: { ...beginning, resumed: at(2) }, resumed_at: [at(2)], resumptions: 1 });
  expect(Object.keys(third.stages)).toEqual([...Object.keys(beginning), 'resumed']);
  expect(stored.map(({ course }) => course !== undefined)).toEqual([true, false, true, false]);
  // What failed is executed to a snapshot, and has not completed.
  const state = newRunState([]);
  for (const node of ['n', 'done']) rootLane(state).executed.add(node);
  const snapshot = { kind: 'snapshot', state: takeSnapshot(state).state, at: clock.now() } as const;
  await processOf({ ...failed(4), kind: 'result', node_id: 'done' } as unknown as JournalEntry, snapshot);
  stored.splice(0, stored.length - 1);
  for (let turn = 0; turn < 12; turn += 1) await processOf(failed(5 + turn));
  const last = await processOf();
  expect(last).toMatchObject({ stages: { ...beginning, resumed: at(16) }, resumptions: 15, nodes_completed: 1 });
  expect(last.resumed_at).toEqual([2, 8, 9, 10, 11, 12, 13, 14, 15, 16].map(at));
});

describe('the current nodes of a job', () => {
  const intent = (step: number, nodeId: string): JournalEntry => ({
    kind: 'intent',
    step,
    node_id: nodeId,
    effect: 'pure',
    attempt: 1,
    idempotency_key: '',
    at: 0,
  });
  const result = (step: number, nodeId: string): JournalEntry => ({
    kind: 'result',
    step,
    node_id: nodeId,
    exit: 'exec_out',
    outputs: {},
    variables: {},
    duration_ms: 1,
    retries: 0,
    at: 0,
  });

  it('are all that run, the newest last, also when the same node runs side by side', () => {
    const progress = new JobProgress({ clock: new ManualClock(), totalNodes: 3 });
    progress.apply([intent(1, 'a'), intent(2, 'b'), intent(3, 'b')]);
    expect(progress.snapshot()).toMatchObject({ current_node: 'b', current_nodes: ['a', 'b', 'b'] });
    progress.apply([result(3, 'b'), result(2, 'b')]);
    expect(progress.snapshot()).toMatchObject({ current_node: 'a', current_nodes: ['a'], steps: 2 });
  });

  it('do not complete when an answer passes over them, which brings the run as far, also over a restart', () => {
    const nodes = { clock: new ManualClock(), totalNodes: 4 };
    const progress = new JobProgress(nodes);
    const skipped = { ...result(2, 'b'), settled: true, skipped: true } as JournalEntry;
    progress.apply([intent(1, 'a'), result(1, 'a'), intent(2, 'b'), skipped]);
    expect(progress.snapshot()).toMatchObject({ nodes_completed: 1, steps: 2, percent: 50, current_nodes: [] });
    const state = newRunState([]);
    for (const node of ['a', 'b']) rootLane(state).executed.add(node);
    state.skipped.add('b');
    const snapshot = { kind: 'snapshot', state: takeSnapshot(state).state, at: 0 } as const;
    const noted = new JobProgress(nodes).withCourse([result(1, 'a'), skipped, snapshot]);
    expect(noted.at(-1)).toMatchObject({ course: { completed: ['a'] } });
    for (const kept of [snapshot, ...noted.slice(-1)]) {
      const resumed = new JobProgress(nodes);
      resumed.replay([kept]);
      expect(resumed.snapshot()).toMatchObject({ nodes_completed: 1, percent: 50 });
    }
  });

  it('count a node once that was interrupted and runs again', () => {
    const progress = new JobProgress({ clock: new ManualClock(), totalNodes: 3 });
    progress.apply([intent(1, 'a')]);
    progress.apply([{ ...intent(1, 'a'), attempt: 2 } as JournalEntry]);
    expect(progress.snapshot().current_nodes).toEqual(['a']);
  });
});

describe('the stages of a job', () => {
  it('are all told with their time, also those that were over before a report was due', async () => {
    const clock = new ManualClock();
    const progress = new JobProgress({ clock, totalNodes: 1 });
    for (const stage of ['starting', 'loading_workflow'] as const) {
      await clock.advance(1_000);
      progress.reportStage(stage);
    }
    progress.reportNodeStart('a', 'LogNode');
    progress.reportNodeComplete('a', { success: true, durationMs: 1 });
    progress.reportStage('completing');
    progress.reportStage('completed');
    const { stage, stages, percent } = progress.snapshot();
    expect([stage, percent]).toEqual(['completed', 100]);
    expect(Object.keys(stages)).toEqual([
      'queued',
      'starting',
      'loading_workflow',
      'executing',
      'completing',
      'completed',
    ]);
    expect(Object.values(stages).toSorted()).toEqual(Object.values(stages));
  });
});
