/** A robot's status as JSON, in the names of the command line. */
import type { JsonObject } from '@casare/execution';
import type { AuditStatus, ResourceSample } from '@casare/observability';
import type { JobInDoubt } from '../desk-ports.ts';
import type { RobotDescription } from '../robot-status.ts';

export function statusReport(description: RobotDescription): JsonObject {
  const { robot, status, incidents, outbox, resources, statusPage } = description;
  const { executor, connection, paused, health } = status;
  return {
    robot_id: robot.robotId,
    name: robot.name,
    version: robot.version,
    pid: robot.pid,
    uptime_ms: robot.uptimeMs,
    state: status.state,
    health: {
      state: health.state,
      alive: health.isAlive,
      ready: health.isReady,
      reasons: health.reasons.map(({ code, message }) => ({ code, message })),
    },
    refusing_claims: status.refusals,
    status_page: statusPage,
    max_concurrent_jobs: executor?.maxConcurrentJobs ?? null,
    running: status.running.map((job) => ({
      job_id: job.jobId,
      name: job.name,
      stage: job.stage,
      percent: job.percent,
      nodes: job.nodes,
      nodes_completed: job.nodesCompleted,
      nodes_total: job.nodesTotal,
      running_nodes: job.runningNodes.map((node) => ({
        node_id: node.nodeId,
        node_type: node.nodeType,
        attempt: node.attempt,
        running_ms: Math.round(node.runningForMs),
        limit_ms: node.limitMs,
      })),
      ended_nodes: job.endedNodes.map((node) => ({
        node_id: node.nodeId,
        node_type: node.nodeType,
        duration_ms: Math.round(node.durationMs),
        success: node.success,
        skipped: node.isSkipped,
      })),
      running_ms: Math.round(job.runningForMs),
    })),
    queued: executor?.queued ?? [],
    in_doubt: status.inDoubt,
    waiting: status.waiting.map(waitingReport),
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
            next_attempt_ms: connection.nextAttemptInMs,
            breaker: {
              state: connection.breaker.state,
              remaining_ms: connection.breaker.remainingMs,
              consecutive_failures: connection.breaker.consecutiveFailures,
            },
          },
    audit: status.audit === null ? null : auditReport(status.audit),
    audit_problem: status.auditProblem,
    log_problem: status.logProblem,
    incidents: [...incidents],
    outbox: {
      pending: outbox.pending,
      dead_letters: outbox.deadLetters,
      dropped: outbox.dropped,
      oldest_at: outbox.oldestRecordedAtMs === null ? null : new Date(outbox.oldestRecordedAtMs).toISOString(),
    },
    resources: resources === null ? null : resourceReport(resources),
  };
}

/** A job that waits for an answer. */
function waitingReport({ jobId, name, percent, nodesCompleted, nodesTotal, questions }: JobInDoubt): JsonObject {
  return {
    job_id: jobId,
    name,
    percent,
    nodes_completed: nodesCompleted,
    nodes_total: nodesTotal,
    questions: questions.map(({ node_id, node_type, step, attempt, place = null, reason, answers }) => ({
      ...{ node_id, node_type, step, attempt, place, reason },
      answers: [...answers],
    })),
  };
}

function resourceReport(sample: ResourceSample): JsonObject {
  const { eventLoop, disk } = sample;
  return {
    cpu_percent: sample.cpuPercent,
    cpu_limit_cores: sample.cpuLimitCores,
    memory_mb: sample.memoryMb,
    memory_percent: sample.memoryPercent,
    memory_limit_mb: sample.memoryLimitMb,
    processes: sample.processes,
    event_loop_p99_ms: eventLoop?.p99Ms ?? null,
    disk_free_mb: disk?.freeMb ?? null,
    disk_total_mb: disk?.totalMb ?? null,
    stores_mb: { ...sample.storesMb },
  };
}

function auditReport({ canWrite, lost, failed, retentionProblem }: AuditStatus): JsonObject {
  const state = { can_write: canWrite, failed, lost: lost === null ? 0 : lost.count, last_error: lost?.error ?? null };
  return { ...state, retention_problem: retentionProblem };
}
