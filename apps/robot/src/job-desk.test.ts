import type { ClaimedJob, DoubtAnswer, JournalEntry, RunEnd } from '@casare/execution';
import { describe, expect, it } from 'vitest';
import { claim, completed, deskWith, shapedWorkflow, statistics, stored } from '../test/support/desk.ts';

const cancelled = (jobId: string) => (asked: string) =>
  asked === jobId
    ? { outcome: 'cancelled' as const, cancelReason: 'wrong month', cancelRequestedBy: 'ann' }
    : { outcome: 'ok' as const };

const cancelledByAnn = ['a', 'cancelled', expect.objectContaining({ message: 'wrong month', requested_by: 'ann' })];

describe('a cancel', () => {
  it('that came before the claim was heard of ends the job before it starts', async () => {
    const { desk, started, statuses, server, locker } = await deskWith();
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 1_000);
    server.answer = cancelled('a');
    await desk.admit(claim('a', { cancelRequested: true }));
    expect([started, statuses]).toEqual([[], [cancelledByAnn]]);
  });

  it('reaches a job that waits in the queue, and one that runs', async () => {
    const { clock, desk, executor, locker, statuses, told, server } = await deskWith({ limit: 1 });
    for (const jobId of ['a', 'b']) {
      locker.adopt({ jobId, leaseToken: '7' }, 300_000);
      await desk.admit(claim(jobId));
    }
    server.answer = () => ({ outcome: 'cancelled', cancelReason: 'all of them', cancelRequestedBy: 'ann' });
    await clock.advance(1_000);
    expect(statuses.map(([jobId, status]) => [jobId, status]).toSorted()).toEqual([
      ['a', 'cancelled'],
      ['b', 'cancelled'],
    ]);
    expect(told.filter((line) => line.startsWith('cancel ')).toSorted()).toEqual([
      'cancel a by ann: all of them',
      'cancel b by ann: all of them',
    ]);
    expect(executor.getStatus()).toMatchObject({ runningCount: 0, queuedCount: 0 });
  });

  it('during an outage takes effect when the server is back', async () => {
    const { clock, desk, locker, statuses, server, checker } = await deskWith();
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    await desk.admit(claim('a'));
    server.answer = cancelled('a');
    server.isDown = true;
    await clock.advance(60_000);
    expect(statuses).toEqual([]);
    server.isDown = false;
    await checker.checkNow();
    await clock.advance(0);
    expect(statuses).toEqual([cancelledByAnn]);
  });

  it('of a job in doubt ends it, once', async () => {
    const { clock, desk, statuses, server } = await deskWith({
      unfinished: [stored('a', { state: 'in_doubt' })],
      recorded: [{ kind: 'in_doubt', step: 1, node_id: 'n1', attempt: 1, reason: 'why', answers: ['fail'], at: 0 }],
    });
    await desk.recover();
    expect(desk.inDoubt).toEqual(['a']);
    server.answer = cancelled('a');
    await clock.advance(5_000);
    expect([statuses, desk.inDoubt]).toEqual([[cancelledByAnn], []]);
  });

  it('of a job in doubt tells what its run had done by then', async () => {
    const times = { duration_ms: 40, retries: 0 };
    const { clock, desk, sent, server } = await deskWith({
      unfinished: [stored('a', { state: 'in_doubt', workflowJson: shapedWorkflow })],
      recorded: [
        { kind: 'began', workflow_hash: '', variables: {}, at: 0 },
        { kind: 'result', step: 1, node_id: 'n1', exit: null, outputs: {}, variables: {}, ...times, at: 40 },
        {
          kind: 'failure',
          step: 2,
          node_id: 'n2',
          error: { code: 'X', category: 'permanent', message: '', node_id: 'n2' },
          ...times,
          at: 90,
        },
        { kind: 'intent', step: 3, node_id: 'n3', effect: 'effect', attempt: 1, idempotency_key: '', at: 90 },
        { kind: 'in_doubt', step: 3, node_id: 'n3', attempt: 1, reason: 'why', answers: ['fail'], at: 100 },
      ],
    });
    await desk.recover();
    server.answer = cancelled('a');
    await clock.advance(5_000);
    const end = sent.find(({ kind }) => kind === 'complete')?.payload;
    expect(end).toMatchObject({
      status: 'cancelled',
      result: { duration_ms: 80, nodes_total: 4, nodes_executed: 2, nodes_skipped: 2 },
      error: { may_have_happened: [{ node_id: 'n3', step: 3, attempt: 1 }] },
    });
  });

  it('that meets the end of the run loses to it', async () => {
    const { clock, desk, locker, runs, statuses, server, checker } = await deskWith();
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    await desk.admit(claim('a'));
    server.answer = cancelled('a');
    runs.get('a')?.end(completed);
    await checker.checkNow();
    await clock.advance(5_000);
    expect(statuses.map(([, status]) => status)).toEqual(['completed']);
  });

  it.each(Array.from({ length: 12 }, (_unused, turns) => turns))(
    'that meets a run on its way into doubt ends the job, once (%i turns later)',
    async (turns) => {
      const { clock, desk, locker, runs, statuses, server, checker } = await deskWith();
      locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
      await desk.admit(claim('a'));
      await clock.advance(0);
      server.answer = cancelled('a');
      const checked = checker.checkNow();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      runs.get('a')?.end({ status: 'in_doubt', nodes: [], ...statistics });
      await checked;
      await clock.advance(5_000);
      expect(statuses.map(([, status]) => status)).toEqual(['cancelled']);
    },
  );

  it('reaches a job that waits for the disk', async () => {
    const { clock, desk, locker, runs, statuses, server, disk } = await deskWith();
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    await desk.admit(claim('a'));
    disk.isFull = true;
    runs.get('a')?.end({ status: 'suspended', cause: 'journal', reason: 'full', ...statistics });
    await clock.advance(0);
    expect(desk.freeSlots).toBe(1);
    disk.isFull = false;
    server.answer = cancelled('a');
    await clock.advance(2_000);
    expect(statuses).toEqual([cancelledByAnn]);
    expect(desk.freeSlots).toBe(1);
    desk.toldServer({ jobId: 'a', leaseToken: '7' });
    expect(desk.freeSlots).toBe(2);
  });
});

