import { describe, expect, it } from 'vitest';
import type { DoubtAnswer, DoubtDecision, DoubtQuestion } from '../../src/engine/doubt.ts';
import type { JournalEntry } from '../../src/engine/journal.ts';
import type { RunObserver, RunReport } from '../../src/engine/run-options.ts';
import { InProcessRunner } from '../../src/jobs/in-process-runner.ts';
import type { JobSpec } from '../../src/jobs/job-runner.ts';
import { createNodeRegistry } from '../../src/model/registry.ts';
import type { NodeType } from '../../src/node-contract.ts';
import {
  type FileSpec,
  type NodeSpec,
  type RunSetup,
  runFile,
  silentLogger,
  TestJournal,
  type TestRun,
  testNodes,
  World,
  workflowFile,
} from './harness.ts';

const mark = ['MarkNode'] as const;
const line: FileSpec = { nodes: { a: mark, b: mark, c: mark }, connect: ['a -> b -> c'] };

/** The process dies with the next commit that follows the intent of one of these nodes. */
function dieBehind(journal: TestJournal, ...nodes: readonly string[]): void {
  const from = journal.entries.length;
  journal.beforeCommit = () => {
    const open = new Set<string>();
    for (const entry of journal.entries.slice(from)) if (entry.kind === 'intent') open.add(entry.node_id);
    if (nodes.every((node) => open.has(node))) throw new Error('the process died');
  };
}

function live(journal: TestJournal): void {
  journal.beforeCommit = () => undefined;
}

/** A run of `spec` that waits for answers about `nodes`, and how to go on with it. */
async function waiting(spec: FileSpec, ...nodes: readonly string[]) {
  const world = new World();
  const journal = new TestJournal([], 4);
  const resume = (setup: RunSetup = {}): Promise<TestRun> =>
    runFile(spec, { world, journal, inDoubtPolicy: 'ask', ...setup });
  dieBehind(journal, ...nodes);
  await resume();
  live(journal);
  const asked = await resume();
  const questions = questionsOf(asked);
  return { world, journal, resume, asked, questions };
}

function questionsOf(run: RunReport): readonly DoubtQuestion[] {
  return run.end.status === 'in_doubt' ? run.end.nodes : [];
}

function answered(question: DoubtQuestion | undefined, answer: DoubtDecision): DoubtAnswer {
  if (question === undefined) throw new Error('nothing is asked');
  const { node_id, step, attempt } = question;
  return { node_id, step, attempt, answer, by: 'ann', at: '2026-01-01T00:00:00Z' };
}

const taken = (journal: TestJournal): readonly JournalEntry[] =>
  journal.entries.filter(({ kind }) => kind === 'answered');

