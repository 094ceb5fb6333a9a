/** Wake-ups against a server that speaks the protocol of Supabase Realtime, well and badly. */
import { inspect } from 'node:util';
import { eventually, ManualClock } from '@casare/testing';
import { PhoenixServer } from '@casare/testing/realtime';
import { createClient } from '@supabase/supabase-js';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { WakeUps, type WakeUpsOptions } from '../src/index.ts';
import { type LogLine, rejection } from './set-up.ts';

const KEY = 'sb_publishable_key-of-the-project';
const TOPIC = 'casare:robot:7';

async function startPhoenix(): Promise<PhoenixServer> {
  const server = await new PhoenixServer().start();
  onTestFinished(() => server.stop());
  return server;
}

/** Wake-ups that do everything a hundred times faster than usual, with a database that echoes through the server. */
function listen(server: PhoenixServer, options: Partial<WakeUpsOptions> = {}) {
  const heard: string[] = [];
  const turns: string[] = [];
  const log: LogLine[] = [];
  const wakeUps = new WakeUps({
    url: server.url,
    key: KEY,
    token: async () => 'token-1',
    topics: [{ name: TOPIC }],
    requestEcho: async (nonce) => {
      server.broadcast(TOPIC, 'echo', { nonce });
      return true;
    },
    onWakeUp: (wakeUp) => heard.push(wakeUp.reason === 'broadcast' ? wakeUp.event : wakeUp.reason),
    onAlive: () => turns.push('alive'),
    onLost: () => turns.push('lost'),
    logger: { log: (level, message, fields) => log.push({ level, message, fields }) },
    ...options,
    config: {
      initialDelayMs: 10,
      maxDelayMs: 100,
      connectTimeoutMs: 300,
      tokenTimeoutMs: 200,
      heartbeatIntervalMs: 50,
      heartbeatTimeoutMs: 200,
      echoIntervalMs: 100,
      echoTimeoutMs: 200,
      refusedRetryMs: 100,
      ...options.config,
    },
  });
  onTestFinished(() => wakeUps.stop());
  wakeUps.start();
  return { wakeUps, heard, turns, log };
}

async function alive(options: Partial<WakeUpsOptions> = {}) {
  const server = await startPhoenix();
  const listening = listen(server, options);
  await eventually('push is alive', () => listening.wakeUps.isAlive);
  return { server, ...listening };
}

describe('push that works', () => {
  it('joins private topics with the token of the robot, tells to look, and proves itself by a round trip', async () => {
    const { server, heard, wakeUps } = await alive({ topics: [{ name: TOPIC }, { name: 'casare:robots' }] });
    expect(server.urls[0]?.pathname).toBe('/realtime/v1/websocket');
    expect(Object.fromEntries(server.urls[0]?.searchParams ?? [])).toEqual({ apikey: KEY, vsn: '2.0.0' });
    expect(server.joins.map(({ topic, token }) => [topic, token])).toEqual([
      [TOPIC, 'token-1'],
      ['casare:robots', 'token-1'],
    ]);
    expect(server.joins[0]?.config).toMatchObject({ private: true });
    expect(heard).toEqual(['joined', 'alive']);
    expect(wakeUps.getStatus()).toMatchObject({ state: 'ALIVE', isAlive: true, reason: null, links: 1 });
  });

  it.each(['text', 'binary'] as const)('hands on what the database says, as %s', async (form) => {
    const { server, heard } = await alive();
    server.broadcast(TOPIC, 'cancel', { job_id: 'j' }, form);
    await eventually('it was heard', () => heard.includes('cancel'));
  });

  it('hands on what many robots hear at different moments, once for all that come meanwhile', async () => {
    const { server, heard, wakeUps } = await alive({
      topics: [{ name: TOPIC }, { name: 'casare:robots', spreadMs: 200 }],
      random: () => 0.9,
    });
    for (let n = 0; n < 5; n += 1) server.broadcast('casare:robots', 'jobs', {});
    await eventually('all have arrived', () => wakeUps.getStatus().received === 5);
    expect(heard).not.toContain('jobs');
    await eventually('it was handed on', () => heard.includes('jobs'));
    expect(heard.filter((what) => what === 'jobs')).toHaveLength(1);
  });

  it('goes on under the next token before the first one ends', async () => {
    let token = 'token-1';
    const { server } = await alive({ token: async () => token });
    token = 'token-2';
    await eventually('the server was told', () => server.tokens.includes('token-2'));
    expect(server.joins).toHaveLength(1);
    expect(server.tokens).toEqual(['token-2']);
  });

  it('is proved again and again', async () => {
    let asked = 0;
    const server = await startPhoenix();
    const { wakeUps, turns } = listen(server, {
      requestEcho: async (nonce) => {
        asked += 1;
        server.broadcast(TOPIC, 'echo', { nonce });
        return true;
      },
    });
    await eventually('several round trips', () => asked >= 4);
    expect(wakeUps.isAlive).toBe(true);
    expect(turns).toEqual(['alive']);
  });

  it('counts as alive when it is joined, where nobody can make an echo', async () => {
    const server = await startPhoenix();
    const { wakeUps } = listen(server, { requestEcho: undefined as never });
    await eventually('push is alive', () => wakeUps.isAlive);
  });
});

