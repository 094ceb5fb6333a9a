/** Answers read to their end, or to the end of the time there is: against a server that stalls, drips and lies. */
import { describe, expect, it } from 'vitest';
import { type RetryOptions, readAnswer, readBytes, retry } from '../src/index.ts';
import { type Behaviour, behave } from './hostile-server.ts';
import { rejection, startServer } from './set-up.ts';

async function asked(script: Behaviour[], options: RetryOptions = {}) {
  const server = await startServer();
  server.script = script;
  const waits: number[] = [];
  const work = retry(
    async ({ signal }) => (await readAnswer(await fetch(`${server.url}/x`, { signal }), { signal })).json(),
    { idempotent: true, initialDelayMs: 1, jitter: false, onRetry: ({ delayMs }) => waits.push(delayMs), ...options },
  );
  return { server, work, waits };
}

describe('one deadline', () => {
  it.each([
    ['a body that stalls', behave.stalledBody],
    ['a body that drips', behave.slowDrip],
    ['headers that do not come', behave.mute],
  ])('ends %s', async (_what, behaviour) => {
    const { work } = await asked([behaviour], { timeoutMs: 150 });
    expect(await rejection(work)).toMatchObject({ class: 'A', code: 'DEADLINE_EXCEEDED', ambiguous: true });
  });

  it('ends a body that does not listen to its signal', async () => {
    const body = new ReadableStream({ pull: () => new Promise(() => undefined) });
    const work = retry(({ signal }) => readBytes(new Response(body), { signal }), { timeoutMs: 50 });
    expect(await rejection(work)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('leaves time for what is left after an attempt that broke off', async () => {
    const { work } = await asked([behave.resetMidBody, behave.json(200, { id: 1 })], { timeoutMs: 10_000 });
    expect(await work).toEqual({ id: 1 });
  });
});

describe('what a server says about when to come back', () => {
  it('is obeyed in seconds and as a date, by its own clock', async () => {
    const date = { 'retry-after': 'Thu, 01 Jan 2026 00:00:01 GMT', date: 'Thu, 01 Jan 2026 00:00:00 GMT' };
    const { work, waits } = await asked(
      [behave.json(429, {}, { 'retry-after': '0.02' }), behave.json(503, {}, date), behave.json(200, 'there')],
      { maxDelayMs: 30 },
    );
    expect(await work).toBe('there');
    expect(waits).toEqual([20, 30]);
  });

  it('is not waited for when the deadline comes first', async () => {
    const throttled = behave.json(429, { message: 'later' }, { 'retry-after': '20' });
    const { work, waits } = await asked([throttled], { timeoutMs: 10_000 });
    expect(await rejection(work)).toMatchObject({ class: 'T', code: 'HTTP_429', status: 429, retryAfterMs: 20_000 });
    expect(waits).toEqual([]);
  });
});

describe('an answer that is none', () => {
  it.each([
    ['a page in place of JSON', behave.html(200), { class: 'A', code: 'NOT_JSON', status: 200 }],
    ['a refusal', behave.json(403, { message: 'no' }), { class: 'P', code: 'HTTP_403', details: '{"message":"no"}' }],
    ['an error', behave.json(500, {}), { class: 'A', code: 'HTTP_500' }],
    ['nothing at all', behave.empty(404), { class: 'P', code: 'HTTP_404', details: '' }],
  ])('is a failure: %s', async (_what, behaviour, expected) => {
    const { work } = await asked([behaviour], { maxAttempts: 1 });
    expect(await rejection(work)).toMatchObject(expected);
  });

  it('is a failure when it is too long', async () => {
    const work = readBytes(new Response('x'.repeat(1001)), { maxBytes: 1000 });
    expect(await rejection(work)).toMatchObject({ class: 'P', code: 'RESPONSE_TOO_LARGE', ambiguous: true });
    expect(await readBytes(new Response(null))).toHaveLength(0);
  });
});