describe('an operator answers about a node in doubt:', () => {
  it.each([
    ['retry', 'completed', ['a', 'b', 'b', 'c']],
    ['skip', 'completed', ['a', 'b', 'c']],
    ['fail', 'failed', ['a', 'b']],
  ] as const)('%s', async (answer, status, marks) => {
    const { world, journal, resume, asked, questions } = await waiting(line, 'b');
    expect(asked.skipped).toEqual(['c']);
    expect(questions).toEqual([
      { node_id: 'b', step: 2, attempt: 1, reason: expect.any(String), answers: ['retry', 'skip', 'fail'] },
    ]);
    const passedOver: unknown[] = [];
    const retries: unknown[] = [];
    const nodeFinished: RunObserver['nodeFinished'] = ({ node_id, skipped, retries: times }) => {
      if (skipped !== undefined) passedOver.push([node_id, skipped]);
      if (times > 0) retries.push([node_id, times]);
    };
    const run = await resume({ answers: [answered(questions[0], answer)], observer: { nodeFinished } });
    expect(retries).toEqual(answer === 'retry' ? [['b', 1]] : []);
    const isSkip = answer === 'skip';
    expect(passedOver).toEqual(isSkip ? [['b', "by an operator's answer"]] : []);
    if (isSkip) expect([run.end.nodes_executed, run.skipped, run.passedOver]).toEqual([2, ['b'], ['b']]);
    expect(run.end.status).toBe(status);
    expect(world.marks).toEqual(marks);
    expect(taken(journal)).toMatchObject([{ node_id: 'b', step: 2, attempt: 1, answer, by: 'ann' }]);
    if (answer === 'fail')
      expect(run.end).toMatchObject({ error: { code: 'IN_DOUBT', details: { answered_by: 'ann' } } });
  });

  it('fail goes to the try region around the node', async () => {
    const spec: FileSpec = {
      nodes: {
        try: ['TryNode', { paired_catch_id: 'catch' }],
        b: mark,
        catch: ['CatchNode'],
        handler: ['MarkNode', { mark: '{{error_type}}' }],
      },
      connect: ['try.try_body -> b', 'catch.catch_body -> handler'],
    };
    const { world, resume, questions } = await waiting(spec, 'b');
    const run = await resume({ answers: [answered(questions[0], 'fail')] });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['b', 'InDoubtError']);
  });

  describe('after skip, a node that needs what the skipped one did not give', () => {
    const skipThen = async (user: NodeSpec, more: Partial<FileSpec> = {}): Promise<TestRun> => {
      const spec: FileSpec = {
        ...more,
        nodes: { a: mark, b: ['MarkNode', { output_var: 'receipt' }], use: user, ...more.nodes },
        connect: ['a -> b -> use', ...(more.connect ?? [])],
      };
      const { journal, resume, questions } = await waiting(spec, 'b');
      const answers = [answered(questions[0], 'skip')];
      // Once more from the journal, so that it is known after a restart, too.
      dieBehind(journal, 'use');
      await resume({ answers });
      live(journal);
      return resume({ answers });
    };
    const failure = (reference: string) => ({
      status: 'failed',
      error: {
        code: 'OUTPUT_SKIPPED',
        node_id: 'use',
        error_type: 'OutputSkippedError',
        message: expect.stringContaining('the node "b" was skipped'),
        details: { reference, skipped_node: 'b' },
      },
    });

    it.each([
      ['a whole text', '{{b.mark}}', '{{b.mark}}'],
      ['a part of a text in a list', ['for {{ b.count }} times'], '{{b.count}}'],
      ['a path', '{{b.mark.id[0]}}', '{{b.mark.id[0]}}'],
      ['its variable', 'no. {{receipt.id}}', '{{receipt.id}}'],
      ['its variable in another style', 'no. ${receipt}', '{{receipt}}'],
    ])('fails by a reference: %s', async (_what, value, reference) => {
      const run = await skipThen(['MarkNode', { mark: value }]);
      expect(run.end).toMatchObject(failure(reference));
      expect(run.world.marks).toEqual(['a', 'b']);
    });

    it('fails by an expression, which is not taken as false', async () => {
      const run = await skipThen(['IfNode', { condition: 'b.count > 0' }]);
      expect(run.end).toMatchObject(failure('{{b.count}}'));
    });

    it('fails by a connection that brings nothing, and takes the value in the config for it', async () => {
      const connect = ['b.mark => use.value'];
      expect((await skipThen(['GiveNode'], { connect })).end).toMatchObject(
        failure('the output "mark" of the node "b"'),
      );
      const run = await skipThen(['GiveNode', { value: 'default' }], { connect });
      expect([run.end.status, run.outputs.use]).toEqual(['completed', { value: 'default' }]);
    });

    it('takes the default value of a variable, and leaves what nobody would have given as it is written', async () => {
      const run = await skipThen(['GiveNode', { value: '{{receipt}} {{nothing.here}}' }], {
        variables: { receipt: { type: 'String', default_value: 'none' } },
      });
      expect(run.outputs.use).toEqual({ value: 'none {{nothing.here}}' });
      expect(run.lines).toEqual([expect.stringContaining('Nothing has set "nothing.here"')]);
    });

    it('goes to the try region around it', async () => {
      const run = await skipThen(['TryNode', { paired_catch_id: 'catch' }], {
        nodes: {
          type: ['MarkNode', { mark: '{{b.mark}}' }],
          catch: ['CatchNode'],
          handler: ['MarkNode', { mark: '{{error_type}}' }],
        },
        connect: ['use.try_body -> type', 'catch.catch_body -> handler'],
      });
      expect([run.end.status, run.world.marks]).toEqual(['completed', ['a', 'b', 'OutputSkippedError']]);
    });

    it('fails behind the join of the branch in which it was skipped', async () => {
      const spec: FileSpec = {
        nodes: {
          fork: ['ForkNode', { branch_count: 2, paired_join_id: 'join' }],
          one: mark,
          two: mark,
          join: ['JoinNode', { paired_fork_id: 'fork' }],
          use: ['MarkNode', { mark: '{{two.mark}} {{one.mark}}' }],
        },
        connect: ['fork.branch_1 -> one -> join', 'fork.branch_2 -> two -> join', 'join -> use'],
      };
      const { resume, questions } = await waiting(spec, 'one');
      const one = questions.find(({ node_id: id }) => id === 'one');
      const run = await resume({
        answers: [
          answered(one, 'skip'),
          ...questions.filter((other) => other !== one).map((q) => answered(q, 'retry')),
        ],
      });
      expect(run.end).toMatchObject({ error: { code: 'OUTPUT_SKIPPED', details: { skipped_node: 'one' } } });
    });
  });

  it('an answer to another question, or to one that is settled, is ignored', async () => {
    const { world, resume, questions } = await waiting(line, 'b');
    const [question] = questions;
    const others = [
      { ...answered(question, 'skip'), step: 1 },
      { ...answered(question, 'skip'), node_id: 'c' },
      { ...answered(question, 'skip'), attempt: 2 },
      answered(question, 'restart'),
    ];
    expect((await resume({ answers: others })).end.status).toBe('in_doubt');
    expect(world.marks).toEqual(['a', 'b']);
  });

  it('the newest answer counts', async () => {
    const { resume, questions } = await waiting(line, 'b');
    const run = await resume({ answers: [answered(questions[0], 'fail'), answered(questions[0], 'skip')] });
    expect(run.end.status).toBe('completed');
  });

  it('a retry that is interrupted itself is asked about anew, and the old answer is not applied again', async () => {
    const { world, journal, resume, questions } = await waiting(line, 'b');
    const answers = [answered(questions[0], 'retry')];
    dieBehind(journal, 'b');
    await resume({ answers });
    live(journal);
    expect(world.marks).toEqual(['a', 'b', 'b']);
    const anew = questionsOf(await resume({ answers }));
    expect(anew).toMatchObject([{ node_id: 'b', step: 2, attempt: 2 }]);
    expect(questionsOf(await resume({ answers }))).toEqual(anew);
    expect(world.marks).toEqual(['a', 'b', 'b']);
    const run = await resume({ answers: [...answers, answered(anew[0], 'skip')] });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b', 'b', 'c']);
  });

  it.each(['retry', 'skip', 'fail'] as const)(
    '%s has its effect once, wherever the process dies meanwhile',
    async (answer) => {
      for (let dead = 0; ; dead += 1) {
        const { world, journal, resume, questions } = await waiting(line, 'b');
        const answers = [answered(questions[0], answer)];
        const first = journal.commits;
        journal.beforeCommit = (commit) => {
          if (commit - first > dead) throw new Error('the process died');
        };
        const end = (await resume({ answers })).end.status;
        if (end !== 'suspended') break;
        live(journal);
        const again = await resume({ answers });
        const asked = questionsOf(again);
        const repeats = world.marks.filter((mark) => mark === 'b').length;
        expect(repeats).toBeLessThanOrEqual(answer === 'retry' ? 2 : 1);
        // Whatever began under the answer and was cut off is in doubt by name; nothing is done by the old answer.
        if (asked.length > 0) expect(asked[0]).toMatchObject({ attempt: asked[0]?.node_id === 'b' ? 2 : 1 });
        expect(taken(journal).length).toBeLessThanOrEqual(1);
      }
    },
  );

  it('an answer that was recorded before its node got any further is not asked for again', async () => {
    const { world, journal, resume, questions } = await waiting(line, 'b');
    const { node_id, step, attempt, answer, by, at } = answered(questions[0], 'skip');
    await journal.commit([
      { kind: 'answered', node_id, step: step ?? 0, attempt: attempt ?? 0, answer, by, given_at: at, at: 0 },
    ]);
    expect((await resume()).end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b', 'c']);
    expect(taken(journal)).toHaveLength(1);
  });
});

