import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it } from 'vitest';
import { gone, type LocalDatabase, LocalRestarts, steadyMs, up } from './local-restarts.ts';

interface Database extends LocalDatabase {
  end(how: string): void;
  /** What it does with the next questions; a hanging one answers nothing. */
  mood: 'answers' | 'hangs';
  readonly asked: number;
}

function database(): Database {
  const { promise, resolve } = Promise.withResolvers<string>();
  const made = {
    ...{ ended: promise, end: resolve, stop: async () => resolve('stopped'), kill: () => resolve('SIGKILL') },
    ...{ mood: 'answers' as Database['mood'], asked: 0 },
    async answers(limit: AbortSignal) {
      made.asked += 1;
      if (made.mood === 'hangs') await new Promise((hung) => limit.addEventListener('abort', hung));
      return made.mood === 'answers';
    },
  };
  return made;
}

/** Restarts whose every start is answered by the test. */
function setup() {
  const clock = new ManualClock();
  const first = database();
  const told: string[] = [];
  const starts: { signal: AbortSignal; up(started: LocalDatabase): void; fail(error: Error): void }[] = [];
  const restarts = new LocalRestarts({
    database: first,
    start: (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<LocalDatabase>();
      starts.push({ signal, up: resolve, fail: reject });
      return promise;
    },
    clock,
    logger: { log: (level, message) => void told.push(`${level}: ${message}`) },
  });
  const is = (kind: string): Promise<unknown> => eventually(`it is ${kind}`, () => restarts.state.kind === kind);
  return { clock, first, told, starts, restarts, is };
}

describe('the waits between restarts', () => {
  it('grow from half a second to half a minute, and begin anew after a minute of being up', () => {
    const waits: number[] = [];
    let state = gone({ kind: 'running', sinceMs: 0, restarts: 0 }, 1);
    for (let count = 0; count < 8 && state.kind === 'waiting'; count += 1) {
      waits.push(state.delayMs);
      state = gone(up({ kind: 'starting', restarts: state.restarts }, 0), steadyMs - 1);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(gone({ kind: 'running', sinceMs: 0, restarts: 8 }, steadyMs)).toMatchObject({ delayMs: 500 });
  });
});

describe('a database that ends', () => {
  it('is started again, however often that fails, and each trouble is told once', async () => {
    const { clock, first, told, starts, restarts, is } = setup();
    first.end('SIGKILL');
    await is('waiting');
    for (const [count, delayMs] of [500, 1_000, 2_000].entries()) {
      expect(restarts.state).toMatchObject({ delayMs });
      await clock.advance(delayMs);
      await is('starting');
      starts[count]?.fail(new Error('the disk is full'));
      await is('waiting');
    }
    await clock.advance(4_000);
    await is('starting');
    const second = database();
    starts[3]?.up(second);
    await is('running');
    expect(told).toEqual([
      'warning: the embedded Supabase has ended (SIGKILL); it is started again, jobs go on',
      'warning: the embedded Supabase does not start (the disk is full); it is tried again until it does',
      'info: the embedded Supabase is up again',
    ]);
    await restarts.stop();
    expect(await second.ended).toBe('stopped');
  });
});

describe('a database that hangs', () => {
  it('is killed after three questions of 10 s without an answer, and started again', async () => {
    const { clock, first, told, starts, restarts, is } = setup();
    const asked = async (times: number): Promise<void> => {
      await clock.advance(10_000);
      await eventually('it is asked', () => first.asked === times);
    };
    await asked(1);
    first.mood = 'hangs';
    await asked(2);
    await asked(3);
    first.mood = 'answers';
    await asked(4);
    first.mood = 'hangs';
    for (const times of [5, 6, 7]) await asked(times);
    expect([restarts.state.kind, told]).toEqual(['running', []]);
    await clock.advance(10_000);
    await is('waiting');
    await clock.advance(500);
    await is('starting');
    starts[0]?.up(database());
    await is('running');
    expect(told).toEqual([
      'warning: the embedded Supabase has not answered for 30 s; it is killed, and started again',
      'warning: the embedded Supabase has ended (SIGKILL); it is started again, jobs go on',
      'info: the embedded Supabase is up again',
    ]);
    await restarts.stop();
    expect(clock.sleeping).toBe(0);
  });
});

describe('stopping', () => {
  it.each(['running', 'waiting'] as const)(
    'a database that is %s starts nothing more, and says nothing',
    async (kind) => {
      const { clock, first, told, starts, restarts, is } = setup();
      if (kind === 'waiting') first.end('SIGKILL');
      await is(kind);
      const toldBefore = told.length;
      await restarts.stop();
      await clock.advance(60_000);
      expect([restarts.state.kind, starts.length, told.length, clock.sleeping]).toEqual(['stopped', 0, toldBefore, 0]);
    },
  );

  it.each(['comes up', 'does not come up'])('a start that %s all the same leaves nothing behind', async (how) => {
    const { clock, first, told, starts, restarts, is } = setup();
    first.end('SIGKILL');
    await is('waiting');
    await clock.advance(500);
    await is('starting');
    const toldBefore = told.length;
    const stopped = restarts.stop();
    expect(starts[0]?.signal.aborted).toBe(true);
    const second = database();
    if (how === 'comes up') starts[0]?.up(second);
    else starts[0]?.fail(new Error('it was told to end'));
    await stopped;
    if (how === 'comes up') expect(await second.ended).toBe('stopped');
    expect([restarts.state.kind, told.length]).toEqual(['stopped', toldBefore]);
  });
});
