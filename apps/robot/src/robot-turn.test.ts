import { CancellationChecker, JobLocker, type LeaseAnswer, type TurnRequest } from '@casare/execution';
import { ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { JobIntake } from './job-intake.ts';
import { startPeriodic } from './periodic.ts';
import { RobotTurn } from './robot-turn.ts';

const minute = 60_000;

/** A robot's requests on a clock that stands still: one job runs if asked for, and claiming may fail or hang. */
function setup(
  options: {
    readonly isRunningAJob?: boolean;
    readonly slots?: number;
    readonly schema?: number;
    readonly connection?: { readonly isConnected: boolean };
    readonly instance?: NonNullable<ConstructorParameters<typeof RobotTurn>[0]['instance']>;
  } = {},
) {
  const clock = new ManualClock();
  const requests: { name: string; at: number; request?: TurnRequest }[] = [];
  const server: { claiming: 'well' | 'failing' | 'hanging'; lease: Partial<LeaseAnswer> } = {
    claiming: 'well',
    lease: {},
  };
  const told: string[] = [];
  const problems: unknown[] = [];
  const admitting: { wait: Promise<void> } = { wait: Promise.resolve() };
  const send = (name: string, request?: TurnRequest): void => {
    requests.push({ name, at: clock.monotonic(), ...(request === undefined ? {} : { request }) });
  };
  const answers = (leases: TurnRequest['leases']): LeaseAnswer[] =>
    leases.map((lease) => ({
      ...lease,
      outcome: 'ok',
      cancelReason: null,
      cancelRequestedBy: null,
      answers: [],
      ...server.lease,
    }));
  const locker = new JobLocker({
    robotId: 'r',
    clock,
    gateway: {
      claimJob: async () => null,
      claimJobs: async () => [],
      heartbeatJobs: async (_robot, leases) => {
        send('heartbeat');
        return answers(leases);
      },
      robotTurn: async (request, { signal } = {}) => {
        send('turn', request);
        if (request.claim !== null && server.claiming === 'hanging') await clock.sleep(30_000, signal);
        if (request.claim !== null && server.claiming !== 'well') throw new Error('claiming failed');
        return {
          leases: answers(request.leases),
          claims: [],
          fleetSize: request.presence === null ? null : 7,
        };
      },
      completeJob: async () => 'ok',
      releaseJob: async () => 'ok',
    },
  });
  const checker = new CancellationChecker({
    leases: { heartbeatAll: (options) => turn.heartbeatAll(options) },
    checkIntervalMs: 2_000,
    clock,
  });
  const robot = {
    robotId: 'r',
    name: 'r',
    capabilities: [],
    tags: [],
    maxConcurrentJobs: 3,
    version: '0',
    bootId: 'b',
  };
  const room = { slots: options.slots ?? 1 };
  const intake = new JobIntake({
    locker,
    desk: {
      get freeSlots() {
        return room.slots;
      },
      has: () => false,
      admit: () => admitting.wait,
    },
    ended: { settle: async () => ({ kind: 'unknown' }) },
    isPaused: () => false,
    isHeld: () => false,
    claimRequest: { current: 'request', rotate: () => admitting.wait, retire: async () => undefined },
    robot: () => robot,
    onFree: () => loop.kick(),
    logger: { log: () => undefined },
  });
  const turn: RobotTurn = new RobotTurn({
    connection: options.connection ?? { isConnected: true },
    ...(options.instance === undefined ? {} : { instance: options.instance }),
    gateway: { schemaVersion: async () => options.schema ?? 7, registerRobot: async () => send('register') },
    locker,
    checker,
    intake,
    robot: () => robot,
    presence: () => ({ status: intake.isClosed ? 'draining' : 'idle', metrics: null }),
    presenceIntervalMs: 10_000,
    clock,
    onFleetSize: (size) => told.push(`fleet of ${size}`),
  });
  if (options.isRunningAJob === true) {
    locker.adopt({ jobId: 'a', leaseToken: '1' }, 300_000);
    checker.start('a', {
      onCancelled: ({ reason }) => told.push(`cancelled: ${reason}`),
      onStale: () => told.push('stale'),
    });
  }
  const loop = startPeriodic({
    name: 'turn',
    intervalMs: 1_000,
    clock,
    turn: (signal) => turn.take(signal),
    onError: (_name, error) => problems.push(error),
  });
  const stop = async (): Promise<void> => {
    checker.stop();
    await loop.stop();
  };
  const count = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { name } of requests) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  return { clock, requests, server, told, problems, admitting, locker, intake, turn, loop, room, stop, count };
}

/** The longest time between two renewals of the job's lease, in ms. */
function longestPause(requests: ReturnType<typeof setup>['requests'], from: number): number {
  const renewals = requests.filter(({ at, name, request }) => {
    const renews = name === 'heartbeat' || (request?.leases.length ?? 0) > 0;
    return renews && at >= from;
  });
  return Math.max(...renewals.map(({ at }, index) => at - (renewals[index - 1]?.at ?? from)));
}