describe('several questions', () => {
  const fork: FileSpec = {
    nodes: {
      fork: ['ForkNode', { branch_count: 2, paired_join_id: 'join' }],
      one: mark,
      two: mark,
      join: ['JoinNode', { paired_fork_id: 'fork' }],
      after: mark,
    },
    connect: ['fork.branch_1 -> one -> join', 'fork.branch_2 -> two -> join -> after'],
  };

  it('are answered one at a time: the run goes on as far as it can and keeps asking the others', async () => {
    const { world, journal, resume, questions } = await waiting(fork, 'one', 'two');
    expect(questions).toMatchObject([
      { node_id: 'one', place: 'branch 1 of fork' },
      { node_id: 'two', place: 'branch 2 of fork' },
    ]);
    const first = await resume({ answers: [answered(questions[1], 'retry')] });
    expect(questionsOf(first)).toEqual([questions[0]]);
    expect(world.marks).toEqual(['one', 'two', 'two']);
    // The first answer comes again, as it does until the server knows that it was taken.
    const run = await resume({ answers: [answered(questions[1], 'retry'), answered(questions[0], 'skip')] });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['one', 'two', 'two', 'after']);
    expect(taken(journal)).toMatchObject([{ place: 'branch 2 of fork' }, { place: 'branch 1 of fork' }]);
  });

  it('about one node are told apart by the item', async () => {
    const each: FileSpec = {
      nodes: {
        each: ['ParallelForEachNode', { items: ['x', 'y'], batch_size: 2 }],
        m: ['MarkNode', { mark: '{{item}}' }],
      },
      connect: ['each.body -> m'],
    };
    const world = new World();
    const journal = new TestJournal();
    journal.beforeCommit = () => {
      if (world.marks.length === 2) throw new Error('the process died');
    };
    await runFile(each, { world, journal });
    live(journal);
    const asked = questionsOf(await runFile(each, { world, journal, inDoubtPolicy: 'ask' }));
    expect(asked.map(({ node_id, place }) => `${node_id}: ${place}`)).toEqual([
      'm: item 1 of each',
      'm: item 2 of each',
    ]);
    const answers = [answered(asked[0], 'skip'), answered(asked[1], 'retry')];
    const run = await runFile(each, { world, journal, inDoubtPolicy: 'ask', answers });
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['x', 'y', 'y']);
  });

  it('are not asked any more in branches that another one has stopped', async () => {
    const failing: FileSpec = {
      nodes: { ...fork.nodes, fork: ['ForkNode', { branch_count: 2, paired_join_id: 'join', fail_fast: true }] },
      connect: fork.connect ?? [],
    };
    const { world, resume, questions } = await waiting(failing, 'one', 'two');
    const run = await resume({ answers: [answered(questions[1], 'fail')] });
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'IN_DOUBT', node_id: 'two' } });
    expect(world.marks).toEqual(['one', 'two']);
  });
});