describe('push that does not work', () => {
  it('is not alive before messages flow, although the topic is joined', async () => {
    const server = await startPhoenix();
    let flows = false;
    const { wakeUps, heard } = listen(server, {
      requestEcho: async (nonce) => {
        if (flows) server.broadcast(TOPIC, 'echo', { nonce });
        return true;
      },
      config: { echoTimeoutMs: 60 },
    });
    await eventually('an echo was missed', () => wakeUps.getStatus().reason?.includes('no echo'));
    expect(wakeUps.isAlive).toBe(false);
    flows = true;
    await eventually('push is alive', () => wakeUps.isAlive);
    expect(heard.at(-1)).toBe('alive');
  });

  it('is no longer alive when messages stop to flow on a socket that is well', async () => {
    const server = await startPhoenix();
    let flows = true;
    const { wakeUps, turns } = listen(server, {
      requestEcho: async (nonce) => {
        if (flows) server.broadcast(TOPIC, 'echo', { nonce });
        return true;
      },
      config: { echoTimeoutMs: 60 },
    });
    await eventually('push is alive', () => wakeUps.isAlive);
    flows = false;
    await eventually('that is noticed', () => turns.includes('lost'));
    await eventually('another link is made', () => wakeUps.getStatus().links >= 2);
    flows = true;
    await eventually('push is alive', () => wakeUps.isAlive);
  });

  it('is not fooled by the echo of another', async () => {
    const server = await startPhoenix();
    const { wakeUps } = listen(server, {
      requestEcho: async () => {
        server.broadcast(TOPIC, 'echo', { nonce: 'of another' });
        return true;
      },
      config: { echoTimeoutMs: 60 },
    });
    await eventually('an echo was missed', () => wakeUps.getStatus().reason?.includes('no echo'));
    expect(wakeUps.isAlive).toBe(false);
  });

  it.each([
    ['a socket that goes mute', (server: PhoenixServer) => (server.mood = 'mute')],
    ['heartbeats without an answer', (server: PhoenixServer) => (server.mood = 'no-heartbeat')],
    ['a connection that is cut', (server: PhoenixServer) => server.cut()],
    ['a channel that is closed', (server: PhoenixServer) => server.closeChannel(TOPIC)],
    ['a system error', (server: PhoenixServer) => server.system(TOPIC, 'error', 'UnableToConnectToProject')],
    ['a frame that is too long', (server: PhoenixServer) => server.raw('x'.repeat(300 * 1024))],
  ])('is noticed: %s', async (_name, harm) => {
    const { server, wakeUps, turns } = await alive();
    harm(server);
    await eventually('the loss is noticed', () => turns.includes('lost'));
    server.mood = 'well';
    await eventually('push is alive again', () => wakeUps.isAlive);
    expect(wakeUps.getStatus().links).toBeGreaterThanOrEqual(2);
  });

  it('comes back when its server does, and the robot is told to look', async () => {
    const { server, wakeUps, heard, turns } = await alive();
    await server.stop();
    await eventually('the loss is noticed', () => !wakeUps.isAlive);
    const before = heard.length;
    await server.start();
    await eventually('push is alive', () => wakeUps.isAlive);
    expect(heard.slice(before)).toEqual(['joined', 'alive']);
    expect(turns).toEqual(['alive', 'lost', 'alive']);
  });

  it('is not disturbed by garbage', async () => {
    const { server, wakeUps, heard } = await alive();
    const garbage = ['', 'null', '[', '[1,2,3,4,5]', '{"topic":"x"}', '"text"', '[null,null,"realtime:other","x",{}]'];
    for (const each of garbage) server.raw(each);
    server.raw(new Uint8Array([4, 255, 255, 255, 1, 0]));
    server.raw(new Uint8Array(0));
    server.broadcast(TOPIC, 'jobs', null);
    server.raw(JSON.stringify([null, null, `realtime:${TOPIC}`, 'broadcast', null]));
    server.broadcast(TOPIC, 'cancel', {});
    await eventually('what is sound was heard', () => heard.includes('cancel'));
    expect(heard).toContain('jobs');
    expect(wakeUps.isAlive).toBe(true);
    expect(wakeUps.getStatus().ignored).toBe(garbage.length + 2);
  });
});