it('a claim keeps its lease while a slow disk stores it, and is given up when the lease is lost meanwhile', async () => {
  for (const outcome of ['ok', 'stale'] as const) {
    const { clock, desk, locker, runs, server, disk, told } = await deskWith();
    let stored = (): void => undefined;
    disk.add = new Promise((resolve) => {
      stored = resolve;
    });
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    server.answer = () => ({ outcome });
    const admitted = desk.admit(claim('a', { onLost: 'restart' }));
    await clock.advance(20_000);
    expect(locker.remainingMs('a')).toBe(outcome === 'ok' ? 300_000 : null);
    stored();
    await admitted;
    expect([runs.size, told]).toEqual(outcome === 'ok' ? [1, []] : [0, ['lost a', 'superseded a']]);
  }
});

it('a job has snapshots in its journal, so that a resume need not fold all of it', async () => {
  const { desk } = await deskWith();
  await desk.admit(claim('a'));
  expect(desk.journalFor({ ...stored('a'), priority: 0 }).snapshotEveryEntries).toBe(1_000);
});

it('a restart of the robot lets no lease go of a job whose end is still to be told', async () => {
  const untold = [
    { jobId: 'a', leaseToken: '7', leaseRemainingMs: 0 },
    { jobId: 'b', leaseToken: '6', leaseRemainingMs: 0 },
  ];
  const { clock, desk, locker } = await deskWith({ untold, unfinished: [stored('b', { leaseToken: '9' })], limit: 3 });
  await desk.recover();
  await clock.advance(400_000);
  expect(locker.held).toMatchObject([
    { jobId: 'b', leaseToken: '9' },
    { jobId: 'a', leaseToken: '7' },
  ]);
  expect([locker.remainingMs('a'), desk.freeSlots]).toEqual([300_000, 1]);
  desk.toldServer({ jobId: 'a', leaseToken: '7' });
  expect([locker.remainingMs('a'), desk.freeSlots]).toEqual([null, 2]);
});

it('a job that is over keeps its lease until the server knows: nobody else may begin it while that takes its time', async () => {
  const { clock, desk, locker, runs, server } = await deskWith();
  locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
  await desk.admit(claim('a', { onLost: 'restart' }));
  await clock.advance(0);
  runs.get('a')?.end(completed);
  await clock.advance(400_000);
  expect([runs.size, locker.remainingMs('a')]).toEqual([0, 300_000]);
  // Another claim of the job is no business of this one's end.
  desk.toldServer({ jobId: 'a', leaseToken: '6' });
  expect(locker.remainingMs('a')).toBe(300_000);
  desk.toldServer({ jobId: 'a', leaseToken: '7' });
  expect(locker.held).toEqual([]);
  server.answer = () => expect.fail('nothing is left to ask about');
  await clock.advance(10_000);
});

