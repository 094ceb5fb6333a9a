/** What a running robot can be asked through its control socket. */
import type { JsonObject, JsonValue } from '@casare/execution';
import { requesterIn } from '../requester.ts';
import type { RobotAgent, StopOptions } from '../robot-agent.ts';
import type { ControlCommands } from './control-server.ts';
import { statusReport } from './status-report.ts';

type Robot = Pick<RobotAgent, 'describe' | 'pause' | 'resume' | 'setMaxConcurrent' | 'stop'>;

export function robotCommands(robot: Robot): ControlCommands {
  return new Map<string, (args: JsonObject) => JsonValue | Promise<JsonValue>>([
    ['status', async () => statusReport(await robot.describe())],
    [
      'pause',
      async ({ note = null, timeout_ms: timeoutMs = null, ...rest }) => {
        const asked = { note: note as string | null, timeoutMs: timeoutMs as number | null };
        await robot.pause({ ...asked, ...requesterIn(rest) });
        return statusReport(await robot.describe());
      },
    ],
    [
      'resume',
      async ({ note = null, ...rest }) => ({
        was_paused: await robot.resume({ note: note as string | null, ...requesterIn(rest) }),
      }),
    ],
    [
      'limit',
      ({ max_concurrent_jobs: limit, ...rest }) => {
        robot.setMaxConcurrent(limit as number, requesterIn(rest));
        return null;
      },
    ],
    [
      'stop',
      ({ mode = 'drain', reason = null, ...rest }) => {
        const { requestedBy, requestedFrom } = requesterIn(rest);
        const who = { requestedBy: requestedBy ?? requestedFrom, requestedFrom };
        const asked = { mode, ...(reason === null ? {} : { reason }), ...who };
        // The answer is that it has begun; it is over when the socket is gone.
        void robot.stop(asked as StopOptions);
        return null;
      },
    ],
  ]);
}
