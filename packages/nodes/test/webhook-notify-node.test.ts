import { expect, test } from 'vitest';
import { webhookNotifyNode } from '../src/http/webhook-notify-node.ts';
import type { JsonObject } from '../src/ports.ts';
import { NodeBench } from './context.ts';
import { closedPort, serve } from './http-server.ts';

const notify = (config: JsonObject) => new NodeBench(webhookNotifyNode, config).outputs();

test.each<[string, JsonObject]>([
  ['generic', { message: 'broken', error_details: { order: 7 } }],
  ['slack', { text: 'broken\n```{"order":7}```' }],
  ['discord', { content: 'broken\n{"order":7}' }],
  ['teams', { '@type': 'MessageCard', title: 'broken', text: '{"order":7}' }],
])('a message is posted in the form of %s', async (format, body) => {
  const { url, seen } = await serve((_seen, response) => response.end('ok'));
  const outputs = await notify({ webhook_url: url, message: 'broken', error_details: { order: 7 }, format });
  expect(outputs).toEqual({ success: true, response: 'ok' });
  expect(seen).toMatchObject([{ method: 'POST', headers: { 'content-type': 'application/json' } }]);
  expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject(body);
});

test('a server that refuses the message does not fail the node', async () => {
  const { url } = await serve((_seen, response) => response.writeHead(404).end('no such hook'));
  expect(await notify({ webhook_url: url })).toEqual({ success: false, response: 'no such hook' });
});

test('a server that is not there does', async () => {
  await expect(notify({ webhook_url: `http://127.0.0.1:${await closedPort()}/` })).rejects.toMatchObject({
    category: 'transient',
  });
});