describe('a restart job whose lease cannot be renewed', () => {
  const intent = (step: number): JournalEntry => ({
    kind: 'intent',
    step,
    node_id: `n${step}`,
    effect: 'effect',
    attempt: 1,
    idempotency_key: 'k',
    at: 0,
  });
  const result = (step: number): JournalEntry => ({
    kind: 'result',
    step,
    node_id: `n${step}`,
    exit: null,
    outputs: {},
    variables: {},
    duration_ms: 1,
    retries: 0,
    at: 0,
  });

  async function running(onLost: ClaimedJob['onLost']) {
    const setup = await deskWith();
    setup.locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    await setup.desk.admit(claim('a', { onLost }));
    await setup.clock.advance(0);
    const run = setup.runs.get('a');
    if (run === undefined) throw new Error('the job runs');
    await run.commit(intent(1));
    setup.server.isDown = true;
    return { ...setup, run };
  }

  it('begins no node within the margin, but records what is done, and goes on once the server confirms', async () => {
    const { clock, run, runs, server, kinds, desk, told } = await running('restart');
    await clock.advance(289_000);
    await run.commit(result(1), intent(2));
    await clock.advance(1_000);
    await expect(run.commit(result(2), intent(3))).rejects.toThrow('lease of the job ends');
    expect(kinds('a')).toEqual(['intent', 'result', 'intent', 'result']);
    await desk.guardDeadlines();
    await clock.advance(60_000);
    expect([runs.size, desk.freeSlots, told]).toEqual([0, 1, ['ended a: suspended']]);
    server.isDown = false;
    await clock.advance(1_000);
    expect(runs.size).toBe(1);
  });

  it('is stopped when the margin begins, a node that is under way within half of it', async () => {
    const { clock, desk, runs, run } = await running('restart');
    await clock.advance(289_999);
    await desk.guardDeadlines();
    expect(runs.size).toBe(1);
    await clock.advance(1);
    await desk.guardDeadlines();
    await clock.advance(0);
    expect(run.signal.reason).toMatchObject({ kind: 'suspend', withinMs: 5_000 });
    expect(runs.size).toBe(0);
  });

  it('is given up when the server says that another robot has it, which is told what was under way', async () => {
    const { clock, desk, runs, server, told, sent } = await running('restart');
    await clock.advance(295_000);
    await desk.guardDeadlines();
    server.isDown = false;
    server.answer = () => ({ outcome: 'stale' });
    await clock.advance(1_000);
    expect([runs.size, told]).toEqual([0, ['ended a: suspended', 'lost a', 'superseded a']]);
    expect(sent).toMatchObject([{ payload: { kind: 'node_in_doubt', node_id: 'n1', payload: { step: 1 } } }]);
  });

  it('that is lost records what its node has done, begins no other one, and is not resumed after a restart', async () => {
    const { clock, desk, runs, run, server, told, kinds } = await running('hold');
    server.isDown = false;
    server.answer = () => ({ outcome: 'stale' });
    run.ignoresStop();
    await clock.advance(1_000);
    expect(told).toEqual(['lost a', 'noted as lost a']);
    expect(run.signal.reason).toMatchObject({ kind: 'suspend', withinMs: 10_000 });
    await expect(run.commit(result(1), intent(2))).rejects.toThrow('lease of the job');
    expect(kinds('a')).toEqual(['intent', 'result']);
    runs.get('a')?.end({ status: 'suspended', cause: 'journal', reason: 'lost', ...statistics });
    await clock.advance(0);
    expect([told, desk.has(claim('a'))]).toEqual([
      ['lost a', 'noted as lost a', 'ended a: suspended', 'superseded a'],
      false,
    ]);
  });

  it('on hold goes on however long that takes', async () => {
    const { clock, desk, run, runs } = await running('hold');
    await clock.advance(3_600_000);
    await desk.guardDeadlines();
    await run.commit(result(1), intent(2));
    expect(runs.size).toBe(1);
  });
});

