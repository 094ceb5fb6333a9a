import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OfflineQueue, openStore } from '@casare/offline-store';
import { expect, it, onTestFinished } from 'vitest';
import { discardOutbox, listOutbox, requeueOutbox } from '../cli/outbox-commands.ts';
import type { Terminal } from '../cli/terminal.ts';
import { ControlServer } from './control-server.ts';
import { outboxCommands } from './outbox-control.ts';

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
  await store.outbox.supersede([superseded], 'the job had passed to another claim');
  const sent = { kicks: 0 };
  const commands = outboxCommands(store.outbox, () => {
    sent.kicks += 1;
  });
  const control = await ControlServer.open({ home, commands, logger: { log: () => undefined } });
  onTestFinished(async () => {
    await control.close();
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
  return { store, ids, superseded, sent, lines, terminal, flags: { config, json: false } };
}

it('dead letters are listed, put back and removed from the command line', async () => {
  const { store, ids, superseded, sent, lines, terminal, flags } = await robotWithDeadLetters();
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
  expect(await discardOutbox([], { ...flags, all: true }, terminal)).toBe(0);
  expect(await store.outbox.deadLetters()).toEqual([]);
  // What is kept as evidence is nobody's to remove with the rest.
  expect(await store.outbox.deadLetters({ dispositions: ['superseded'] })).toHaveLength(1);
  await expect(requeueOutbox([], { ...flags, all: false }, terminal)).rejects.toMatchObject({ exitCode: 2 });
});
