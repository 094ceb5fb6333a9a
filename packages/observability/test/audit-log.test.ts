import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditEventType, AuditLogger, AuditSeverity, readAuditLog } from '../src/index.ts';

const dayMs = 86_400_000;
let parent: string;
let logDir: string;
let clock: ManualClock;
let audit: AuditLogger;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  logDir = join(parent, 'home', 'audit');
  clock = new ManualClock();
  audit = new AuditLogger({ robotId: 'robot-123', logDir, clock, bootId: 'boot-1', compress: false });
});

afterEach(() => {
  audit.close();
  rmSync(parent, { recursive: true, force: true });
});

it('is signed once its newest entry is as old as a checkpoint may be, also where no other one follows', async () => {
  audit.log(AuditEventType.ERROR_TRANSIENT, 'Connection timeout');
  await clock.advance(59_999);
  expect(lines('audit-2026-01-01-000001.jsonl')).toHaveLength(1);
  await clock.advance(1);
  expect(lines('audit-2026-01-01-000001.jsonl').map((line) => JSON.parse(line).kind)).toEqual([
    undefined,
    'checkpoint',
  ]);
  await clock.advance(600_000);
  expect(lines('audit-2026-01-01-000001.jsonl')).toHaveLength(2);
});

function lines(name: string): string[] {
  return readFileSync(join(logDir, name), 'utf8').split('\n').slice(0, -1);
}