describe('a restart job of an earlier process whose lease may have passed on', () => {
  const unfinished = [stored('a', { onLost: 'restart', leaseRemainingMs: 0 })];

  it('holds a place until the server says that the lease stands, and then goes on', async () => {
    const { clock, desk, runs, server } = await deskWith({ unfinished });
    server.isDown = true;
    await desk.recover();
    await clock.advance(30_000);
    await desk.guardDeadlines();
    expect([runs.size, desk.freeSlots]).toEqual([0, 1]);
    server.isDown = false;
    await clock.advance(1_000);
    expect([runs.size, desk.freeSlots]).toEqual([1, 1]);
  });

  it('is given up when another claim holds it, and stopped as cancelled when that was asked meanwhile', async () => {
    const stale = await deskWith({ unfinished });
    stale.server.answer = () => ({ outcome: 'stale' });
    await stale.desk.recover();
    await stale.clock.advance(0);
    expect([stale.runs.size, stale.told]).toEqual([0, ['lost a', 'superseded a']]);
    const asked = await deskWith({ unfinished });
    asked.server.answer = cancelled('a');
    await asked.desk.recover();
    await asked.clock.advance(1_000);
    expect(asked.statuses).toEqual([cancelledByAnn]);
  });
});

describe('a job that the executor refuses', () => {
  it('goes back to the server when it has not begun, and waits here when it has', async () => {
    const { clock, desk, locker, runs, told } = await deskWith({
      limit: 1,
      maxQueuedJobs: 0,
      unfinished: [stored('first'), stored('second')],
    });
    await desk.recover();
    locker.adopt({ jobId: 'new', leaseToken: '7' }, 300_000);
    await desk.admit(claim('new'));
    expect(told).toEqual(['released new: its robot has no place: queue-full']);
    expect([...runs.keys()]).toEqual(['first']);
    runs.get('first')?.end(completed);
    await clock.advance(10_000);
    expect([...runs.keys()]).toEqual(['second']);
  });

  it('is not mixed up with a new claim of the same job while its old run is ending', async () => {
    const { clock, desk, locker, runs, server } = await deskWith();
    locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
    await desk.admit(claim('a'));
    await expect(desk.admit(claim('a', { leaseToken: '8' }))).rejects.toMatchObject({ code: 'STILL_ENDING' });
    await desk.admit(claim('a'));
    server.answer = () => ({ outcome: 'stale' });
    await clock.advance(1_000);
    expect(runs.size).toBe(0);
    // The answer to a question about the old claim may come late.
    server.answer = () => ({ outcome: 'stale', leaseToken: '7' });
    locker.adopt({ jobId: 'a', leaseToken: '8' }, 300_000);
    await desk.admit(claim('a', { leaseToken: '8' }));
    await clock.advance(2_000);
    expect(runs.size).toBe(1);
  });
});

