import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@casare/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditError, AuditEventType, AuditLogger, verifyAuditLog } from '../src/index.ts';

let folder: string;
let clock: ManualClock;
let errors: AuditError[];
let audit: AuditLogger;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'casare-audit-'));
  clock = new ManualClock();
  errors = [];
  audit = new AuditLogger({
    robotId: 'r',
    logDir: join(folder, 'audit'),
    clock,
    onError: (error) => errors.push(error),
  });
});

afterEach(() => {
  audit.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(process.platform !== 'linux')('a disk without room', () => {
  const full = (): string => join(folder, 'audit', 'audit-2026-01-02-000002.jsonl');

  it('stops nothing, is told, and leaves a record of what was lost', async () => {
    audit.robotStarted();
    symlinkSync('/dev/full', full());
    await clock.advance(86_400_000);
    for (let entry = 0; entry < 3; entry += 1) {
      expect(audit.jobStarted({ jobId: 'j', totalNodes: 1 })).toMatchObject({
        ok: false,
        error: { code: 'AUDIT_WRITE_FAILED', category: 'permanent' },
      });
    }
    expect(errors).toHaveLength(3);
    expect(errors[0]?.message).toContain('ENOSPC');
    const status = { healthy: false, canWrite: false, written: 1, failed: 3, lost: { count: 3 } };
    expect(audit.getStatus()).toMatchObject(status);
    expect(audit.checkWritable()).toBe(false);
    expect(audit.getStatus()).toMatchObject(status);

    rmSync(full());
    expect(audit.checkWritable()).toBe(true);
    expect(audit.getStatus()).toMatchObject({ healthy: true, canWrite: true, lost: null });
    expect(audit.jobCompleted({ jobId: 'j', durationMs: 1 })).toEqual({ ok: true, seq: 3 });
    expect((await audit.getRecent()).map(({ seq, type, message }) => `${seq} ${type} ${message}`)).toEqual([
      '1 robot.started Robot started',
      '2 audit.entries_lost 3 audit entries could not be written',
      '3 job.completed Job completed',
    ]);
    audit.close();
    expect(await verifyAuditLog(join(folder, 'audit'))).toMatchObject({ ok: true, entries: 3 });
  });

  it('throws for who asked for certainty', async () => {
    audit.robotStarted();
    symlinkSync('/dev/full', full());
    await clock.advance(86_400_000);
    expect(() => audit.log(AuditEventType.JOB_CLAIMED, 'x', { durable: true })).toThrow(
      expect.objectContaining({ name: 'AuditError', code: 'AUDIT_WRITE_FAILED' }),
    );
  });
});

describe.skipIf(process.platform !== 'linux')('a file that cannot be synced', () => {
  it('fails durable events and no others', () => {
    mkdirSync(join(folder, 'audit'));
    // Takes every write and refuses every sync.
    symlinkSync('/dev/null', join(folder, 'audit', 'audit-2026-01-01-000001.jsonl'));
    const node = { nodeId: 'n', nodeType: 'ClickNode', durationMs: 1 };
    expect(audit.nodeCompleted(node)).toMatchObject({ ok: true });
    expect(audit.jobClaimed({ jobId: 'j' })).toMatchObject({ ok: false, error: { code: 'AUDIT_SYNC_FAILED' } });
    expect(audit.getStatus()).toMatchObject({ healthy: false, canWrite: false, lost: { count: 0, unsynced: 1 } });
    expect(audit.checkWritable()).toBe(false);
    expect(() => audit.log(AuditEventType.NODE_COMPLETED, 'x', { durable: true })).toThrow('power loss');
  });
});

describe('a folder that cannot be made', () => {
  it('stops nothing, and is used as soon as it can', async () => {
    writeFileSync(join(folder, 'audit'), 'in the way');
    expect(audit.robotStarted()).toMatchObject({ ok: false });
    rmSync(join(folder, 'audit'));
    expect(audit.robotStarted()).toEqual({ ok: true, seq: 2 });
  });
});

describe('a folder in the place of the file', () => {
  it('is a failure like any other', () => {
    mkdirSync(join(folder, 'audit', 'audit-2026-01-01-000001.jsonl'), { recursive: true });
    expect(audit.robotStarted()).toMatchObject({ ok: false, error: { code: 'AUDIT_WRITE_FAILED' } });
  });
});

describe('a listener that throws', () => {
  it('does no harm and is counted', () => {
    writeFileSync(join(folder, 'blocked'), '');
    const careless = new AuditLogger({
      robotId: 'r',
      logDir: join(folder, 'blocked'),
      onError: () => {
        throw new Error('listener');
      },
    });
    expect(careless.robotStarted().ok).toBe(false);
    expect(careless.getStatus()).toMatchObject({ failed: 1, callbackFailures: 1 });
  });
});