describe('an entry', () => {
  it('is a line of JSON in the file of its day when log returns', async () => {
    await clock.advance(1_500);
    const result = audit.log(AuditEventType.ERROR_TRANSIENT, 'Connection timeout', {
      severity: AuditSeverity.WARNING,
      jobId: 'job-456',
      details: { retryCount: 2 },
    });
    expect(result).toEqual({ ok: true, seq: 1 });
    expect(lines('audit-2026-01-01-000001.jsonl').map((line) => JSON.parse(line))).toEqual([
      {
        v: 2,
        seq: 1,
        prev: '0'.repeat(64),
        at: '2026-01-01T00:00:01.500Z',
        mono_ms: 1_500,
        boot_id: 'boot-1',
        robot_id: 'robot-123',
        type: 'error.transient',
        severity: 'warning',
        message: 'Connection timeout',
        job_id: 'job-456',
        node_id: null,
        actor: 'robot',
        outcome: 'failure',
        trace_id: null,
        details: { retryCount: 2 },
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it.skipIf(process.platform === 'win32')('can be read by its owner alone', () => {
    audit.robotStarted();
    expect(statSync(logDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(logDir, 'audit-2026-01-01-000001.jsonl')).mode & 0o777).toBe(0o600);
  });

  it('goes to the file of its day, and to no earlier one when the clock is set back', async () => {
    audit.robotStarted();
    await clock.advance(dayMs);
    audit.connectionEstablished();
    clock.stepWall(-2 * dayMs);
    audit.connectionLost();
    audit.close();
    audit = new AuditLogger({ robotId: 'robot-123', logDir, clock, compress: false });
    audit.connectionRestored();
    expect(readdirSync(logDir)).toEqual(['audit-2026-01-01-000001.jsonl', 'audit-2026-01-02-000002.jsonl', 'owner.db']);
    expect((await audit.getRecent()).map(({ seq, type }) => `${seq} ${type}`)).toEqual([
      '1 robot.started',
      '2 connection.established',
      '3 connection.lost',
      '4 connection.restored',
    ]);
  });

  it('stays one line and bounded, whatever is logged', async () => {
    audit.log(AuditEventType.ERROR_PERMANENT, `a\nb\u2028${'m'.repeat(100_000)}`, {
      actor: 'x'.repeat(10_000),
      details: { text: 't'.repeat(1_000_000) },
    });
    const [line] = lines('audit-2026-01-01-000001.jsonl');
    expect(line?.length).toBeLessThan(65_536);
    const [entry] = await audit.getRecent();
    expect(entry?.message.startsWith('a\nb\u2028mmm')).toBe(true);
    expect(entry?.details.text).toMatch(/^t+\[983616 more characters\]$/);
    audit.log(AuditEventType.ERROR_PERMANENT, 'm', { details: { texts: Array(9).fill('t'.repeat(100_000)) } });
    expect((await audit.getRecent(1))[0]?.details.too_long_bytes).toBeGreaterThan(100_000);
  });
});

describe('the methods per event', () => {
  it('tell what the specification names', async () => {
    audit.robotStarted();
    audit.connectionEstablished();
    audit.jobReceived({ jobId: 'job-456', workflowName: 'My Workflow' });
    audit.jobStarted({ jobId: 'job-456', totalNodes: 10 });
    audit.jobResumed({ jobId: 'job-456', step: 3 });
    audit.jobResumed({ jobId: 'job-456' });
    audit.nodeCompleted({ jobId: 'job-456', nodeId: 'node-1', nodeType: 'ClickNode', durationMs: 150 });
    audit.jobCompleted({ jobId: 'job-456', durationMs: 5_000 });
    audit.jobFailed({ jobId: 'job-7', error: { code: 'FILE_NOT_FOUND', category: 'permanent', message: 'no a.txt' } });
    audit.jobCancelled({ jobId: 'job-8', reason: 'User requested', requestedBy: 'ann' });
    expect(
      (await audit.getRecent()).map(({ type, severity, outcome, job_id, node_id, actor, message }) =>
        [type, severity, outcome, job_id, node_id, actor, message].join(' | '),
      ),
    ).toEqual([
      'robot.started | info |  |  |  | robot | Robot started',
      'connection.established | info | success |  |  | robot | Connected',
      'job.received | info |  | job-456 |  | robot | Job received: My Workflow',
      'job.started | info |  | job-456 |  | robot | Job started, 10 nodes',
      'job.resumed | info |  | job-456 |  | robot | Job resumed at step 3',
      'job.resumed | info |  | job-456 |  | robot | Job resumed',
      'node.completed | info | success | job-456 | node-1 | robot | ClickNode completed',
      'job.completed | info | success | job-456 |  | robot | Job completed',
      'job.failed | error | failure | job-7 |  | robot | Job failed: no a.txt',
      'job.cancelled | warning | cancelled | job-8 |  | ann | Job cancelled: User requested',
    ]);
  });
});

describe('a context', () => {
  it('gives its job and node to every entry within, also at the same time as others', async () => {
    const logNode = (nodeId: string): void => {
      audit.log(AuditEventType.NODE_STARTED, `Starting ${nodeId}`);
    };
    const jobs = Array.from({ length: 10 }, (_, job) =>
      audit.jobContext(`job-${job}`, async () => {
        for (let node = 0; node < 5; node += 1) {
          await audit.nodeContext(`node-${job}-${node}`, async () => {
            await clock.sleep(job);
            logNode(`node-${job}-${node}`);
          });
        }
        audit.jobCompleted({ durationMs: 1 });
      }),
    );
    await clock.advance(100);
    await Promise.all(jobs);
    const entries = await audit.getRecent(1_000);
    expect(entries).toHaveLength(60);
    for (const { type, job_id, node_id, message } of entries) {
      if (type === 'job.completed') expect(node_id).toBeNull();
      else expect(`Starting ${node_id} of ${job_id}`).toBe(`${message} of job-${node_id?.split('-')[1]}`);
    }
    expect(entries.filter(({ job_id }) => job_id === 'job-3')).toHaveLength(6);
  });
});

describe('a query', () => {
  beforeEach(async () => {
    for (let day = 0; day < 5; day += 1) {
      audit.jobStarted({ jobId: `job-${day}`, totalNodes: 1 });
      audit.errorTransient({ jobId: `job-${day}`, code: 'E1', message: 'shaky' });
      audit.errorPermanent({ jobId: `job-${day}`, code: 'E2', message: 'broken' });
      await clock.advance(dayMs);
    }
  });

  it('looks through all files, by type, severity, job and time, and gives the last ones in order', async () => {
    const types = [AuditEventType.ERROR_TRANSIENT, AuditEventType.ERROR_PERMANENT];
    expect((await audit.query({ eventTypes: types })).map(({ seq }) => seq)).toEqual([
      2, 3, 5, 6, 8, 9, 11, 12, 14, 15,
    ]);
    expect((await audit.query({ eventTypes: types, limit: 3 })).map(({ seq }) => seq)).toEqual([12, 14, 15]);
    expect((await audit.query({ severity: 'error' })).map(({ seq }) => seq)).toEqual([3, 6, 9, 12, 15]);
    expect((await audit.query({ severity: 'error', jobId: 'job-2' })).map(({ seq }) => seq)).toEqual([9]);
    const start = Date.UTC(2026, 0, 2);
    expect((await audit.query({ since: start, until: new Date(start + dayMs) })).map(({ seq }) => seq)).toEqual([
      4, 5, 6, 7, 8, 9,
    ]);
    expect(await audit.query({ limit: 0 })).toEqual([]);
    expect((await audit.getRecent(2)).map(({ seq }) => seq)).toEqual([14, 15]);
  });

  it('names an entry that is not as it was written', async () => {
    const file = join(logDir, 'audit-2026-01-03-000003.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('broken', 'whole '));
    const { entries, damaged } = await audit.read({ severity: 'error' });
    expect(entries.map(({ seq }) => seq)).toEqual([3, 6, 9, 12, 15]);
    expect(damaged).toEqual([{ file, line: 3, kind: 'changed' }]);
  });

  it('needs no running robot, and no folder', async () => {
    expect((await readAuditLog(logDir, { jobId: 'job-4' })).entries).toHaveLength(3);
    expect(await readAuditLog(join(parent, 'nowhere'))).toEqual({ entries: [], damaged: [] });
  });
});

describe('a secret', () => {
  it('never reaches the disk, in whatever part of an entry', () => {
    const secret = 'sbp_planted/secret=1';
    const keeper = new AuditLogger({
      robotId: 'r',
      logDir,
      clock,
      redact: { values: [secret], keys: ['pin'], patterns: [/\bsk-\w+/] },
    });
    keeper.log(AuditEventType.ERROR_PERMANENT, `GET https://x/?k=${encodeURIComponent(secret)} with ${secret}`, {
      actor: secret,
      jobId: secret,
      details: {
        nested: [{ headers: { authorization: `Bearer ${secret}` }, [secret]: true }],
        body: JSON.stringify({ key: secret }),
        error: new Error(secret, { cause: new Error(secret) }),
        pin: 4711,
        looksLikeOne: 'used sk-unknown99 here',
        long: `${'x'.repeat(4_080)}${secret}`,
      },
    });
    keeper.log(AuditEventType.ERROR_PERMANENT, `${'x'.repeat(4_090)}${secret}`);
    keeper.close();
    const text = lines('audit-2026-01-01-000001.jsonl').join('\n');
    expect(text).toContain('[redacted]');
    expect(text).not.toMatch(/sbp|planted|4711|unknown99/);
  });
});

describe('after close', () => {
  it('an entry is refused, not lost in silence', () => {
    audit.robotStopped();
    audit.close();
    expect(audit.robotStarted()).toMatchObject({ ok: false, error: { code: 'AUDIT_CLOSED' } });
    expect(() => audit.log(AuditEventType.ROBOT_STARTED, 'x', { durable: true })).toThrow('closed');
    expect(audit.getStatus()).toMatchObject({ written: 1, failed: 2, healthy: false });
  });
});
