import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually, ManualClock } from '@casare/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/support/robot-home.ts';
import { notifyService } from './notify-service.ts';

const exists = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const canListen = exists('systemd-notify') && exists('python3');

/** A real socket as systemd has one, which Node.js cannot open. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    for line in s.recv(4096).decode().split("\\n"):
        print(line, flush=True)
`;

async function systemd(): Promise<{ readonly socket: string; readonly told: string[] }> {
  const socket = join(temporaryFolder(), 'notify.sock');
  const child = spawn('python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const told: string[] = [];
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  lines.on('line', (line) => told.push(line));
  return { socket, told };
}

function notifierOf(environment: Record<string, string>, isAlive: () => boolean) {
  const clock = new ManualClock();
  const logged: string[] = [];
  const notifier = notifyService({
    environment: { PATH: process.env.PATH, ...environment },
    isAlive,
    state: () => (isAlive() ? 'busy' : 'stuck'),
    clock,
    logger: { log: (level, message) => logged.push(`${level}: ${message}`) },
    pid: 4_242,
  });
  return { clock, logged, notifier };
}

describe.skipIf(!canListen)('systemd', { timeout: 60_000 }, () => {
  it('hears that the robot is up, that it lives for as long as it does, and that it stops', async () => {
    const { socket, told } = await systemd();
    let isAlive = true;
    const { clock, logged, notifier } = notifierOf({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000' }, () => isAlive);
    const beats = (): number => told.filter((line) => line === 'WATCHDOG=1').length;
    await notifier?.ready();
    await eventually('it is up', () => told.includes('READY=1'));
    expect(told).toContain('MAINPID=4242');
    expect(told).toContain('STATUS=busy');
    await eventually('the first beat', () => beats() === 1);
    await eventually('it waits for the next', () => clock.sleeping === 1);
    await clock.advance(10_000);
    await eventually('the second beat', () => beats() === 2);
    isAlive = false;
    await eventually('it waits', () => clock.sleeping === 1);
    await clock.advance(10_000);
    expect(logged).toEqual(['critical: the robot is stuck: its watchdog is told nothing more']);
    await clock.advance(60_000);
    isAlive = true;
    await clock.advance(10_000);
    await eventually('it beats again', () => beats() === 3);
    await notifier?.stopping();
    await eventually('it stops', () => told.includes('STOPPING=1'));
    expect(clock.sleeping).toBe(0);
    expect(beats()).toBe(3);
  });
});

describe('a service manager', () => {
  it('that does not ask is told nothing', () => {
    expect(notifierOf({}, () => true).notifier).toBeNull();
  });

  it('that watches another process gets no beats, and one that cannot be told is named once', async () => {
    const environment = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1', PATH: '/nowhere' };
    const { clock, logged, notifier } = notifierOf(environment, () => true);
    await notifier?.ready();
    await notifier?.stopping();
    expect(clock.sleeping).toBe(0);
    expect(logged).toEqual([expect.stringMatching(/^warning: systemd cannot be told how the robot is .*ENOENT/)]);
  });
});
