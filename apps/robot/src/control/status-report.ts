/** A robot's status as JSON, in the names of the command line. */
import type { JsonObject } from '@casare/execution';
import type { RobotDescription } from '../robot-status.ts';

export function statusReport({ robot, status, incidents, outbox }: RobotDescription): JsonObject {
  const { executor, connection, paused } = status;
  return {
    robot_id: robot.robotId,
    name: robot.name,
    version: robot.version,
    pid: robot.pid,
    uptime_ms: robot.uptimeMs,
    state: status.state,
    max_concurrent_jobs: executor?.maxConcurrentJobs ?? null,
    running: status.running.map((job) => ({
      job_id: job.jobId,
      name: job.name,
      stage: job.stage,
      percent: job.percent,
      nodes: job.nodes,
      running_ms: Math.round(job.runningForMs),
    })),
    queued: executor?.queued ?? [],
    in_doubt: status.inDoubt,
    paused:
      paused === null
        ? null
        : {
            note: paused.note,
            since: new Date(paused.since).toISOString(),
            remaining_ms: paused.remainingMs,
          },
    connection:
      connection === null
        ? null
        : {
            url: robot.url,
            state: connection.state,
            is_connected: connection.isConnected,
            last_error: connection.isConnected ? null : (connection.lastError?.message ?? null),
          },
    incidents: [...incidents],
    outbox: { pending: outbox.pending, dead_letters: outbox.deadLetters, dropped: outbox.dropped },
  };
}
