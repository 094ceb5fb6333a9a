/** What a running robot can be asked through its control socket. */
import type { JsonObject, JsonValue } from '@casare/execution';
import type { Redactor } from '@casare/observability';
import { requesterIn } from '../requester.ts';
import type { RobotAgent, StopOptions } from '../robot-agent.ts';
import type { ControlCommands } from './control-server.ts';
import { statusReport } from './status-report.ts';

type Robot = Pick<RobotAgent, 'describe' | 'pause' | 'resume' | 'setMaxConcurrent' | 'stop'>;

/** @param redactor takes secrets out of what the status tells */
export function robotCommands(robot: Robot, redactor: Pick<Redactor, 'json'>): ControlCommands {
  const status = async (): Promise<JsonValue> => redactor.json(statusReport(await robot.describe())) as JsonValue;
  return new Map<string, (args: JsonObject) => JsonValue | Promise<JsonValue>>([
    ['status', status],
    [
      'pause',
      async ({ note = null, timeout_ms: timeoutMs = null, ...rest }) => {
        const asked = { note: note as string | null, timeoutMs: timeoutMs as number | null };
        await robot.pause({ ...asked, ...requesterIn(rest) });
        return status();
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
