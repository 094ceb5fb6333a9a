/** A robot that is started again whenever it is gone, as a service manager would. */
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