describe("a robot's turn", () => {
  it('renews no lease before the robot works in one place, also while the connection is not there yet', async () => {
    const settled = Promise.withResolvers<void>();
    const connection = { isConnected: false };
    const instance = { isHeld: false, settle: () => settled.promise, askAgain: () => {}, doubt: () => {} };
    const { clock, turn, stop, count } = setup({ isRunningAJob: true, connection, instance });
    const renewal = turn.heartbeatAll();
    await clock.advance(0);
    expect(count()).toEqual({});
    settled.resolve();
    await renewal;
    expect(count()).toMatchObject({ heartbeat: expect.any(Number) });
    await stop();
  });

  it('is one request: claims, presence and leases go together', async () => {
    const { clock, requests, told, stop, count } = setup({ isRunningAJob: true });
    await clock.advance(0);
    await clock.advance(minute);
    expect(count()).toEqual({ heartbeat: 1, register: 1, turn: 61 });
    const first = requests.find(({ name }) => name === 'turn')?.request;
    expect(first).toMatchObject({ leases: [{ jobId: 'a' }], presence: { status: 'idle' }, claim: { limit: 1 } });
    const withPresence = requests.filter(({ request }) => request !== undefined && request.presence !== null);
    expect(withPresence).toHaveLength(7);
    expect(told).toEqual(Array(7).fill('fleet of 7'));
    expect(longestPause(requests, 0)).toBe(1_000);
    await stop();
    expect(clock.sleeping).toBe(0);
  });

  it('renews leases every two seconds while there is nothing to claim', async () => {
    const { clock, requests, room, stop, count } = setup({ isRunningAJob: true });
    await clock.advance(500);
    room.slots = 0;
    requests.length = 0;
    await clock.advance(minute);
    expect(longestPause(requests, 500)).toBe(2_000);
    expect(count()).toEqual({ heartbeat: 24, turn: 6 });
    expect(requests.every(({ request }) => request?.claim == null)).toBe(true);
    await stop();
  });

  it('takes at once what a wake-up announces, and no claim with it once the robot stops', async () => {
    const { clock, requests, intake, turn, loop, stop } = setup();
    await clock.advance(5_100);
    requests.length = 0;
    loop.kick();
    await clock.advance(0);
    expect(requests).toMatchObject([{ at: 5_100, request: { presence: null, claim: { limit: 1 } } }]);
    await intake.close();
    turn.tellPresence();
    loop.kick();
    await clock.advance(0);
    expect(requests[1]).toMatchObject({ at: 5_100, request: { presence: { status: 'draining' }, claim: null } });
    await stop();
  });

  it('that fails over its claim delays neither leases nor cancels nor presence', async () => {
    const { clock, requests, server, told, problems, stop } = setup({ isRunningAJob: true });
    await clock.advance(500);
    server.claiming = 'failing';
    server.lease = { outcome: 'cancelled', cancelReason: 'wrong month' };
    requests.length = 0;
    await clock.advance(500);
    expect(told).toContain('cancelled: wrong month');
    await clock.advance(minute);
    expect(
      longestPause(
        requests.filter(({ request }) => request?.claim == null),
        500,
      ),
    ).toBeLessThanOrEqual(2_000);
    const withPresence = requests.filter(({ request }) => request !== undefined && request.presence !== null);
    expect(withPresence.filter(({ request }) => request?.claim === null).length).toBeGreaterThanOrEqual(5);
    expect(problems.length).toBeGreaterThan(50);
    server.claiming = 'well';
    requests.length = 0;
    await clock.advance(1_000);
    expect(requests).toMatchObject([{ name: 'turn', request: { claim: { requestId: 'request' } } }]);
    await stop();
  });

  it('that hangs does not delay the renewal of leases', async () => {
    const { clock, requests, server, stop } = setup({ isRunningAJob: true });
    await clock.advance(500);
    server.claiming = 'hanging';
    requests.length = 0;
    await clock.advance(minute);
    expect(
      longestPause(
        requests.filter(({ request }) => request?.claim == null),
        500,
      ),
    ).toBeLessThanOrEqual(2_500);
    await stop();
  });

  it('does not wait for the disk that stores what an earlier one has claimed', async () => {
    const { clock, requests, admitting, stop } = setup({ isRunningAJob: true });
    let done = (): void => undefined;
    admitting.wait = new Promise((resolve) => {
      done = resolve;
    });
    await clock.advance(20_000);
    expect(longestPause(requests, 0)).toBeLessThanOrEqual(2_000);
    const claims = (): number => requests.filter(({ request }) => request?.claim != null).length;
    expect(claims()).toBe(1);
    done();
    await clock.advance(0);
    expect(claims()).toBe(2);
    await stop();
  });

  it('waits for a database of its own version, while leases are renewed', async () => {
    const { clock, requests, problems, stop, count } = setup({ isRunningAJob: true, schema: 4 });
    await clock.advance(10_000);
    expect(count()).toEqual({ heartbeat: 6 });
    expect(problems[0]).toMatchObject({ message: expect.stringContaining('schema version 4, this robot needs 7') });
    expect(longestPause(requests, 0)).toBe(2_000);
    await stop();
  });
});
