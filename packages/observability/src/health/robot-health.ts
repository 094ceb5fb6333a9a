/**
 * What state a robot is in, whether it lives, and whether it can do its work: a pure decision from facts that its
 * owner gathers. Nothing is healthy by default: what is not known counts against it.
 *
 * States, the first that fits: `stuck` (something that should have ended or answered has not; only a restart helps),
 * `draining`, `auth-failed`, `offline`, `paused`, `busy`, `idle`.
 */
import * as must from '../arguments.ts';

export type RobotState = 'idle' | 'busy' | 'draining' | 'paused' | 'offline' | 'auth-failed' | 'stuck';

export const robotStates: readonly RobotState[] = [
  'idle',
  'busy',
  'draining',
  'paused',
  'offline',
  'auth-failed',
  'stuck',
];

/** Jobs that cannot go on are named up to here; the others are counted. */
const mostNamed = 5;

/** A node that runs, or a job that is between two nodes. */
export interface RunningStep {
  readonly jobId: string;
  /** Null between two nodes. */
  readonly nodeId: string | null;
  readonly runningForMs: number;
  /** Null for one that may take any time. */
  readonly limitMs: number | null;
}

export interface HealthFacts {
  readonly lifecycle: 'starting' | 'running' | 'stopping' | 'stopped';
  readonly connection: {
    readonly isConnected: boolean;
    readonly isAuthRefused: boolean;
    /** What went wrong last; null when nothing did. */
    readonly problem: string | null;
  };
  /** Since the last turn with the server that succeeded, in ms; null: none did yet. */
  readonly sinceContactMs: number | null;
  /** How long that may be. */
  readonly contactLimitMs: number;
  readonly runningJobs: number;
  readonly steps: readonly RunningStep[];
  /** How long after its limit a step may still take to end before it counts as standing still. */
  readonly stepGraceMs: number;
  /** Jobs whose run cannot be ended: something of theirs still acts. */
  readonly unendingJobs: readonly string[];
  /** Jobs that cannot go on before somebody helps, and why, with what helps. Default none. */
  readonly heldJobs?: readonly { readonly jobId: string; readonly why: string }[];
  readonly isPaused: boolean;
  /** Why the store cannot be written to; null when it can; undefined when nobody has looked yet. */
  readonly storeProblem: string | null | undefined;
  /** Why no jobs are taken although the robot is not paused: a full disk, say. */
  readonly refusals: readonly string[];
}

export type HealthReasonCode =
  | 'NOT_RUNNING'
  | 'STOPPING'
  | 'AUTH_FAILED'
  | 'OFFLINE'
  | 'NO_RECENT_POLL'
  | 'PAUSED'
  | 'NODE_STANDS_STILL'
  | 'JOB_CANNOT_END'
  | 'JOB_CANNOT_GO_ON'
  | 'STORE_NOT_WRITABLE'
  | 'CLAIMS_REFUSED';

export interface HealthReason {
  readonly code: HealthReasonCode;
  readonly message: string;
}

export interface RobotHealth {
  readonly state: RobotState;
  /** False when only a restart helps. */
  readonly isAlive: boolean;
  /** Whether it takes jobs and runs them. */
  readonly isReady: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reasons: readonly HealthReason[];
}

/**
 * @throws ArgumentError for facts that are missing or of another kind
 * @example
 * healthOf({ ...facts, connection: { isConnected: false, isAuthRefused: false, problem: 'ECONNREFUSED' } });
 * // { state: 'offline', isAlive: true, isReady: false, reasons: [{ code: 'OFFLINE', message: ... }] }
 */
export function healthOf(facts: HealthFacts): RobotHealth {
  requireFacts('facts', facts);
  const reasons = reasonsOf(facts);
  const state = stateOf(facts, reasons);
  return { state, isAlive: state !== 'stuck' && facts.lifecycle !== 'stopped', isReady: reasons.length === 0, reasons };
}

