/** Robots that sign in: the token is kept fresh, a refusal is loud, and its end is noticed without anybody's help. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createGzip } from 'node:zlib';
import { eventually } from '@casare/testing';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { type ConnectionError, type ConnectionManagerOptions, tokenFile } from '../src/index.ts';
import { type Behaviour, behave, type HostileServer, type Seen } from './hostile-server.ts';
import { KEY, manage, rejection, startServer } from './set-up.ts';

const PASSWORD = 'correct horse / battery & staple';
const signIn = { kind: 'password', email: 'robot@example.com', password: PASSWORD } as const;

/** Gives out `token-1`, `token-2`, ... and accepts the newest only. */
function authOf(server: HostileServer, expiresInSeconds = 3600) {
  const state = { token: '', count: 0, accepts: (seen: Seen) => JSON.parse(seen.body).password !== 'wrong' };
  const guarded =
    (inner: Behaviour): Behaviour =>
    (response, seen) =>
      seen.headers.authorization === `Bearer ${state.token}`
        ? inner(response, seen)
        : behave.json(401, { code: 'PGRST301', message: `JWT expired: ${seen.headers.authorization}` })(response, seen);
  server.auth = (response, seen) => {
    if (!state.accepts(seen)) {
      return behave.json(400, { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' })(
        response,
        seen,
      );
    }
    state.count += 1;
    state.token = `token-${state.count}-of-the-robot`;
    behave.json(200, {
      access_token: state.token,
      token_type: 'bearer',
      expires_in: expiresInSeconds,
      refresh_token: `refresh-${state.count}-of-the-robot`,
      user: { id: 'u' },
    })(response, seen);
  };
  server.health = guarded(behave.ok);
  server.script = [guarded(behave.json(200, 'done'))];
  return { state, guarded };
}

async function signedIn(options: Partial<ConnectionManagerOptions> = {}, expiresInSeconds?: number) {
  const server = await startServer();
  const auth = authOf(server, expiresInSeconds);
  const managed = manage(server, { auth: signIn, ...options });
  return { server, ...auth, ...managed };
}

describe('a robot with a sign-in of its own', () => {
  it('signs in once, and every request carries its token beside the key', async () => {
    const { server, manager } = await signedIn();
    await Promise.all([manager.connect(), manager.connect()]);
    expect(await Promise.all([manager.rpc('x'), manager.rpc('y')])).toEqual(['done', 'done']);
    expect(server.signIns).toHaveLength(1);
    expect(server.signIns[0]).toMatchObject({ path: '/auth/v1/token?grant_type=password', headers: { apikey: KEY } });
    expect(JSON.parse(server.signIns[0]?.body ?? '')).toEqual({ email: signIn.email, password: PASSWORD });
    for (const { headers } of server.calls) {
      expect(headers).toMatchObject({ apikey: KEY, authorization: 'Bearer token-1-of-the-robot' });
    }
    expect(manager.getStatus().auth).toMatchObject({ kind: 'password', isSignedIn: true, refreshes: 1, problem: null });
  });

  it('refreshes before the token ends, without anybody calling', async () => {
    const { server, manager, state } = await signedIn({}, 1);
    await manager.connect();
    await eventually('it was refreshed twice', () => server.signIns.length >= 3);
    expect(server.signIns[1]).toMatchObject({ path: '/auth/v1/token?grant_type=refresh_token' });
    expect(JSON.parse(server.signIns[1]?.body ?? '')).toEqual({ refresh_token: 'refresh-1-of-the-robot' });
    expect(await manager.rpc('x')).toBe('done');
    expect(state.count).toBeGreaterThanOrEqual(3);
  });

  it('renews a token that the server refuses, and the call, a write too, goes through once', async () => {
    const { server, manager, state } = await signedIn();
    await manager.connect();
    state.token = 'revoked';
    const before = server.calls.length;
    expect(await manager.rpc('complete_job', {}, { maxAttempts: 1 })).toBe('done');
    expect(server.calls.length - before).toBe(2);
    expect(server.signIns).toHaveLength(2);
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTED', totalFailures: 0, lastError: null });
  });

  it('signs in by password again when its refresh token is no longer good', async () => {
    const { server, manager, state } = await signedIn();
    await manager.connect();
    state.accepts = (seen) => !seen.path.includes('refresh_token');
    state.token = 'revoked';
    expect(await manager.rpc('x')).toBe('done');
    expect(server.signIns.map(({ path }) => path.split('=')[1])).toEqual(['password', 'refresh_token', 'password']);
  });

  it('works on with a good token while Auth hangs or is down', async () => {
    const { server, manager } = await signedIn({ config: { authTimeoutMs: 200 } }, 2);
    await manager.connect();
    server.auth = behave.mute;
    await eventually('a refresh hangs', () => server.signIns.length >= 2);
    expect(await manager.rpc('x')).toBe('done');
    server.auth = behave.json(503, {});
    expect(await manager.rpc('x')).toBe('done');
    expect(manager.isConnected).toBe(true);
  });

  it('does not read an answer of the Auth server that has no end', async () => {
    const { server, manager } = await signedIn({ config: { connectionTimeoutMs: 10_000 } });
    server.auth = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      const bomb = createGzip();
      bomb.pipe(response);
      bomb.end(Buffer.alloc(8 * 1024 * 1024));
    };
    const connecting = rejection(manager.connect());
    await eventually('it was given up', () => manager.getStatus().lastError?.code === 'AUTH_UNAVAILABLE');
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTING', lastError: { class: 'S' } });
    expect(manager.getStatus().lastError?.message).toContain('more than 262144 bytes');
    await manager.disconnect();
    await connecting;
  });

  it('takes an Auth server that is away for an outage, not for a refusal', async () => {
    const { server, manager, state } = await signedIn({ config: { authTimeoutMs: 200 } });
    const accept = server.auth;
    server.auth = behave.mute;
    const connecting = manager.connect();
    await eventually('a sign-in was given up', () => manager.getStatus().lastError?.code === 'AUTH_TIMEOUT');
    expect(manager.getStatus()).toMatchObject({ state: 'CONNECTING', lastError: { class: 'S' } });
    server.auth = accept;
    await connecting;
    expect(state.count).toBe(1);
  });
});

