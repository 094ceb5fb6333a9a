import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JsonObject } from '@casare/execution';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { askRobot } from './ask-robot.ts';
import { maxRequestLength } from './control-protocol.ts';
import { type ControlCommands, ControlServer } from './control-server.ts';

const onUnix = process.platform !== 'win32';

function home(...below: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'casare-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, ...below);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

let open: ControlServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

const log: string[] = [];
const commands: ControlCommands = new Map([
  ['echo', (args: JsonObject) => args],
  [
    'refuse',
    () => {
      throw Object.assign(new Error('the note is too long'), { code: 'INVALID_ARGUMENT' });
    },
  ],
  [
    'break',
    () => {
      throw new Error('a defect');
    },
  ],
]);

async function serve(folder: string): Promise<ControlServer> {
  const logger = { log: (_level: string, message: string) => void log.push(message) };
  const server = await ControlServer.open({ home: folder, commands, logger });
  open.push(server);
  return server;
}

/** Sends bytes as they are and reads what comes back until the connection is closed, or `lines` lines have come. */
async function raw(path: string, text: string, lines = 1): Promise<unknown[]> {
  const socket = createConnection(path).setEncoding('utf8');
  let answer = '';
  const enough = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      answer += chunk;
      if (answer.split('\n').length > lines) resolve();
    });
    socket.once('close', () => resolve());
    socket.once('error', () => resolve());
  });
  socket.write(text);
  await enough;
  socket.destroy();
  return answer
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe.runIf(onUnix)('the control socket', () => {
  it("is the owner's alone, answers, and is gone when the robot has stopped", async () => {
    const folder = home();
    const server = await serve(folder);
    expect(server.path).toBe(join(folder, 'robot.sock'));
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    expect(await askRobot(folder, 'echo', { note: 'ä "quoted"\n' })).toEqual({ note: 'ä "quoted"\n' });
    await open.pop()?.close();
    expect(existsSync(server.path)).toBe(false);
    await expect(askRobot(folder, 'echo')).rejects.toMatchObject({ code: 'NO_ROBOT' });
  });

  it('answers refusals and defects with a code and a message', async () => {
    const folder = home();
    await serve(folder);
    await expect(askRobot(folder, 'refuse')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'the note is too long',
    });
    await expect(askRobot(folder, 'break')).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
    expect(log.at(-1)).toContain('a defect');
    await expect(askRobot(folder, 'dance')).rejects.toMatchObject({
      code: 'UNKNOWN_COMMAND',
      message: expect.stringContaining('echo, refuse, break'),
    });
  });

  it.each([
    ['no JSON', 'hello\n', null, 'NOT_A_REQUEST'],
    ['a list', '[1]\n', null, 'NOT_A_REQUEST'],
    ['no number', '{"v":1,"command":"echo"}\n', null, 'NOT_A_REQUEST'],
    ['arguments that are a list', '{"v":1,"id":4,"command":"echo","args":[]}\n', 4, 'NOT_A_REQUEST'],
    ['another version', '{"v":2,"id":5,"command":"echo"}\n', 5, 'UNSUPPORTED_VERSION'],
  ])('refuses %s, and goes on to listen', async (_name, line, id, code) => {
    const server = await serve(home());
    const good = '{"v":1,"id":9,"command":"echo","args":{"a":1}}\n';
    expect(await raw(server.path, line + good, 2)).toEqual([
      { v: 1, id, ok: false, error: { code, message: expect.any(String) } },
      { v: 1, id: 9, ok: true, result: { a: 1 } },
    ]);
  });

  it('ends a connection whose line has no end', async () => {
    const folder = home();
    const server = await serve(folder);
    expect(await raw(server.path, 'x'.repeat(maxRequestLength + 1))).toEqual([
      { v: 1, id: null, ok: false, error: { code: 'LINE_TOO_LONG', message: expect.any(String) } },
    ]);
    expect(await askRobot(folder, 'echo', {})).toEqual({});
  });

  it('answers each of several requests in one piece, in their order', async () => {
    const server = await serve(home());
    const request = (id: number): string => `{"v":1,"id":${id},"command":"echo"}\n`;
    const answers = await raw(server.path, [1, 2, 3].map(request).join(''), 3);
    expect(answers.map((answer) => (answer as { id: number }).id)).toEqual([1, 2, 3]);
  });

  it('holds on to at most sixteen connections, and closes them all when it is closed', async () => {
    const folder = home();
    const server = await serve(folder);
    const sockets = Array.from({ length: 20 }, () => createConnection(server.path).on('error', () => undefined));
    const closed = sockets.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
    await Promise.race(closed);
    await open.pop()?.close();
    await Promise.all(closed);
    expect(existsSync(server.path)).toBe(false);
  });

  it('takes the place of a socket that a killed robot left', async () => {
    const folder = home();
    const path = join(folder, 'robot.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const dead = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(dead.stdout, 'data');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    expect(existsSync(path)).toBe(true);
    await expect(askRobot(folder, 'echo')).rejects.toMatchObject({ code: 'NO_ROBOT' });
    await serve(folder);
    expect(await askRobot(folder, 'echo', { a: 1 })).toEqual({ a: 1 });
  });

  it('is not made where something else is in its place, and leaves that alone', async () => {
    const folder = home();
    writeFileSync(join(folder, 'robot.sock'), 'mine');
    await expect(serve(folder)).rejects.toThrow('is no socket; move it away');
    expect(readFileSync(join(folder, 'robot.sock'), 'utf8')).toBe('mine');
  });

  it('is made elsewhere, and found, when the path of the home is too long for a socket', async () => {
    const folder = home('a'.repeat(100));
    const server = await serve(folder);
    expect(server.path.startsWith(join(tmpdir(), 'casare-'))).toBe(true);
    expect(statSync(dirname(server.path)).mode & 0o777).toBe(0o700);
    expect(await askRobot(folder, 'echo', { a: 1 })).toEqual({ a: 1 });
    // A copy of the home neither reaches the robot nor takes its socket away.
    const copy = home('b'.repeat(100));
    copyFileSync(join(folder, 'robot.sock.json'), join(copy, 'robot.sock.json'));
    await expect(askRobot(copy, 'echo')).rejects.toMatchObject({ code: 'NO_ROBOT' });
    const other = await serve(copy);
    expect(other.path).not.toBe(server.path);
    expect(await askRobot(folder, 'echo', { a: 2 })).toEqual({ a: 2 });
    await open.pop()?.close();
    // What a robot that was killed leaves there is removed by the next one.
    await serve(folder);
    expect(existsSync(server.path)).toBe(false);
    await open.pop()?.close();
    expect(existsSync(join(folder, 'robot.sock.json'))).toBe(false);
    await expect(askRobot(folder, 'echo')).rejects.toMatchObject({ code: 'NO_ROBOT' });
  });
});
