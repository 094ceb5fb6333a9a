/** After disconnect nothing is left: no pending promise, no socket, no timer, no reason for the process to stay. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { eventually } from '@casare/testing';
import { PhoenixServer } from '@casare/testing/realtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Behaviour, behave, type HostileServer } from './hostile-server.ts';
import { connected, manage, rejection, startServer } from './set-up.ts';

describe('disconnect', () => {
  it('ends calls under way, in a wait and waiting for the connection, with a clear reason', async () => {
    const { server, manager } = await connected({
      config: { connectionTimeoutMs: 30_000 },
      retry: { initialDelayMs: 30_000, maxDelayMs: 30_000, jitter: false },
    });
    server.script = [behave.mute, behave.json(425, {})];
    const underWay = rejection(manager.rpc('x'));
    await eventually('the first request arrived', () => server.calls.length === 1);
    const inWait = rejection(manager.rpc('x'));
    await eventually('the second call failed', () => manager.getStatus().totalFailures === 1);
    await manager.disconnect();
    expect(await underWay).toMatchObject({ class: 'C', code: 'DISCONNECTED', ambiguous: true });
    expect(await inWait).toMatchObject({ class: 'C', code: 'DISCONNECTED', ambiguous: false });
    expect(manager.getStatus()).toMatchObject({ state: 'DISCONNECTED', totalFailures: 1, nextAttemptInMs: null });
    await eventually('the server sees no socket', () => server.openSockets === 0);
  });

  it('ends a connect that is under way, and may be called twice', async () => {
    const server = await startServer();
    server.health = behave.mute;
    const { manager } = manage(server);
    const connecting = rejection(manager.connect());
    await eventually('the probe arrived', () => server.seen.length > 0);
    await Promise.all([manager.disconnect(), manager.disconnect()]);
    expect(await connecting).toMatchObject({ class: 'C', code: 'DISCONNECTED' });
    await eventually('the server sees no socket', () => server.openSockets === 0);
  });

  it('by the listener that is told of the beginning ends the connect', async () => {
    const server = await startServer();
    const { manager } = manage(server, { onStateChange: () => manager.disconnect() });
    expect(await rejection(manager.connect())).toMatchObject({ class: 'C', code: 'DISCONNECTED' });
    expect(manager.getStatus().state).toBe('DISCONNECTED');
    await eventually('the server sees no socket', () => server.openSockets === 0);
  });

  it('and everything before it works with a logger that throws', async () => {
    const server = await startServer();
    const log = () => {
      throw new Error('the logger is broken');
    };
    const { manager } = manage(server, { logger: { log } });
    await manager.connect();
    server.health = behave.json(401, {});
    server.script = [behave.json(401, {})];
    await rejection(manager.rpc('x'));
    await manager.disconnect();
    expect(manager.getStatus().state).toBe('DISCONNECTED');
    await eventually('the server sees no socket', () => server.openSockets === 0);
  });

  it('leaves no handle and no timer in the process', async () => {
    const server = await startServer();
    server.script = [behave.json(500, {}), behave.mute];
    const result = await inChild(server.url, 'disconnect');
    expect(result).toMatchObject({ code: 0, output: { state: 'DISCONNECTED', resources: [] } });
  });

  it('lets the process end, also while reconnecting', async () => {
    const server = await startServer();
    const goMute: Behaviour = (response) => {
      server.health = behave.mute;
      behave.resetAtOnce(response);
    };
    server.script = [goMute];
    const result = await inChild(server.url, 'reconnecting');
    expect(result).toMatchObject({ code: 0, output: { state: 'DISCONNECTED', resources: [] } });
  });

  it('does not leave a handshake behind that nobody answers', async () => {
    const server = await muteServer();
    const result = await inChild(server.url, 'handshake');
    expect(result).toMatchObject({ code: 0, output: { state: 'DISCONNECTED', resources: [] } });
  });

  it('leaves nothing whatever the servers do, with a sign-in that hangs or is refused, and with wake-ups', async () => {
    const behaviours: { readonly [name: string]: Behaviour } = {
      mute: behave.mute,
      drip: behave.slowDrip,
      stalled: behave.stalledBody,
      reset: behave.resetMidBody,
      page: behave.html(200),
      error: behave.json(500, {}),
      throttle: behave.json(429, {}, { 'retry-after': '3600' }),
      refusal: behave.json(401, {}),
      well: behave.ok,
    };
    const auth = { kind: 'password', email: 'a@b.c', password: 'p' } as const;
    const servers: HostileServer[] = [];
    const places: { url: string; auth?: typeof auth; push?: boolean }[] = [];
    for (const behaviour of Object.values(behaviours)) {
      const server = await startServer();
      server.health = behaviour;
      server.script = [behave.mute];
      server.auth = behaviour;
      servers.push(server);
      places.push({ url: server.url }, { url: server.url, auth });
    }
    const phoenix = await new PhoenixServer().start();
    onTestFinished(() => phoenix.stop());
    const deaf = await new PhoenixServer().start();
    onTestFinished(() => deaf.stop());
    deaf.hangHandshake = true;
    const silent = await muteServer();
    places.push({ url: phoenix.url, push: true }, { url: deaf.url, push: true }, { url: 'http://127.0.0.1:9' }, silent);

    const script = new URL('./fixtures/leave-everything.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, JSON.stringify(places)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const closed = once(child, 'close');
    await eventually('all are in the middle of it', () => {
      const tried = servers.every(({ seen, signIns }) => signIns.length > 0 && seen.length > signIns.length);
      return tried && phoenix.heartbeats > 0 && deaf.urls.length > 0;
    });
    child.stdin.end('go');
    const [code] = await closed;
    expect({ code, output }).toEqual({ code: 0, output: 'ready\n[]' });
    await eventually('no server sees a socket', () => servers.every(({ openSockets }) => openSockets === 0));
    await eventually('nor do the others', () => phoenix.connections === 0 && deaf.openSockets === 0);
  });
});

/** A server that accepts and never says a word: a TLS handshake with it hangs. */
async function muteServer(): Promise<{ url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => socket.destroy())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Runs the fixture in a process of its own, which must end by itself. */
async function inChild(url: string, scenario: string): Promise<{ code: number; output: unknown }> {
  const script = new URL('./fixtures/connect-and-leave.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, url, scenario], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, output: JSON.parse(output) };
}
