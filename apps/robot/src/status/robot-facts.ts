/** Gathers from a robot's parts what its health is decided by. */
import { type HealthFacts, healthOf, type RobotHealth } from '@casare/observability';
import type { RobotParts } from '../compose.ts';
import type { AgentState } from '../robot-status.ts';

/** Beyond a node's time limit and the grace for ending it: what killing its process and recording that takes. */
const stepMarginMs = 15_000;
/** So many intervals may pass without a successful turn, whatever `readyTimeoutMs` says. */
const missedTurns = 3;

const lifecycles: Readonly<Record<AgentState, HealthFacts['lifecycle']>> = {
  created: 'starting',
  starting: 'starting',
  running: 'running',
  stopping: 'stopping',
  stopped: 'stopped',
};

/** The health of a robot that has not started, or whose parts are gone. */
export function healthWithoutParts(state: AgentState): RobotHealth {
  return healthOf({
    lifecycle: lifecycles[state],
    connection: { isConnected: false, isAuthRefused: false, problem: null },
    sinceContactMs: null,
    contactLimitMs: 0,
    runningJobs: 0,
    steps: [],
    stepGraceMs: 0,
    unendingJobs: [],
    isPaused: false,
    storeProblem: undefined,
    refusals: [],
  });
}

export function healthOfRobot(state: AgentState, parts: RobotParts): RobotHealth {
  const { connection, polls, executor, activity, desk, endedClaims, pause, probe, gate, config, pacer, clock } = parts;
  const { isConnected, state: connectionState, lastError, lastSuccessAt } = connection.getStatus();
  const { cancelGraceMs, heartbeatIntervalMs } = config.jobExecution;
  const turnMs = Math.min(pacer.intervalMs, heartbeatIntervalMs);
  const sinceAnswerMs = lastSuccessAt === null ? null : clock.now() - lastSuccessAt;
  const sinceTurnMs = polls.sinceSuccessMs;
  return healthOf({
    lifecycle: lifecycles[state],
    connection: {
      isConnected,
      isAuthRefused: connectionState === 'AUTH_FAILED',
      problem: polls.problem ?? (isConnected ? null : (lastError?.message ?? null)),
    },
    // A turn with nothing to ask or tell sends nothing: then the last answer of any kind says when the server was there.
    sinceContactMs: sinceTurnMs === null || sinceAnswerMs === null ? null : Math.max(sinceTurnMs, sinceAnswerMs),
    contactLimitMs: Math.max(config.observability.readyTimeoutMs, missedTurns * turnMs),
    runningJobs: executor.getStatus().runningCount,
    steps: activity.steps,
    stepGraceMs: cancelGraceMs + stepMarginMs,
    unendingJobs: desk.unending,
    heldJobs: [...desk.held, ...endedClaims.held],
    isPaused: pause.current !== null,
    storeProblem: probe.problem,
    refusals: gate.refusals,
  });
}