const requireFacts = must.shape({
  lifecycle: must.oneOf(['starting', 'running', 'stopping', 'stopped']),
  connection: must.shape({ isConnected: must.flag, isAuthRefused: must.flag, problem: must.nullable(must.text) }),
  sinceContactMs: must.nullable(must.aNumber),
  contactLimitMs: must.aNumber,
  runningJobs: must.aNumber,
  steps: must.listOf(
    must.shape({
      jobId: must.text,
      nodeId: must.nullable(must.text),
      runningForMs: must.aNumber,
      limitMs: must.nullable(must.aNumber),
    }),
  ),
  stepGraceMs: must.aNumber,
  unendingJobs: must.listOf(must.text),
  heldJobs: must.optional(must.listOf(must.shape({ jobId: must.text, why: must.text }))),
  isPaused: must.flag,
  storeProblem: must.optional(must.nullable(must.text)),
  refusals: must.listOf(must.text),
});

function stateOf(facts: HealthFacts, reasons: readonly HealthReason[]): RobotState {
  const has = (...codes: readonly HealthReasonCode[]): boolean => reasons.some(({ code }) => codes.includes(code));
  if (has('NODE_STANDS_STILL', 'JOB_CANNOT_END')) return 'stuck';
  if (facts.lifecycle === 'stopping' || facts.lifecycle === 'stopped') return 'draining';
  if (has('AUTH_FAILED')) return 'auth-failed';
  if (has('OFFLINE', 'NO_RECENT_POLL', 'NOT_RUNNING')) return 'offline';
  if (facts.isPaused) return 'paused';
  return facts.runningJobs > 0 ? 'busy' : 'idle';
}

function reasonsOf(facts: HealthFacts): readonly HealthReason[] {
  const reasons: HealthReason[] = [];
  const add = (code: HealthReasonCode, message: string): void => void reasons.push({ code, message });
  for (const step of facts.steps) if (standsStill(step, facts.stepGraceMs)) add('NODE_STANDS_STILL', stillText(step));
  for (const jobId of facts.unendingJobs) add('JOB_CANNOT_END', `job ${jobId} cannot end before the robot restarts`);
  if (facts.lifecycle === 'starting') add('NOT_RUNNING', 'the robot is starting');
  if (facts.lifecycle === 'stopped') add('NOT_RUNNING', 'the robot has stopped');
  if (facts.lifecycle === 'stopping') add('STOPPING', 'the robot is stopping and takes no new jobs');
  addConnection(facts, add);
  if (facts.isPaused) add('PAUSED', 'the robot is paused and takes no new jobs');
  if (facts.storeProblem !== null) {
    add('STORE_NOT_WRITABLE', facts.storeProblem ?? 'whether the store can be written to is not known yet');
  }
  const held = facts.heldJobs ?? [];
  for (const { jobId, why } of held.slice(0, mostNamed)) add('JOB_CANNOT_GO_ON', `job ${jobId} cannot go on: ${why}`);
  if (held.length > mostNamed) add('JOB_CANNOT_GO_ON', `${held.length - mostNamed} more jobs cannot go on`);
  for (const refusal of facts.refusals) add('CLAIMS_REFUSED', `no new jobs are taken: ${refusal}`);
  return reasons;
}

function addConnection(facts: HealthFacts, add: (code: HealthReasonCode, message: string) => void): void {
  const { isConnected, isAuthRefused, problem } = facts.connection;
  const cause = problem === null ? '' : `: ${problem}`;
  if (isAuthRefused || !isConnected) {
    if (isAuthRefused) add('AUTH_FAILED', `the server refuses the robot's credentials${cause}`);
    else add('OFFLINE', `not connected${cause}`);
    return;
  }
  const { sinceContactMs, contactLimitMs } = facts;
  const limit = `${Math.round(contactLimitMs / 1_000)} s`;
  if (sinceContactMs === null) {
    add('NO_RECENT_POLL', `no poll has succeeded yet${cause}`);
  } else if (!(sinceContactMs <= contactLimitMs)) {
    add('NO_RECENT_POLL', `no poll has succeeded for ${Math.round(sinceContactMs / 1_000)} s (limit ${limit})${cause}`);
  }
}

function standsStill({ runningForMs, limitMs }: RunningStep, graceMs: number): boolean {
  return limitMs !== null && !(runningForMs <= limitMs + graceMs);
}

function stillText({ jobId, nodeId, runningForMs, limitMs }: RunningStep): string {
  const what = nodeId === null ? 'has stood between two nodes' : `has been at node ${nodeId}`;
  return `job ${jobId} ${what} for ${Math.round(runningForMs / 1_000)} s (limit ${Math.round((limitMs ?? 0) / 1_000)} s)`;
}