describe('a server that refuses', () => {
  it('the join is asked again seldom, is said once, and accepted as soon as it is right', async () => {
    const server = await startPhoenix();
    server.authorize = () => 'Unauthorized: You do not have permissions to read from this Channel topic';
    const { wakeUps, log } = listen(server);
    await eventually('it was refused', () => wakeUps.getStatus().state === 'REFUSED');
    expect(wakeUps.getStatus().reason).toContain('Unauthorized');
    await eventually('it asked again', () => server.joins.length >= 3);
    expect(log.filter(({ level }) => level === 'warning')).toHaveLength(1);
    server.authorize = () => true;
    await eventually('push is alive', () => wakeUps.isAlive);
  });

  it('is left alone for the usual time', async () => {
    const server = await startPhoenix();
    server.authorize = () => 'JwtSignatureError';
    const { wakeUps } = listen(server, { config: { refusedRetryMs: 60_000 } });
    await eventually('it was refused', () => wakeUps.getStatus().state === 'REFUSED');
    expect(server.joins).toHaveLength(1);
    server.authorize = () => true;
    wakeUps.tryNow();
    await eventually('push is alive', () => wakeUps.isAlive);
  });

  it.each([401, 403, 404])('the handshake with %i is not asked again at once', async (status) => {
    const server = await startPhoenix();
    server.refuseHandshake = status;
    const { wakeUps, log } = listen(server, { config: { refusedRetryMs: 60_000 } });
    await eventually('it was refused', () => wakeUps.getStatus().state === 'REFUSED');
    expect(server.urls).toHaveLength(1);
    // Having no Realtime at all is nothing to warn of.
    expect(log.map(({ level }) => level)).toEqual([status === 404 ? 'info' : 'warning']);
  });

  it.each([
    ['a busy server', (server: PhoenixServer) => (server.refuseHandshake = 503)],
    ['a handshake that hangs', (server: PhoenixServer) => (server.hangHandshake = true)],
    ['joins that are never answered', (server: PhoenixServer) => (server.mood = 'no-join-reply')],
    ['a server that hangs up on joins', (server: PhoenixServer) => (server.mood = 'close-on-join')],
    ['a limit that passes', (server: PhoenixServer) => (server.authorize = () => 'ChannelRateLimitReached')],
  ])('for a while is asked again with growing pauses: %s', async (_name, harm) => {
    const server = await startPhoenix();
    harm(server);
    const { wakeUps } = listen(server, { random: () => 0.5 });
    await eventually('it was tried again', () => wakeUps.getStatus().links >= 3);
    expect(['CONNECTING', 'WAITING']).toContain(wakeUps.getStatus().state);
    Object.assign(server, { refuseHandshake: undefined, hangHandshake: false, mood: 'well', authorize: () => true });
    await eventually('push is alive', () => wakeUps.isAlive);
  });

  it('because its database has no Realtime is not asked for an echo every second', async () => {
    const server = await startPhoenix();
    let asked = 0;
    const { wakeUps } = listen(server, {
      requestEcho: async () => {
        asked += 1;
        return false;
      },
      config: { refusedRetryMs: 60_000 },
    });
    await eventually('it was given up', () => wakeUps.getStatus().state === 'REFUSED');
    expect(wakeUps.getStatus().reason).toContain('no Realtime');
    expect(asked).toBe(1);
  });

  it('because the migration is missing says so', async () => {
    const server = await startPhoenix();
    const { wakeUps } = listen(server, {
      requestEcho: () => Promise.reject(Object.assign(new Error('Could not find the function'), { code: 'PGRST202' })),
    });
    await eventually('it was given up', () => wakeUps.getStatus().reason?.includes('lacks the migration'));
  });
});

