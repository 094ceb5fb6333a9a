/** What a running robot can be asked through its control socket. */
import type { JsonObject, JsonValue } from '@casare/execution';
import type { RobotAgent, StopOptions } from '../robot-agent.ts';
import type { ControlCommands } from './control-server.ts';
import { statusReport } from './status-report.ts';

type Robot = Pick<RobotAgent, 'describe' | 'pause' | 'resume' | 'setMaxConcurrent' | 'stop'>;

export function robotCommands(robot: Robot): ControlCommands {
  return new Map<string, (args: JsonObject) => JsonValue | Promise<JsonValue>>([
    ['status', async () => statusReport(await robot.describe())],
    [
      'pause',
      async ({ note = null, timeout_ms: timeoutMs = null }) => {
        await robot.pause({ note: note as string | null, timeoutMs: timeoutMs as number | null });
        return statusReport(await robot.describe());
      },
    ],
    ['resume', async () => ({ was_paused: await robot.resume() })],
    [
      'limit',
      ({ max_concurrent_jobs: limit }) => {
        robot.setMaxConcurrent(limit as number);
        return null;
      },
    ],
    [
      'stop',
      ({ mode = 'drain', reason = null }) => {
        const asked = { mode, ...(reason === null ? {} : { reason }), requestedBy: 'control socket' };
        // The answer is that it has begun; it is over when the socket is gone.
        void robot.stop(asked as StopOptions);
        return null;
      },
    ],
  ]);
}