describe('a job of an earlier process', () => {
  const unfinished = [stored('a', { own: { lastSeq: 3, recorded: 5 } })];

  it('waits for what the server knows, and nothing is sent before that; then it goes on', async () => {
    const { desk, clock, started, server } = await deskWith({ unfinished, withoutServer: () => 'wait' });
    server.isDown = true;
    await desk.recover();
    await clock.advance(1_000);
    expect([started, desk.isServerHeard]).toEqual([[], false]);
    server.isDown = false;
    server.answer = () => ({ known: { lastSeq: 3, recorded: 5 } });
    await clock.advance(1_000);
    expect([started, desk.isServerHeard]).toEqual([['a'], true]);
  });

  it('keeps nothing from being sent once the server has said that its lease is lost, however long its node takes', async () => {
    const { desk, clock, runs, server } = await deskWith({ unfinished, withoutServer: () => 'go' });
    server.isDown = true;
    await desk.recover();
    await clock.advance(100);
    runs.get('a')?.ignoresStop();
    server.isDown = false;
    server.answer = () => ({ outcome: 'stale' });
    await clock.advance(1_000);
    expect([desk.has(claim('a')), desk.isServerHeard]).toEqual([true, true]);
  });

  it('does not wait for a server that is away, or hangs', async () => {
    for (const [without, waitMs] of [
      ['go', 100],
      ['wait', 11_000],
    ] as const) {
      const { desk, clock, started, server } = await deskWith({ unfinished, withoutServer: () => without });
      server.isDown = true;
      await desk.recover();
      await clock.advance(waitMs);
      expect([started, desk.isServerHeard]).toEqual([['a'], false]);
    }
  });

  it.each([
    ['events', { lastSeq: 4, recorded: 5 }],
    ['entries', { lastSeq: 3, recorded: 6 }],
  ])('of which the server knows more %s is in doubt as a whole, also when it runs already', async (_what, known) => {
    for (const without of ['wait', 'go'] as const) {
      const { desk, clock, started, server, told, sent, locker } = await deskWith({
        unfinished,
        withoutServer: () => without,
      });
      server.answer = () => ({ known });
      server.isDown = without === 'go';
      await desk.recover();
      await clock.advance(200);
      server.isDown = false;
      await clock.advance(1_000);
      await expect.poll(() => desk.inDoubt).toEqual(['a']);
      expect(started).toEqual(without === 'go' ? ['a'] : []);
      expect(told).toContainEqual(expect.stringContaining('steps lost a: the server '));
      expect(sent).toMatchObject([{ kind: 'in_doubt', payload: { nodes: [{ node_id: null }] } }]);
      expect(locker.held).toHaveLength(1);
    }
  });

  it('of a home that was moved stays until the server was heard, and is in doubt when another one may have it', async () => {
    for (const isKnownBefore of [false, true]) {
      const withoutServer = () => (isKnownBefore ? 'go' : 'stay');
      const { desk, clock, started, server, told } = await deskWith({ unfinished, withoutServer });
      const distrust = { why: 'it was elsewhere', upToToken: '7' };
      if (isKnownBefore) desk.distrust(distrust);
      server.isDown = true;
      await desk.recover();
      await clock.advance(60_000);
      expect(started).toEqual([]);
      server.isDown = false;
      server.answer = () => ({ known: { lastSeq: 3, recorded: 5 } });
      if (!isKnownBefore) desk.distrust(distrust);
      await clock.advance(1_000);
      expect([started, desk.inDoubt, told]).toEqual([
        [],
        ['a'],
        ['steps lost a: it was elsewhere', 'ended a: in_doubt'],
      ]);
    }
  });

  it('goes on when it was claimed since its home was where another one may work', async () => {
    const { desk, clock, started, server } = await deskWith({ unfinished, withoutServer: () => 'go' });
    desk.distrust({ why: 'it was elsewhere', upToToken: '6' });
    server.isDown = true;
    await desk.recover();
    await clock.advance(200);
    expect(started).toEqual(['a']);
  });

  it('that has ended on the server is left alone', async () => {
    const { desk, clock, started, server, told } = await deskWith({ unfinished, withoutServer: () => 'wait' });
    server.answer = () => ({ known: 'ended' });
    await desk.recover();
    await clock.advance(1_000);
    expect([started, told, desk.inDoubt]).toEqual([[], ['lost a', 'superseded a'], []]);
  });
});

it('a claim under which more was done than is here does not begin', async () => {
  const { desk, clock, started, told, locker } = await deskWith();
  locker.adopt({ jobId: 'a', leaseToken: '7' }, 300_000);
  await desk.admit(claim('a', { known: { lastSeq: 1, recorded: 0 } }));
  await clock.advance(1_000);
  expect([desk.inDoubt, started]).toEqual([['a'], []]);
  expect(told).toContainEqual(expect.stringContaining('steps lost a'));
});