describe('refused credentials', () => {
  const slow = { authRetryIntervalMs: 300 };

  it('at the start reject connect with a remedy, are loud, and the robot comes up by itself once they are right', async () => {
    const told: ConnectionError[] = [];
    const { server, manager, log, events, state } = await signedIn({
      config: slow,
      onAuthFailed: (error) => void told.push(error),
    });
    state.accepts = () => false;
    const error = await rejection<ConnectionError>(manager.connect());
    expect(error).toMatchObject({ class: 'U', code: 'SIGN_IN_REFUSED', remedy: expect.stringContaining('password') });
    expect(manager.getStatus()).toMatchObject({
      state: 'AUTH_FAILED',
      isConnected: false,
      lastError: { code: 'SIGN_IN_REFUSED' },
      auth: { isSignedIn: false, problem: expect.stringContaining('Invalid login credentials') },
    });
    expect(manager.getStatus().nextAttemptInMs).toBeLessThanOrEqual(330);
    expect(await rejection(manager.rpc('x'))).toMatchObject({ class: 'U', code: 'AUTH_FAILED' });
    await eventually('it was tried again', () => server.signIns.length >= 3);
    expect(told).toHaveLength(1);
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(log.find(({ level }) => level === 'error')?.fields).toMatchObject({ remedy: expect.any(String) });
    state.accepts = () => true;
    await eventually('it is connected', () => manager.isConnected);
    expect(await manager.rpc('x')).toBe('done');
    expect(events).toEqual(['DISCONNECTED>CONNECTING', 'CONNECTING>AUTH_FAILED', 'AUTH_FAILED>CONNECTED']);
  });

  it('are tried slowly, not with every call and not every second', async () => {
    const { server, manager, state } = await signedIn({ config: { healthProbeIntervalMs: 10 } });
    state.accepts = () => false;
    await rejection(manager.connect());
    for (let n = 0; n < 30; n += 1) await rejection(manager.rpc('x'));
    expect(server.signIns).toHaveLength(1);
    expect(manager.getStatus().nextAttemptInMs).toBeGreaterThan(20_000);
  });

  it('in the middle of work are told apart from an outage, also when both follow each other', async () => {
    const { server, manager, state, guarded, events } = await signedIn({ config: slow });
    await manager.connect();
    const strict = server.health;
    state.accepts = () => false;
    state.token = 'revoked';
    expect(await rejection(manager.rpc('x', {}, { maxAttempts: 1 }))).toMatchObject({ class: 'U' });
    await eventually('the refusal is stated', () => manager.getStatus().state === 'AUTH_FAILED');
    await server.stop();
    await eventually('the outage is stated', () => manager.getStatus().state === 'RECONNECTING');
    await server.start();
    await eventually('the refusal is stated again', () => manager.getStatus().state === 'AUTH_FAILED');
    state.accepts = () => true;
    server.health = strict;
    server.script = [guarded(behave.json(200, 'done'))];
    await eventually('it is connected', () => manager.isConnected);
    expect(events.slice(2)).toEqual([
      'CONNECTED>AUTH_FAILED',
      'AUTH_FAILED>RECONNECTING',
      'RECONNECTING>AUTH_FAILED',
      'AUTH_FAILED>CONNECTED',
    ]);
  });

  it('do not count against the service', async () => {
    const { manager, state } = await signedIn({ config: slow });
    await manager.connect();
    state.accepts = () => false;
    state.token = 'revoked';
    for (let n = 0; n < 8; n += 1) await rejection(manager.rpc('x', {}, { maxAttempts: 1 }));
    expect(manager.getStatus()).toMatchObject({ totalFailures: 0, breaker: { state: 'CLOSED' } });
  });

  it('of one function alone leave the connection as it is', async () => {
    const { server, manager } = await signedIn();
    await manager.connect();
    server.script = [behave.json(401, { message: 'not for you' })];
    expect(await rejection(manager.rpc('x', {}, { maxAttempts: 1 }))).toMatchObject({ class: 'U', code: 'HTTP_401' });
    const seen = server.seen.length;
    await eventually('it looked once more', () => server.seen.length > seen);
    expect(manager.isConnected).toBe(true);
  });

  it('are also those of a plain key', async () => {
    const server = await startServer();
    server.health = behave.json(401, { message: 'Invalid API key' });
    const { manager, log } = manage(server, { config: slow });
    expect(await rejection(manager.connect())).toMatchObject({ class: 'U', code: 'HTTP_401' });
    expect(manager.getStatus()).toMatchObject({ state: 'AUTH_FAILED', auth: { kind: 'key' } });
    expect(log.filter(({ level }) => level === 'error')).toHaveLength(1);
    server.health = behave.ok;
    await eventually('it is connected', () => manager.isConnected);
  });
});

