import { describe, expect, it } from 'vitest';
import { type HealthFacts, healthOf } from './robot-health.ts';

const well: HealthFacts = {
  lifecycle: 'running',
  connection: { isConnected: true, isAuthRefused: false, problem: null },
  sinceContactMs: 1_000,
  contactLimitMs: 30_000,
  runningJobs: 0,
  steps: [],
  stepGraceMs: 10_000,
  unendingJobs: [],
  isPaused: false,
  storeProblem: null,
  refusals: [],
};
const step = { jobId: 'job-1', nodeId: 'click', runningForMs: 0, limitMs: 60_000 };
const disconnected = { isConnected: false, isAuthRefused: false, problem: 'ECONNREFUSED' };
const refused = { isConnected: false, isAuthRefused: true, problem: 'invalid JWT' };

describe('the health of a robot', () => {
  it.each<[string, Partial<HealthFacts>, string, boolean, boolean, readonly string[]]>([
    ['has nothing to do', {}, 'idle', true, true, []],
    ['runs a job', { runningJobs: 1, steps: [step] }, 'busy', true, true, []],
    [
      'starts',
      { lifecycle: 'starting', sinceContactMs: null },
      'offline',
      true,
      false,
      ['NOT_RUNNING', 'NO_RECENT_POLL'],
    ],
    ['has stopped', { lifecycle: 'stopped' }, 'draining', false, false, ['NOT_RUNNING']],
    ['is stopping', { lifecycle: 'stopping', runningJobs: 2 }, 'draining', true, false, ['STOPPING']],
    ['is not connected', { connection: disconnected, runningJobs: 1 }, 'offline', true, false, ['OFFLINE']],
    ['is refused by the server', { connection: refused }, 'auth-failed', true, false, ['AUTH_FAILED']],
    ['has never polled', { sinceContactMs: null }, 'offline', true, false, ['NO_RECENT_POLL']],
    ['polled just in time', { sinceContactMs: 30_000 }, 'idle', true, true, []],
    ['has not polled for long', { sinceContactMs: 30_001 }, 'offline', true, false, ['NO_RECENT_POLL']],
    ['has polled nobody knows when', { sinceContactMs: Number.NaN }, 'offline', true, false, ['NO_RECENT_POLL']],
    ['is paused', { isPaused: true, runningJobs: 1 }, 'paused', true, false, ['PAUSED']],
    [
      'is paused and offline',
      { isPaused: true, connection: disconnected },
      'offline',
      true,
      false,
      ['OFFLINE', 'PAUSED'],
    ],
    ['cannot write', { storeProblem: 'ENOSPC' }, 'idle', true, false, ['STORE_NOT_WRITABLE']],
    ['does not know whether it can write', { storeProblem: undefined }, 'idle', true, false, ['STORE_NOT_WRITABLE']],
    [
      'has jobs that cannot go on',
      { heldJobs: Array.from({ length: 7 }, (_, index) => ({ jobId: `job-${index}`, why: 'its record is lost' })) },
      'idle',
      true,
      false,
      Array.from({ length: 6 }, () => 'JOB_CANNOT_GO_ON'),
    ],
    ['has no room', { refusals: ['12 MB free'] }, 'idle', true, false, ['CLAIMS_REFUSED']],
    [
      'has a node that takes its time',
      { runningJobs: 1, steps: [{ ...step, runningForMs: 70_000 }] },
      'busy',
      true,
      true,
      [],
    ],
    [
      'has a node that may take any time',
      { runningJobs: 1, steps: [{ ...step, limitMs: null, runningForMs: 1e9 }] },
      'busy',
      true,
      true,
      [],
    ],
    [
      'has a node that stands still',
      { runningJobs: 1, steps: [step, { ...step, runningForMs: 70_001 }] },
      'stuck',
      false,
      false,
      ['NODE_STANDS_STILL'],
    ],
    [
      'has a job that cannot end, while it stops',
      { unendingJobs: ['job-1'], lifecycle: 'stopping' },
      'stuck',
      false,
      false,
      ['JOB_CANNOT_END', 'STOPPING'],
    ],
  ])('that %s', (_name, facts, state, isAlive, isReady, reasons) => {
    const health = healthOf({ ...well, ...facts });
    expect(health).toMatchObject({ state, isAlive, isReady });
    expect(health.reasons.map(({ code }) => code)).toEqual(reasons);
  });

  it('says what is wrong in words', () => {
    const steps = [{ ...step, runningForMs: 100_000 }];
    expect(healthOf({ ...well, connection: disconnected, steps }).reasons.map(({ message }) => message)).toEqual([
      'job job-1 has been at node click for 100 s (limit 60 s)',
      'not connected: ECONNREFUSED',
    ]);
    expect(healthOf({ ...well, heldJobs: [{ jobId: 'a', why: 'its record is lost' }] }).reasons).toEqual([
      { code: 'JOB_CANNOT_GO_ON', message: 'job a cannot go on: its record is lost' },
    ]);
  });
});