describe('an answer to a job in doubt', () => {
  const intent = (attempt: number): JournalEntry => ({
    kind: 'intent',
    step: 4,
    node_id: 'pay',
    effect: 'effect',
    attempt,
    idempotency_key: 'k',
    at: 0,
  });
  const asked = (attempt: number): JournalEntry => ({
    kind: 'in_doubt',
    step: 4,
    node_id: 'pay',
    attempt,
    reason: 'nobody can tell',
    answers: ['retry', 'skip', 'fail'],
    at: 0,
  });
  const retry = (attempt = 1): DoubtAnswer => ({
    node_id: 'pay',
    step: 4,
    attempt,
    answer: 'retry',
    by: 'ann',
    at: `2026-01-01T00:00:0${attempt}Z`,
  });
  const taken: JournalEntry = {
    kind: 'answered',
    step: 4,
    node_id: 'pay',
    attempt: 1,
    answer: 'retry',
    by: 'ann',
    given_at: retry().at,
    at: 0,
  };
  const waiting = { unfinished: [stored('a', { state: 'in_doubt' })], recorded: [intent(1), asked(1)] };
  const inDoubt: RunEnd = { status: 'in_doubt', nodes: [], ...statistics };

  it('takes the job up with it, once, however often it comes', async () => {
    const { clock, desk, runs, server, given, told, sent } = await deskWith(waiting);
    await desk.recover();
    sent.length = 0;
    server.answer = () => ({ answers: [retry()] });
    await clock.advance(3_000);
    expect([given, desk.inDoubt]).toEqual([[[retry()]], []]);
    await runs.get('a')?.commit(taken, intent(2));
    expect(told).toEqual(['answered a: retry by ann']);
    // The server hears that nothing is asked any more.
    expect(sent.map(({ kind, payload }) => [kind, payload.kind ?? payload.nodes])).toEqual([
      ['event', 'doubt_answered'],
      ['in_doubt', []],
    ]);
    // The retry itself is interrupted: a new question, which the old answer does not answer.
    await runs.get('a')?.commit(asked(2));
    runs.get('a')?.end(inDoubt);
    await clock.advance(5_000);
    expect([given.length, desk.inDoubt]).toEqual([1, ['a']]);
    server.answer = () => ({ answers: [retry(2)] });
    await clock.advance(1_000);
    expect(given[1]).toEqual([retry(2)]);
  });

  it('takes no place that a claim has asked for: the claimed job stays, and the answered one is next', async () => {
    const claimed = Promise.withResolvers<void>();
    let underWay: Promise<void> | null = claimed.promise;
    const { clock, desk, runs, server, started } = await deskWith({
      ...waiting,
      limit: 1,
      claimUnderWay: () => underWay,
    });
    await desk.recover();
    expect(desk.freeSlots).toBe(1);
    server.answer = (jobId) => (jobId === 'a' ? { answers: [retry()] } : {});
    await clock.advance(3_000);
    expect([desk.freeSlots, desk.inDoubt]).toEqual([1, ['a']]);
    await desk.admit(claim('b'));
    underWay = null;
    claimed.resolve();
    await clock.advance(0);
    expect([desk.freeSlots, started, [...runs.keys()]]).toEqual([0, ['b'], ['b']]);
    runs.get('b')?.end(completed);
    await clock.advance(0);
    expect([started, [...runs.keys()]]).toEqual([['b', 'a'], ['a']]);
  });

  it('takes its place before its run begins: nothing may be claimed for it meanwhile', async () => {
    const claimed = Promise.withResolvers<void>();
    let underWay: Promise<void> | null = claimed.promise;
    const { clock, desk, server, runs } = await deskWith({ ...waiting, limit: 1, claimUnderWay: () => underWay });
    await desk.recover();
    server.answer = () => ({ answers: [retry()] });
    await clock.advance(1_000);
    underWay = null;
    claimed.resolve();
    const free = new Set<number>();
    for (let turn = 0; turn < 100 && runs.size === 0; turn += 1) {
      await Promise.resolve();
      if (desk.inDoubt.length === 0) free.add(desk.freeSlots);
    }
    expect([runs.size, [...free]]).toEqual([1, [0]]);
  });

  it('is asked for again at the next start, by the question that is open now', async () => {
    const { desk, sent, given } = await deskWith(waiting);
    await desk.recover();
    expect(sent).toMatchObject([{ kind: 'in_doubt', payload: { nodes: [{ node_id: 'pay', attempt: 1 }] } }]);
    expect(await desk.questionsOf({ jobId: 'a', leaseToken: '7' })).toMatchObject([{ node_id: 'pay', attempt: 1 }]);
    expect(await desk.questionsOf({ jobId: 'a', leaseToken: '8' })).toBeNull();
    expect(given).toEqual([]);
  });

  it('is not waited for blindly when the job is in doubt as a whole: the engine looks whether it still is', async () => {
    const whole: JournalEntry = { ...asked(1), node_id: null, answers: ['retry', 'restart', 'fail'] } as JournalEntry;
    const { clock, desk, runs, given } = await deskWith({ ...waiting, recorded: [intent(1), whole] });
    await desk.recover();
    await clock.advance(0);
    expect(given).toEqual([[]]);
    runs.get('a')?.end(inDoubt);
    await clock.advance(1_000);
    expect([given.length, desk.inDoubt]).toEqual([1, ['a']]);
  });

  it('that comes while the job runs is heard when the run has ended in doubt', async () => {
    const { clock, desk, runs, server, given } = await deskWith({ ...waiting, unfinished: [stored('a')] });
    await desk.recover();
    server.answer = () => ({ answers: [retry()] });
    await clock.advance(3_000);
    expect(given).toEqual([[]]);
    runs.get('a')?.end(inDoubt);
    await clock.advance(1_000);
    expect(given).toEqual([[], [retry()]]);
  });

  it('to another question is ignored, and one that its run does not take is not given again and again', async () => {
    const { clock, desk, runs, server, given } = await deskWith(waiting);
    await desk.recover();
    server.answer = () => ({ answers: [{ ...retry(), step: 3 }, retry(7)] });
    await clock.advance(5_000);
    expect(given).toEqual([]);
    server.answer = () => ({ answers: [retry()] });
    await clock.advance(1_000);
    runs.get('a')?.end(inDoubt);
    await clock.advance(5_000);
    expect(given).toHaveLength(1);
  });

  it('loses to a cancel, whose end names what is in doubt', async () => {
    const { clock, desk, server, given, statuses } = await deskWith(waiting);
    await desk.recover();
    server.answer = (jobId) => ({ ...cancelled('a')(jobId), answers: [retry()] });
    await clock.advance(1_000);
    const error = expect.objectContaining({
      message: 'wrong month; the effect of node "pay" (step 4) may or may not have happened',
      node_id: 'pay',
      may_have_happened: [{ node_id: 'pay', step: 4, attempt: 1 }],
      requested_by: 'ann',
    });
    expect([given, statuses]).toEqual([[], [['a', 'cancelled', error]]]);
  });
});