describe('a token that something else issues', () => {
  it('is asked for again when it is refused', async () => {
    const server = await startServer();
    const { state } = authOf(server);
    let asked = 0;
    const token = async () => {
      asked += 1;
      state.token = `issued-${asked}`;
      return { token: state.token, expiresInMs: null };
    };
    const { manager } = manage(server, { auth: { kind: 'jwt', token } });
    await manager.connect();
    state.token = 'revoked';
    expect(await manager.rpc('x')).toBe('done');
    expect(asked).toBe(2);
    expect(server.signIns).toHaveLength(0);
  });

  it('may come from a file that is replaced', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'token-file-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'robot.jwt');
    const server = await startServer();
    const { state } = authOf(server);
    const { manager } = manage(server, {
      auth: { kind: 'jwt', token: tokenFile(path) },
      config: { authRetryIntervalMs: 100 },
    });
    expect(await rejection(manager.connect())).toMatchObject({ class: 'U', code: 'TOKEN_FILE' });
    state.token = 'first';
    await writeFile(path, 'first\n');
    await eventually('it is connected', () => manager.isConnected);
    state.token = 'second';
    await writeFile(path, 'second\n');
    expect(await manager.rpc('x')).toBe('done');
  });

  it('that never comes does not hang a call', async () => {
    const server = await startServer();
    const { manager } = manage(server, {
      auth: { kind: 'jwt', token: () => new Promise(() => undefined) },
      config: { authTimeoutMs: 100 },
    });
    const connecting = rejection(manager.connect());
    expect(await rejection(manager.rpc('x', {}, { timeoutMs: 300 }))).toMatchObject({ class: 'S', ambiguous: false });
    expect(manager.getStatus().state).toBe('CONNECTING');
    await manager.disconnect();
    expect(await connecting).toMatchObject({ class: 'C' });
  });

  it('that cannot be one is refused without being shown', async () => {
    const server = await startServer();
    expect(() => manage(server, { auth: { kind: 'jwt', token: 'two\nlines' } })).toThrow(/^(?!.*lines)the token/);
    expect(() => manage(server, { auth: { ...signIn, password: '' } })).toThrow(/password/);
  });
});