describe('a token', () => {
  it('whose provider never settles does not end the trying', async () => {
    let hangs = true;
    const server = await startPhoenix();
    const { wakeUps } = listen(server, {
      token: () => (hangs ? new Promise(() => undefined) : Promise.resolve('token-9')),
      config: { tokenTimeoutMs: 50 },
    });
    await eventually('it was tried again', () => wakeUps.getStatus().links >= 3);
    expect(wakeUps.getStatus().reason ?? 'no token').toContain('no token');
    hangs = false;
    await eventually('push is alive', () => wakeUps.isAlive);
    expect(server.joins[0]?.token).toBe('token-9');
  });

  it.each<[string, () => Promise<never>]>([
    ['rejects with nothing', () => Promise.reject()],
    ['rejects with what cannot be shown', () => Promise.reject(Object.create(null))],
    ['brings nothing', async () => undefined as never],
    ['brings no text', async () => 5 as never],
  ])('whose provider %s does not end the trying', async (_what, broken) => {
    let isBroken = true;
    const server = await startPhoenix();
    const { wakeUps } = listen(server, { token: () => (isBroken ? broken() : Promise.resolve('token-9')) });
    await eventually('it was tried again', () => wakeUps.getStatus().links >= 3);
    isBroken = false;
    await eventually('push is alive', () => wakeUps.isAlive);
    expect(server.joins.map(({ token }) => token)).toEqual(['token-9']);
  });

  it('whose provider hangs later does not harm a link that is well', async () => {
    const given = ['token-1'];
    const { server, wakeUps } = await alive({
      token: () => (given.pop()?.length === 7 ? Promise.resolve('token-1') : new Promise(() => undefined)),
      config: { tokenTimeoutMs: 50 },
    });
    const { heartbeats } = server;
    await eventually('heartbeats go on', () => server.heartbeats > heartbeats + 5);
    expect(wakeUps.isAlive).toBe(true);
    expect(wakeUps.getStatus().links).toBe(1);
  });

  it('is never shown, and the key is not, whatever the server says', async () => {
    const server = await startPhoenix();
    server.authorize = (token) => `Unauthorized: ${token} and ${KEY}`;
    const { wakeUps, log } = listen(server, { token: async () => 'token-hush-hush' });
    await eventually('it was refused', () => wakeUps.getStatus().state === 'REFUSED');
    const shown = inspect({ log, status: wakeUps.getStatus(), wakeUps }, { depth: 12, showHidden: true });
    expect(shown).toContain('[redacted]');
    expect(shown).not.toContain('hush-hush');
    expect(shown).not.toContain(KEY);
  });
});

test('a flapping server is met with pauses that grow, and never counts as stable', async () => {
  const server = await startPhoenix();
  const { wakeUps, turns } = listen(server, {
    random: () => 0.999,
    onAlive: () => {
      turns.push('alive');
      server.cut();
    },
    config: { initialDelayMs: 5, maxDelayMs: 40, stableAfterMs: 10_000 },
  });
  await eventually('it flapped', () => wakeUps.getStatus().links >= 6);
  expect(turns.slice(0, 6)).toEqual(['alive', 'lost', 'alive', 'lost', 'alive', 'lost']);
});

test('a logger that throws alters nothing', async () => {
  const log = () => {
    throw new Error('the logger is broken');
  };
  const { server, turns } = await alive({ logger: { log } });
  server.cut();
  await eventually('push is alive again', () => turns.length >= 3);
  expect(turns).toEqual(['alive', 'lost', 'alive']);
});

test('an address or key that cannot be right is refused at once', () => {
  const make = (given: object) => () =>
    new WakeUps({
      url: 'http://127.0.0.1:1',
      key: KEY,
      token: async () => 'token-1',
      topics: [{ name: TOPIC }],
      onWakeUp: () => undefined,
      ...given,
    });
  expect(make({ url: 'nonsense' })).toThrow(expect.objectContaining({ code: 'INVALID_URL' }));
  expect(make({ key: undefined })).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
  expect(make({ config: { jitter: 'much' } })).toThrow(/jitter/);
});

test('a listener that throws alters nothing', async () => {
  const { server, wakeUps, log } = await alive({
    onWakeUp: () => {
      throw new Error('listener');
    },
  });
  server.broadcast(TOPIC, 'jobs', {});
  await eventually('it was called', () => wakeUps.getStatus().received === 1);
  expect(wakeUps.isAlive).toBe(true);
  expect(log.some(({ message }) => message.includes('onWakeUp listener failed: listener'))).toBe(true);
});

