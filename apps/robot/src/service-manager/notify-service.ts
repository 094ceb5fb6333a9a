/**
 * Tells systemd how the robot is, where systemd has asked for it (`Type=notify`, `WatchdogSec=`): READY when it is up,
 * WATCHDOG as long as it lives by its own judgement, STOPPING when it stops. A robot that is stuck says nothing more,
 * so that systemd restarts it; one whose event loop hangs cannot say anything either.
 *
 * Node.js has no datagram sockets of Unix, so systemd's own program `systemd-notify` sends the messages; the unit needs
 * `NotifyAccess=all` for that.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Clock, Logger } from '@casare/execution';
import { messageOf } from '../message-of.ts';
import { type Periodic, startPeriodic } from '../periodic.ts';

export interface NotifyServiceOptions {
  /** The environment that the process was started with. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the robot lives: false when only a restart helps. */
  readonly isAlive: () => boolean;
  readonly state: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pid?: number;
}

export interface ServiceNotifier {
  ready(): Promise<void>;
  /** No more watchdog messages after this. */
  stopping(): Promise<void>;
}

const run = promisify(execFile);
const sendLimitMs = 5_000;
/** A message is due well before systemd loses patience. */
const share = 3;

/** @returns null where nobody wants to be told */
export function notifyService(options: NotifyServiceOptions): ServiceNotifier | null {
  const { environment, isAlive, state, clock, logger, pid = process.pid } = options;
  if ((environment.NOTIFY_SOCKET ?? '') === '') return null;
  const watchdogMs = watchdogIntervalMs(environment, pid);
  let watchdog: Periodic | null = null;
  let problem: string | null = null;

  async function send(...messages: readonly string[]): Promise<void> {
    try {
      await run('systemd-notify', [`--pid=${pid}`, ...messages], { timeout: sendLimitMs, env: { ...environment } });
      problem = null;
    } catch (error) {
      const told = messageOf(error);
      if (told !== problem) {
        logger.log('warning', `systemd cannot be told how the robot is (systemd-notify: ${told})`);
      }
      problem = told;
    }
  }

  return {
    async ready() {
      await send('--ready', `--status=${state()}`);
      if (watchdogMs === null) return;
      let wasAlive = true;
      watchdog = startPeriodic({
        name: 'watchdog',
        intervalMs: watchdogMs / share,
        clock,
        turn: async () => {
          const lives = isAlive();
          if (lives) await send('WATCHDOG=1', `STATUS=${state()}`);
          else if (wasAlive) logger.log('critical', 'the robot is stuck: its watchdog is told nothing more');
          wasAlive = lives;
        },
        onError: (name, error) => logger.log('warning', `${name}: ${messageOf(error)}`),
      });
    },
    async stopping() {
      await watchdog?.stop();
      await send('STOPPING=1', 'STATUS=stopping');
    },
  };
}

/** Null when systemd does not watch this process. */
function watchdogIntervalMs(environment: NotifyServiceOptions['environment'], pid: number): number | null {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
  if (watched !== undefined && watched !== '' && Number(watched) !== pid) return null;
  const ms = Number(microseconds) / 1_000;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
