import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JobLogSpool, type SpoolUsage } from './job-log-spool.ts';

const lease = { jobId: '0b8f6a8e-0000-4000-8000-000000000001', leaseToken: '7' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(limits = { perLease: 1e9, total: 1e9 }, usage: SpoolUsage = { bytes: 0 }): JobLogSpool {
  return new JobLogSpool(lease, folder, { limits, usage, names: readdirSync(folder).sort() });
}

const line = (message: string) => ({ at: '2026-01-01T00:00:00.000Z', level: 'info', nodeId: null, message }) as const;

describe('lines that wait', () => {
  it('keep their numbers over restarts, failed deliveries and limits, and what is missing has had its number', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), size: fc.integer({ min: 1, max: 120_000 }) }),
      fc.record({ do: fc.constant('deliver' as const), limit: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('fail' as const), limit: fc.integer({ min: 1, max: 5 }) }),
      fc.constant({ do: 'restart' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        rmSync(folder, { recursive: true, force: true });
        folder = mkdtempSync(join(tmpdir(), 'spool-'));
        const limits = { perLease: 400_000, total: 1e9 };
        let spool = open(limits);
        let appended = 0;
        let restarts = 0;
        const database = new Map<number, string>();
        const deliver = (limit: number): boolean => {
          const batch = spool.next(limit);
          if (batch === null) return false;
          for (const [index, { message }] of batch.lines.entries()) {
            const before = database.get(batch.firstSeq + index);
            const label = message.split(':')[0] ?? '';
            expect(before ?? label).toBe(label);
            database.set(batch.firstSeq + index, label);
          }
          spool.delivered(batch);
          return true;
        };
        for (const each of steps) {
          if (each.do === 'append') {
            appended += 1;
            spool.append(line(`${appended}:${'x'.repeat(each.size)}`));
          } else if (each.do === 'deliver') deliver(each.limit);
          else if (each.do === 'fail') spool.next(each.limit);
          else {
            spool.close();
            restarts += 1;
            spool = open(limits);
          }
        }
        while (deliver(100));
        expect(spool.isDelivered).toBe(true);
        // In order, each once; every number below the next one is a line or a gap.
        const order = [...database].sort(([a], [b]) => a - b).map(([, label]) => Number(label));
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
        if (restarts === 0) expect(database.size + spool.dropped).toBe(appended);
        spool.remove();
        expect(readdirSync(folder)).toEqual([]);
      }),
      { numRuns: Number(process.env.CASARE_FUZZ_RUNS ?? 60) },
    );
  });

  it('share a limit, and the last dropped line is told of as well', () => {
    const usage = { bytes: 0 };
    const spool = open({ perLease: 1e9, total: 200 }, usage);
    for (let index = 1; index <= 5; index += 1) spool.append(line(`line ${index}`));
    const first = spool.next(100);
    expect(first).toMatchObject({ firstSeq: 1, lines: [{ message: 'line 1' }, { message: 'line 2' }] });
    if (first !== null) spool.delivered(first);
    expect(spool.next(100)).toEqual({ ...lease, firstSeq: 6, lines: [] });
    expect(spool.dropped).toBe(3);
  });
});
