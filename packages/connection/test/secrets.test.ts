/** The key is in no error, status or log, whatever a server or the network says. */
import { inspect } from 'node:util';
import { eventually } from '@casare/testing';
import { expect, test } from 'vitest';
import { ConnectionManager } from '../src/index.ts';
import { behave } from './hostile-server.ts';
import { connected, KEY, rejection } from './set-up.ts';

test('a server that echoes the key does not get it into an error, a status or a log', async () => {
  const { server, manager, log } = await connected();
  const echo = { code: 'XX000', message: `bad key ${KEY}`, details: `key=${encodeURIComponent(KEY)}`, hint: KEY };
  const errors: unknown[] = [];
  for (const behaviour of [behave.json(500, echo), behave.json(401, echo), behave.brokenJson(`["${KEY}`)]) {
    server.script = [behaviour];
    errors.push(await rejection(manager.rpc('x', {}, { maxAttempts: 1 })));
  }
  server.health = behave.json(500, echo);
  await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
  await eventually('the loss is noticed', () => !manager.isConnected);
  const shown = inspect({ errors, status: manager.getStatus(), log, manager }, { depth: 12, showHidden: true });
  expect(shown).not.toContain('hush-hush');
  expect(shown).toContain('bad key [redacted]');
});

test('a key that stands where a long answer is cut is not shown in part', async () => {
  const { server, manager } = await connected();
  for (let at = 40; at <= 90; at += 10) {
    server.script = [behave.brokenJson(`${'x'.repeat(at)}${KEY}${'y'.repeat(1000)}`)];
    const { message } = await rejection<Error>(manager.rpc('x', {}, { maxAttempts: 1 }));
    expect(message).not.toContain(KEY.slice(0, 8));
  }
});

test('a network failure that names the key is told without it', async () => {
  const failing = Object.assign(new Error(`cannot send Bearer ${KEY}`), { code: 'ECONNREFUSED' });
  const fetch = () => Promise.reject(new TypeError('fetch failed', { cause: failing }));
  const manager = new ConnectionManager({
    url: 'http://127.0.0.1:1',
    key: KEY,
    fetch,
    config: { maxReconnectAttempts: 1 },
  });
  const error = await rejection(manager.connect());
  expect(error).toMatchObject({ code: 'ECONNREFUSED', cause: { cause: { code: 'ECONNREFUSED' } } });
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('hush-hush');
});

test('a key or URL that cannot be right is refused without being shown', () => {
  const make = (url: string, key: string) => () => new ConnectionManager({ url, key });
  expect(make('http://127.0.0.1:1', `${KEY}\n`)).toThrow(/^(?!.*hush-hush)the key contains/);
  expect(make('http://127.0.0.1:1', '')).toThrow(/the key is empty/);
  expect(make('ftp://127.0.0.1', KEY)).toThrow(/http/);
  expect(make('http://me:secret@127.0.0.1', KEY)).toThrow(/^(?!.*secret)the URL/);
});
