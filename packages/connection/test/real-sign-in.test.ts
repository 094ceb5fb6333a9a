/** Signing in for real: users of an embedded Supabase's Auth, and JWTs before a real PostgREST. */
import { randomUUID } from 'node:crypto';
import { type SupabaseServer, startEmbeddedSupabase } from '@casare/local-supabase';
import { startPostgresSupabase } from '@casare/local-supabase/postgres';
import { eventually } from '@casare/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionManager, type Credentials } from '../src/index.ts';
import { rejection } from './set-up.ts';

/** Real servers take their time on a busy machine. */
const STARTING_MS = 120_000;

const email = 'robot-seven@example.com';
const password = 'a long password, with spaces';

function managerFor(server: SupabaseServer, auth: Credentials): ConnectionManager {
  const manager = new ConnectionManager({
    url: server.url,
    key: server.anonKey,
    auth,
    logger: { log: () => undefined },
    config: { authRetryIntervalMs: 200 },
  });
  onTestFinished(() => manager.disconnect());
  return manager;
}

/** A robot that only this user may act as. */
async function enrol(server: SupabaseServer, userId: string): Promise<string> {
  const robot = randomUUID();
  await server.sql('insert into robots (id, name, auth_user_id) values ($1, $2, $3)', [robot, 'seven', userId]);
  return robot;
}

async function registersOnlyItself(server: SupabaseServer, manager: ConnectionManager, robot: string): Promise<void> {
  await manager.connect();
  const named = { p_name: 'Seven' };
  expect(await manager.rpc('register_robot', { p_robot_id: robot, ...named })).toMatchObject({ robot_id: robot });
  const other = await enrol(server, randomUUID());
  const refused = await rejection(manager.rpc('register_robot', { p_robot_id: other, ...named }));
  expect(refused).toMatchObject({ class: 'P', code: '42501' });
  expect(manager.isConnected).toBe(true);
}

describe('with an embedded Supabase', () => {
  let server: SupabaseServer;
  beforeAll(async () => {
    server = await startEmbeddedSupabase();
  }, STARTING_MS);
  afterAll(() => server.stop(), STARTING_MS);

  const authServer = async (path: string, body: object): Promise<{ user?: { id?: string }; id?: string }> => {
    const headers = { apikey: server.anonKey, 'content-type': 'application/json' };
    const response = await fetch(`${server.url}/auth/v1/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as { user?: { id?: string }; id?: string };
  };

  it('a robot signs in by password, acts as itself and as nobody else', async () => {
    const { user, id } = await authServer('signup', { email, password });
    const userId = user?.id ?? id ?? '';
    const manager = managerFor(server, { kind: 'password', email, password });
    await registersOnlyItself(server, manager, await enrol(server, userId));
    expect(manager.getStatus().auth).toMatchObject({ kind: 'password', isSignedIn: true });
    expect(manager.getStatus().auth?.expiresInMs).toBeGreaterThan(60_000);
  });

  it('a wrong password is a state of its own, and ends once the user exists', async () => {
    const late = { email: 'late@example.com', password };
    const manager = managerFor(server, { kind: 'password', ...late });
    expect(await rejection(manager.connect())).toMatchObject({ class: 'U', code: 'SIGN_IN_REFUSED' });
    expect(manager.getStatus().state).toBe('AUTH_FAILED');
    await authServer('signup', late);
    await eventually('it is connected', () => manager.isConnected);
    expect(await manager.rpc('schema_version')).toBeGreaterThanOrEqual(1);
  });
});

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('with PostgreSQL and PostgREST', () => {
  let server: SupabaseServer;
  beforeAll(async () => {
    server = await startPostgresSupabase();
  }, STARTING_MS);
  afterAll(() => server.stop(), STARTING_MS);

  it('a robot acts under a JWT of its own, and one that PostgREST refuses is replaced', async () => {
    const userId = randomUUID();
    const good = await server.userToken(userId);
    const forged = `${good.slice(0, good.lastIndexOf('.'))}.${'A'.repeat(43)}`;
    const given = [forged, good];
    const manager = managerFor(server, { kind: 'jwt', token: async () => given.shift() ?? good });
    await registersOnlyItself(server, manager, await enrol(server, userId));
    expect(given).toHaveLength(0);
  });

  it('a JWT that is refused for good is a state of its own', async () => {
    const good = await server.userToken(randomUUID());
    const forged = `${good.slice(0, good.lastIndexOf('.'))}.${'A'.repeat(43)}`;
    const manager = managerFor(server, { kind: 'jwt', token: forged });
    expect(await rejection(manager.connect())).toMatchObject({ class: 'U' });
    expect(manager.getStatus().state).toBe('AUTH_FAILED');
  });
});