test('no password and no token is in an error, a status or a log, even when a server echoes them', async () => {
  const { server, manager, log, state } = await signedIn({ config: { authRetryIntervalMs: 100 } });
  await manager.connect();
  const jwt = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from('{"sub":"somebody else"}').toString('base64url')}.c2lnbmF0dXJl`;
  const errors: unknown[] = [];
  server.script = [
    (response, seen) =>
      behave.json(500, { message: `${seen.headers.authorization} ${jwt} refresh-1-of-the-robot` })(response, seen),
  ];
  errors.push(await rejection(manager.rpc('x', {}, { maxAttempts: 1 })));
  server.auth = (response, seen) => behave.json(400, { msg: `no: ${JSON.parse(seen.body).password}` })(response, seen);
  state.token = 'revoked';
  server.script = [behave.json(401, {})];
  errors.push(await rejection(manager.rpc('x', {}, { maxAttempts: 1 })));
  await eventually('the refusal is stated', () => manager.getStatus().state === 'AUTH_FAILED');
  errors.push(await rejection(manager.rpc('x')));
  const shown = inspect({ errors, status: manager.getStatus(), log, manager }, { depth: 14, showHidden: true });
  for (const secret of [PASSWORD, 'token-1-of', 'refresh-1-of', 'c2lnbmF0dXJl', 'hush-hush']) {
    expect(shown).not.toContain(secret);
  }
  expect(shown).toContain('[redacted]');
});

test('an idle connection is looked at, and its loss is noticed although nobody calls', async () => {
  const server = await startServer();
  const { manager } = manage(server, { config: { idleProbeIntervalMs: 50, healthProbeTimeoutMs: 300 } });
  await manager.connect();
  await eventually('it was looked at', () => server.seen.length >= 4);
  expect(manager.getStatus()).toMatchObject({ state: 'CONNECTED', totalFailures: 0 });
  server.health = behave.mute;
  await eventually('the loss is noticed', () => manager.getStatus().state === 'RECONNECTING');
  server.health = behave.ok;
  await eventually('the return is noticed', () => manager.isConnected);
});

test('a connection that is used is not looked at besides', async () => {
  const server = await startServer();
  const { manager } = manage(server, { config: { idleProbeIntervalMs: 2_000 } });
  await manager.connect();
  const seen = server.seen.length;
  for (let n = 0; n < 20; n += 1) await manager.rpc('x');
  expect(server.seen.length - seen).toBe(20);
});
