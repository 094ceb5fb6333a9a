/** A robot that is started again whenever it is gone, as a service manager would. */
import { fileURLToPath } from 'node:url';
import type { SupabaseServer } from '@casare/local-supabase';
import { type CommandOptions, type RunningCommand, startCommand } from '../support/command.ts';

export interface RestartedRobot {
  /** How often it was started again. */
  readonly restarts: number;
  /** How it ended when nobody had killed it, with its last words. */
  readonly crashes: readonly string[];
  readonly current: RunningCommand;
  /** SIGKILL, and it is started again. */
  kill(): void;
  /** SIGKILL, for good. */
  stop(): Promise<void>;
}

export function startRestartedRobot(options: CommandOptions): RestartedRobot {
  let isStopped = false;
  const crashes: string[] = [];
  const robot = { restarts: 0, crashes, current: startCommand(['start'], options) };
  const over = (async () => {
    for (;;) {
      const end = await robot.current.ended;
      if (isStopped) return;
      if (end !== 'SIGKILL') crashes.push(`ended by ${end}: ${robot.current.errors.slice(-10).join(' | ')}`);
      robot.restarts += 1;
      robot.current = startCommand(['start'], options);
    }
  })();
  return Object.assign(robot, {
    kill: () => robot.current.signal('SIGKILL'),
    stop: async () => {
      isStopped = true;
      await robot.current.kill();
      await over;
    },
  });
}

export interface KillableRobotOptions {
  readonly server: Pick<SupabaseServer, 'url' | 'serviceKey'>;
  readonly home: string;
  /** Where kills are armed; see `@casare/testing`. */
  readonly pointsFolder: string;
  /** Jobs at the same time. */
  readonly jobs: number;
  readonly env?: Readonly<Record<string, string>>;
}

const script = fileURLToPath(new URL('./killable-robot.ts', import.meta.url));
const nodePackage = fileURLToPath(
  new URL('../../../../packages/execution/test/processes/support/kill-point-nodes.ts', import.meta.url),
);

/** A quick robot with the nodes whose effects are counted, that kills itself where it is told to. */
export function killableRobot({ server, home, pointsFolder, jobs, env = {} }: KillableRobotOptions): CommandOptions {
  return {
    script,
    env: {
      SUPABASE_URL: server.url,
      SUPABASE_KEY: server.serviceKey,
      CASARE_HOME: home,
      CASARE_MAX_CONCURRENT_JOBS: String(jobs),
      CASARE_JOB_PROCESSES_WARM: '0',
      CASARE_NODES_PACKAGES: nodePackage,
      CASARE_PERMISSIONS_ALLOW_NET: '127.0.0.1',
      CASARE_JOB_EXECUTION_POLL_INTERVAL_MS: '250',
      CASARE_JOB_EXECUTION_CANCELLATION_CHECK_INTERVAL_MS: '200',
      KILL_POINTS: pointsFolder,
      ...env,
    },
  };
}
