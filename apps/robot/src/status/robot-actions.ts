/** What a person can do to the robot from its page. */
import type { JsonObject, JsonValue } from '@casare/execution';
import type { RobotAgent } from '../robot-agent.ts';

type Robot = Pick<RobotAgent, 'pause' | 'resume' | 'cancelJob'>;

/** What is shown with a job that is cancelled, or a robot that is paused, from the page. */
const actor = 'status page';

class NoSuchJobError extends Error {
  readonly code = 'NO_SUCH_JOB';
}

export function robotActions(robot: Robot): ReadonlyMap<string, (args: JsonObject) => Promise<JsonValue>> {
  return new Map<string, (args: JsonObject) => Promise<JsonValue>>([
    [
      'pause',
      async ({ note = null, timeout_ms: timeoutMs = null }) => {
        await robot.pause({ note: note as string | null, timeoutMs: timeoutMs as number | null });
        return null;
      },
    ],
    ['resume', async () => ({ was_paused: await robot.resume() })],
    [
      'cancel',
      async ({ job_id: jobId, reason }) => {
        const text =
          typeof reason === 'string' && reason.trim() !== '' ? reason.trim().slice(0, 500) : 'cancelled by hand';
        if (typeof jobId === 'string' && (await robot.cancelJob(jobId, { reason: text, requestedBy: actor })))
          return null;
        throw new NoSuchJobError(`this robot has no job ${String(jobId).slice(0, 100)}; it may have ended`);
      },
    ],
  ]);
}
