import type { Checkpoint } from '@casare/observability';
import { describe, expect, it } from 'vitest';
import { AuditAnchors } from './audit-anchors.ts';

const signal = new AbortController().signal;

function setUp() {
  const server = {
    isConnected: true,
    fault: null as string | null,
    seqs: [] as number[],
    rpc: async (_name: string, args: Record<string, unknown>) => {
      if (server.fault !== null) throw new Error(server.fault);
      server.seqs.push(Number(args.p_seq));
      return 'ok';
    },
  };
  const audit = {
    head: null as Checkpoint | null,
    logged: [] as string[],
    publicKey: 'key',
    checkpoint: () => audit.head,
    log: (type: string) => {
      audit.logged.push(type);
      return { ok: true as const, seq: 1 };
    },
  };
  const clock = { at: 0, monotonic: () => clock.at };
  const told: string[] = [];
  const logger = { log: (level: string, message: string) => void told.push(`${level} ${message}`) };
  const anchors = new AuditAnchors({ audit, server, intervalMs: 1_000, logger, clock });
  return { server, audit, clock, told, anchors };
}

const checkpoint = (segment: number, seq: number): Checkpoint => ({
  ...{ robot_id: 'r', segment, seq, hash: 'a'.repeat(64), at: '2026-01-01T00:00:00.000Z' },
  ...{ key_id: 'k', signature: 's' },
});

describe('anchors of the audit log', () => {
  it('are sent once per interval, and at once for a segment that was left', async () => {
    const { server, audit, clock, anchors } = setUp();
    audit.head = checkpoint(1, 10);
    await anchors.send(signal);
    audit.head = checkpoint(1, 20);
    anchors.add(audit.head);
    await anchors.send(signal);
    expect(server.seqs).toEqual([10]);
    anchors.add(checkpoint(1, 25));
    anchors.add(checkpoint(2, 30));
    await anchors.send(signal);
    expect(server.seqs).toEqual([10, 25]);
    audit.head = checkpoint(2, 30);
    clock.at = 1_000;
    await anchors.send(signal);
    clock.at = 2_000;
    await anchors.send(signal);
    expect(server.seqs).toEqual([10, 25, 30]);
    audit.head = checkpoint(2, 31);
    await anchors.send(signal, { now: true });
    expect(server.seqs).toEqual([10, 25, 30, 31]);
  });

  it('that an outage kept are sent afterwards, in order, the ends of all segments among them', async () => {
    const { server, audit, anchors } = setUp();
    server.isConnected = false;
    anchors.add(checkpoint(1, 5));
    anchors.add(checkpoint(1, 10));
    await anchors.send(signal);
    server.isConnected = true;
    server.fault = 'fetch failed';
    anchors.add(checkpoint(2, 20));
    audit.head = checkpoint(3, 30);
    await expect(anchors.send(signal)).rejects.toThrow('fetch failed');
    server.fault = null;
    await anchors.send(signal);
    expect(server.seqs).toEqual([10, 20, 30]);
  });

  it('that the server refuses, because it holds those of another log, are told once in log and audit', async () => {
    const { server, audit, clock, told, anchors } = setUp();
    server.fault =
      'p_hash: entry 10 of the audit log of robot r is anchored with another hash: the log was written anew';
    for (const seq of [10, 20]) {
      audit.head = checkpoint(1, seq);
      await anchors.send(signal);
      clock.at += 1_000;
    }
    expect(told).toEqual([expect.stringContaining('critical the server refuses an anchor')]);
    expect(audit.logged).toEqual(['error.permanent']);
  });
});
