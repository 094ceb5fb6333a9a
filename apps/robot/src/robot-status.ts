/** What can be seen of a robot from outside. */
import type { ConnectionStatus, WakeUpStatus } from '@casare/connection';
import type { ExecutorStatus, JsonObject, ProgressStage } from '@casare/execution';
import type { AuditStatus, ResourceSample, RobotHealth } from '@casare/observability';
import type { RobotParts } from './compose.ts';
import type { JobInDoubt } from './desk-ports.ts';
import type { EndedNode, RunningNode } from './status/job-activity.ts';
import { healthOfRobot, healthWithoutParts } from './status/robot-facts.ts';

export type AgentState = 'created' | 'starting' | 'running' | 'stopping' | 'stopped';

export interface RunningJob {
  readonly jobId: string;
  readonly name: string;
  readonly runningForMs: number;
  readonly stage: ProgressStage | null;
  readonly percent: number | null;
  /** The nodes that run now, the newest last. */
  readonly nodes: readonly string[];
  readonly nodesCompleted: number;
  readonly nodesTotal: number;
  /** The same nodes, with how long they have been running. */
  readonly runningNodes: readonly RunningNode[];
  /** The nodes that ended last, the newest last. */
  readonly endedNodes: readonly EndedNode[];
}

export interface RobotStatus {
  readonly state: AgentState;
  /** Whether it lives and can do its work, and why not. */
  readonly health: RobotHealth;
  /** Why no new jobs are taken although the robot is not paused: a full disk, say. */
  readonly refusals: readonly string[];
  /** Null until the robot has started. */
  readonly executor: ExecutorStatus | null;
  readonly connection: ConnectionStatus | null;
  /** Whether the server can wake the robot; null where that is switched off. */
  readonly wakeUps: WakeUpStatus | null;
  readonly running: readonly RunningJob[];
  /** Null where it is switched off. While it cannot be written, no new jobs are taken. */
  readonly audit: AuditStatus | null;
  /** Why the robot's log does not reach its files; null while it does. */
  readonly logProblem: string | null;
  /** What is wrong with the audit log that was found at the start; null when nothing is. */
  readonly auditProblem: string | null;
  /** Jobs that wait for an operator's answer. */
  readonly inDoubt: readonly string[];
  /** The same jobs, with how far they are and what is asked. */
  readonly waiting: readonly JobInDoubt[];
  /** Null while the robot takes new jobs. Times in ms. */
  readonly paused: { readonly note: string | null; readonly since: number; readonly remainingMs: number | null } | null;
}

/** The status with what surrounds it: what an operator on the machine sees. */
export interface RobotDescription {
  readonly robot: {
    readonly robotId: string;
    readonly name: string;
    readonly version: string;
    readonly pid: number;
    readonly uptimeMs: number;
    readonly url: string | null;
  };
  /** Where the status page is; null while there is none. */
  readonly statusPage: string | null;
  readonly status: RobotStatus;
  /** What the local store has lost lately: `{kind, at, job_id, detail}`, the newest first. */
  readonly incidents: readonly JsonObject[];
  readonly outbox: {
    readonly pending: number;
    readonly oldestRecordedAtMs: number | null;
    readonly deadLetters: number;
    readonly dropped: number;
  };
  /** The last sample; null before the first. */
  readonly resources: ResourceSample | null;
}

export function statusOf(state: AgentState, parts: RobotParts | null): RobotStatus {
  if (parts === null) {
    const nothing = { executor: null, connection: null, wakeUps: null, audit: null, paused: null };
    const problems = { auditProblem: null, logProblem: null };
    return {
      state,
      health: healthWithoutParts(state),
      refusals: [],
      ...nothing,
      ...problems,
      running: [],
      inDoubt: [],
      waiting: [],
    };
  }
  const { executor, connection, wakeUps, desk, pause, activity, gate } = parts;
  const status = executor.getStatus();
  const { current } = pause;
  return {
    state,
    health: healthOfRobot(state, parts),
    refusals: gate.refusals,
    executor: status,
    connection: connection.getStatus(),
    wakeUps: wakeUps?.getStatus() ?? null,
    running: status.running.map((job) => {
      const progress = desk.progressOf(job.jobId);
      const { running, ended } = activity.of(job.jobId);
      return {
        ...job,
        stage: progress?.stage ?? null,
        percent: progress?.percent ?? null,
        nodes: progress?.current_nodes ?? [],
        nodesCompleted: progress?.nodes_completed ?? 0,
        nodesTotal: progress?.nodes_total ?? 0,
        runningNodes: running,
        endedNodes: ended,
      };
    }),
    audit: parts.audit?.getStatus() ?? null,
    auditProblem: parts.auditRecord.problem,
    logProblem: parts.logs.problem,
    inDoubt: desk.inDoubt,
    waiting: desk.waiting,
    paused: current === null ? null : { note: current.note, since: current.since, remainingMs: pause.remainingMs },
  };
}