describe('a run with another node library than it began with', () => {
  async function upgraded() {
    const world = new World();
    const journal = new TestJournal();
    dieBehind(journal, 'b');
    await runFile(line, { world, journal, library: 'nodes@1' });
    live(journal);
    const resume = (library: string, answers: readonly DoubtAnswer[] = []): Promise<TestRun> =>
      runFile(line, { world, journal, library, answers, inDoubtPolicy: 'ask' });
    return { world, journal, resume, questions: questionsOf(await resume('nodes@2')) };
  }

  it('goes on with it when an operator says so; the node that was interrupted is settled by itself', async () => {
    const { world, resume, questions } = await upgraded();
    expect(questions).toMatchObject([{ node_id: null, attempt: 1, answers: ['retry', 'restart', 'fail'] }]);
    const node = questionsOf(await resume('nodes@2', [answered(questions[0], 'retry')]));
    expect(node).toMatchObject([{ node_id: 'b' }]);
    // With yet another library the old answer counts no more.
    const again = questionsOf(await resume('nodes@3', [answered(questions[0], 'retry')]));
    expect(again).toMatchObject([{ node_id: null, attempt: 2 }]);
    const run = await resume('nodes@3', [answered(again[0], 'retry'), answered(node[0], 'skip')]);
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b', 'c']);
  });

  it('asks nothing about it any more when the library is as it was, and settles the node that was interrupted', async () => {
    const { world, journal, resume } = await upgraded();
    const node = questionsOf(await resume('nodes@1'));
    expect(node).toMatchObject([{ node_id: 'b' }]);
    expect(taken(journal)).toMatchObject([{ node_id: null, answer: 'retry', by: expect.stringContaining('robot') }]);
    const run = await resume('nodes@1', [answered(node[0], 'skip')]);
    expect(run.end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b', 'c']);
  });

  it('waits for the nodes that its workflow needs, and does not fail for the want of them', async () => {
    const { world, journal, resume } = await upgraded();
    const workflowJson = JSON.stringify(workflowFile(line));
    const spec = { jobId: 'job-1', name: 'line', workflowJson, variables: {}, priority: 0 };
    const job: JobSpec = { ...spec, inDoubtPolicy: null, timeoutMs: null };
    const runWith = (nodes: readonly NodeType[], library: string) =>
      new InProcessRunner({
        registry: createNodeRegistry(nodes),
        journalFor: () => journal,
        workDirFor: async () => '/',
        inDoubtPolicy: 'ask',
        library,
        logger: silentLogger,
      }).run(job, new AbortController().signal);
    const refused = await runWith([], 'none');
    expect(questionsOf(refused)).toMatchObject([
      { node_id: null, reason: expect.stringContaining('MarkNode'), answers: ['restart', 'fail'] },
    ]);
    const count = journal.entries.length;
    expect(questionsOf(await runWith([], 'none'))).toEqual(questionsOf(refused));
    expect(journal.entries).toHaveLength(count);
    const node = questionsOf(await runWith(testNodes(world), 'nodes@1'));
    expect((await resume('nodes@1', [answered(node[0], 'skip')])).end.status).toBe('completed');
    expect(world.marks).toEqual(['a', 'b', 'c']);
  });

  it('ends when an operator says so', async () => {
    const { journal, resume, questions } = await upgraded();
    const run = await resume('nodes@2', [answered(questions[0], 'fail')]);
    expect(run.end).toMatchObject({ status: 'failed', error: { code: 'WORKFLOW_CHANGED' } });
    expect(taken(journal)).toMatchObject([{ node_id: null, answer: 'fail', by: 'ann' }]);
    expect((await resume('nodes@2')).end).toEqual(run.end);
  });
});