describe('stopping', () => {
  it.each([
    ['while push is alive', (_server: PhoenixServer) => undefined, 'ALIVE'],
    ['while joining', (server: PhoenixServer) => (server.mood = 'no-join-reply'), 'CONNECTING'],
    ['while a handshake hangs', (server: PhoenixServer) => (server.hangHandshake = true), 'CONNECTING'],
    ['while it is refused', (server: PhoenixServer) => (server.refuseHandshake = 403), 'REFUSED'],
  ])('%s leaves no socket', async (_name, harm, state) => {
    const server = await startPhoenix();
    harm(server);
    const { wakeUps } = listen(server, { config: { connectTimeoutMs: 60_000, refusedRetryMs: 60_000 } });
    await eventually(state, () => wakeUps.getStatus().state === state && server.urls.length > 0);
    await Promise.all([wakeUps.stop(), wakeUps.stop()]);
    expect(wakeUps.getStatus()).toMatchObject({ state: 'OFF', reason: null });
    await eventually('the server sees no socket', () => server.openSockets === 0);
    Object.assign(server, { mood: 'well', hangHandshake: false, refuseHandshake: undefined });
    wakeUps.start();
    await eventually('push is alive', () => wakeUps.isAlive);
  });
});

test('a mute socket is noticed within 15 s by the default settings', async () => {
  const clock = new ManualClock();
  const sent: string[] = [];
  let answers = true;
  const turns: number[] = [];
  const wakeUps = new WakeUps({
    url: 'http://127.0.0.1:1',
    key: KEY,
    clock,
    random: () => 0.5,
    token: async () => 't',
    topics: [{ name: TOPIC }],
    onWakeUp: () => undefined,
    onLost: () => turns.push(clock.monotonic()),
    logger: { log: () => undefined },
    openSocket: (_url, { onOpen, onData }) => {
      queueMicrotask(onOpen);
      return {
        send: (text) => {
          sent.push(text);
          const [joinRef, ref, topic] = JSON.parse(text) as [string, string, string];
          if (answers) onData(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }]));
        },
        drop: () => undefined,
      };
    },
  });
  wakeUps.start();
  await clock.advance(62_500);
  expect(wakeUps.isAlive).toBe(true);
  answers = false;
  const mutedAt = clock.monotonic();
  await clock.advance(60_000);
  expect(turns[0]).toBeDefined();
  expect((turns[0] ?? 0) - mutedAt).toBeLessThanOrEqual(15_000);
  await wakeUps.stop();
  expect(clock.sleeping).toBe(0);
});

describe('the test server is understood by the client of supabase-js', () => {
  const subscribe = async (server: PhoenixServer, topic: string) => {
    const client = createClient(server.url, KEY, { auth: { persistSession: false, autoRefreshToken: false } });
    onTestFinished(() => client.realtime.disconnect() as unknown as Promise<void>);
    const messages: unknown[] = [];
    await client.realtime.setAuth('token-of-a-robot');
    const channel = client.channel(topic, { config: { private: true } });
    channel.on('broadcast', { event: '*' }, (message) => messages.push([message.event, message.payload]));
    await new Promise<void>((resolve, reject) => {
      channel.subscribe((status, error) => {
        if (status === 'SUBSCRIBED') resolve();
        if (status === 'CHANNEL_ERROR') reject(error ?? new Error(status));
      });
    });
    return messages;
  };

  it('joins, and hears broadcasts in both forms', async () => {
    const server = await startPhoenix();
    const messages = await subscribe(server, TOPIC);
    expect(server.urls[0]?.searchParams.get('vsn')).toBe('2.0.0');
    expect(server.joins[0]).toMatchObject({ topic: TOPIC, token: 'token-of-a-robot', config: { private: true } });
    server.broadcast(TOPIC, 'jobs', { n: 1 });
    server.broadcast(TOPIC, 'cancel', { n: 2 }, 'binary');
    await eventually('both were heard', () => messages.length === 2);
    expect(messages).toEqual([
      ['jobs', { n: 1 }],
      ['cancel', { n: 2 }],
    ]);
  });

  it('is told that it may not join', async () => {
    const server = await startPhoenix();
    server.authorize = (token) => (token === 'the right one' ? true : 'Unauthorized');
    expect(await rejection(subscribe(server, TOPIC))).toMatchObject({
      message: expect.stringContaining('Unauthorized'),
    });
  });
});
