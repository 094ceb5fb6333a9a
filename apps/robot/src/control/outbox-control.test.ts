import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { AuditLogger } from '@casare/observability';
import { OfflineQueue, openStore } from '@casare/offline-store';
import { expect, it, onTestFinished } from 'vitest';
import { recordOutboxChange } from '../audited-actions.ts';
import { discardOutbox, listOutbox, requeueOutbox } from '../cli/outbox-commands.ts';
import type { Terminal } from '../cli/terminal.ts';
import { ControlServer } from './control-server.ts';
import { type DeadLetters, outboxCommands } from './outbox-control.ts';

/** A robot's outbox with three dead letters and a superseded one, and a person at its machine. */
async function robotWithDeadLetters() {
  const home = mkdtempSync(join(tmpdir(), 'casare-outbox-'));
  const store = await openStore({ path: join(home, 'store.db'), robotId: 'r', outbox: { maxPermanentFailures: 1 } });
  const queue = new OfflineQueue({ store });
  await queue.cacheJob({ jobId: 'job-1', workflowJson: '{}', leaseToken: '7' });
  const outbox = [1, 2, 3, 4].map((n) => ({ kind: 'event', payload: { n } }));
  await queue.markCompleted('job-1', { success: true, outbox });
  const [superseded = 0, ...ids] = (await store.outbox.peek()).map(({ id }) => id);
  for (const id of ids) await store.outbox.fail(id, 'too\nlarge', { permanent: true });
  await store.outbox.supersede([superseded], 'another claim holds the job, or it was ended or removed');
  const sent = { kicks: 0 };
  const audit = new AuditLogger({ robotId: 'r', logDir: join(home, 'audit') });
  const disk = { isFull: false };
  const letters: DeadLetters = {
    deadLetters: (options) => store.outbox.deadLetters(options),
    requeue: (ids) => store.outbox.requeue(ids),
    discard: async (ids) => {
      if (disk.isFull) throw new Error('the disk is full');
      return store.outbox.discard(ids);
    },
  };
  const commands = outboxCommands(letters, {
    onRequeued: () => {
      sent.kicks += 1;
    },
    record: (change) => recordOutboxChange(audit, change),
  });
  const control = await ControlServer.open({ home, commands, logger: { log: () => undefined } });
  onTestFinished(async () => {
    await control.close();
    audit.close();
    await store.close();
    rmSync(home, { recursive: true, force: true });
  });
  const config = join(home, 'robot.json');
  writeFileSync(config, JSON.stringify({ robot: { home } }));
  const lines: string[] = [];
  const terminal: Terminal = {
    print: (line) => lines.push(line),
    note: (line) => lines.push(line),
    status: () => undefined,
    isInteractive: false,
  };
  const recorded = () => audit.query({ eventTypes: ['outbox.requeued', 'outbox.discarded'] });
  return { store, ids, superseded, sent, lines, terminal, disk, recorded, flags: { config, json: false } };
}

it('dead letters are listed, put back and removed from the command line; who did so is recorded', async () => {
  const { store, ids, superseded, sent, lines, terminal, disk, recorded, flags } = await robotWithDeadLetters();
  const [first = 0, second = 0] = ids;
  await listOutbox({ ...flags, superseded: false }, terminal);
  expect(lines).toHaveLength(4);
  expect(lines.join('\n')).toContain('too large');
  lines.length = 0;
  await listOutbox({ ...flags, superseded: true, json: true }, terminal);
  const all = JSON.parse(lines[0] ?? '') as { id: number; disposition: string }[];
  expect(all.filter(({ disposition }) => disposition === 'superseded').map(({ id }) => id)).toEqual([superseded]);

  expect(await requeueOutbox([first], { ...flags, all: false }, terminal)).toBe(0);
  expect((await store.outbox.peek()).map(({ seq }) => seq)).toEqual([2]);
  expect(sent.kicks).toBe(1);
  lines.length = 0;
  expect(await discardOutbox([second, 999], { ...flags, all: false }, terminal)).toBe(1);
  expect(await requeueOutbox([second], { ...flags, all: false }, terminal)).toBe(1);
  expect(lines).toEqual([
    '1 removed for good',
    expect.stringContaining('there is no dead letter 999;'),
    expect.stringContaining(`there is no dead letter ${second};`),
  ]);
  disk.isFull = true;
  await expect(discardOutbox([], { ...flags, all: true }, terminal)).rejects.toThrow('the disk is full');
  disk.isFull = false;
  expect(await discardOutbox([], { ...flags, all: true }, terminal)).toBe(0);
  const [third = 0] = ids.slice(2);
  const letter = (id: number, seq: number) => ({ id, jobId: 'job-1', seq, kind: 'event' });
  const told = { requested_from: 'control socket' };
  expect((await recorded()).map(({ type, outcome, details }) => [type, outcome, details])).toEqual([
    ['outbox.requeued', 'success', { ...told, count: 1, entries: [letter(first, 2)], unknown: [] }],
    ['outbox.discarded', 'success', { ...told, count: 1, entries: [letter(second, 3)], unknown: [999] }],
    ['outbox.requeued', 'failure', { ...told, count: 0, entries: [], unknown: [second] }],
    [
      'outbox.discarded',
      'failure',
      { ...told, count: 0, entries: [letter(third, 4)], unknown: [], problem: 'the disk is full' },
    ],
    ['outbox.discarded', 'success', { ...told, count: 1, entries: [letter(third, 4)], unknown: [] }],
  ]);
  expect(new Set((await recorded()).map(({ actor }) => actor))).toEqual(new Set([userInfo().username]));
  expect(await store.outbox.deadLetters()).toEqual([]);
  // What is kept as evidence is nobody's to remove with the rest.
  expect(await store.outbox.deadLetters({ dispositions: ['superseded'] })).toHaveLength(1);
  await expect(requeueOutbox([], { ...flags, all: false }, terminal)).rejects.toMatchObject({ exitCode: 2 });
});