describe('a job of which a part of the record is lost', () => {
  const recorded = Object.assign(new Error('the newest part of its record is lost'), { code: 'JOB_IN_DOUBT' });
  const known = [stored('a', { state: 'in_doubt', lostRecord: 'entries 7 to 9 are missing' })];
  const fail: DoubtAnswer = { node_id: null, step: null, attempt: null, answer: 'fail', by: 'ann', at: 'now' };

  it.each([
    ['was so when the store was opened', known],
    ['is found to be so when it is to go on', [stored('a')]],
  ])('waits visibly, whatever it may do with nodes (%s)', async (_when, unfinished) => {
    for (const inDoubtPolicy of ['ask', 'retry', 'skip'] as const) {
      const { clock, desk, server, sent, runs } = await deskWith({ unfinished, recorded, inDoubtPolicy });
      await desk.recover();
      server.answer = () => ({ answers: [{ ...fail, answer: 'retry' }] });
      await clock.advance(20_000);
      expect([desk.inDoubt, runs.size]).toEqual([['a'], 0]);
      expect(desk.held).toMatchObject([
        { jobId: 'a', why: expect.stringContaining('job resolve a --restart or --fail') },
      ]);
      expect(sent).toMatchObject([
        { kind: 'in_doubt', payload: { nodes: [{ node_id: null, answers: ['restart', 'fail'] }] } },
      ]);
    }
  });

  it('fails when its policy or an operator says so, and can be cancelled', async () => {
    const byPolicy = await deskWith({ unfinished: known, recorded, inDoubtPolicy: 'fail' });
    await byPolicy.desk.recover();
    expect(byPolicy.statuses).toEqual([['a', 'failed', expect.objectContaining({ code: 'JOB_IN_DOUBT' })]]);

    const answered = await deskWith({ unfinished: known, recorded });
    await answered.desk.recover();
    answered.server.answer = () => ({ answers: [fail] });
    await answered.clock.advance(3_000);
    expect(answered.statuses).toEqual([
      ['a', 'failed', expect.objectContaining({ code: 'JOB_IN_DOUBT', details: { answered_by: 'ann' } })],
    ]);
    expect(answered.told).toEqual(['ended a: in_doubt', 'answered a: fail by ann', 'ended a: failed']);

    const asked = await deskWith({ unfinished: known, recorded });
    await asked.desk.recover();
    asked.server.answer = cancelled('a');
    await asked.clock.advance(1_000);
    expect(asked.statuses).toEqual([cancelledByAnn]);
  });

  it('makes room when it was begun anew under another claim', async () => {
    const { clock, desk, locker, server, runs } = await deskWith({ unfinished: known, recorded });
    await desk.recover();
    server.answer = () => ({ outcome: 'stale', leaseToken: '7' });
    await clock.advance(1_000);
    expect(desk.inDoubt).toEqual([]);
    server.answer = () => ({});
    locker.adopt({ jobId: 'a', leaseToken: '8' }, 300_000);
    await desk.admit(claim('a', { leaseToken: '8' }));
    expect(runs.size).toBe(1);
  });
});
