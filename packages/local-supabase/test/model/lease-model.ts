/**
 * What leases and outbox must do, as a pure model: a job, the leases that were given out for it, and what each write
 * answers. Its steps are the interleavings that robots, operators and the sweep can produce; a paused or crashed robot
 * is one whose writes come late.
 */

export type Ending = 'completed' | 'failed-for-good' | 'failed-for-now' | 'cancelled';

export type Step =
  | { readonly kind: 'claim'; readonly robot: number; readonly request: number }
  | { readonly kind: 'heartbeat'; readonly lease: number }
  | { readonly kind: 'progress'; readonly lease: number }
  | { readonly kind: 'events'; readonly lease: number; readonly from: number; readonly count: number }
  | { readonly kind: 'complete'; readonly lease: number; readonly ending: Ending }
  | { readonly kind: 'release'; readonly lease: number }
  | { readonly kind: 'expire' }
  | { readonly kind: 'reap' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'make-due' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'redrive' };

export interface Rules {
  readonly onLost: 'hold' | 'restart';
  readonly maxAttempts: number;
}

export interface LeaseRecord {
  readonly robot: number;
  readonly request: number;
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'released' | 'lost' | null;
  /** How it was told to end, where it was. */
  readonly ending: Ending | 'handed back' | null;
}

export interface JobModel {
  readonly rules: Rules;
  readonly status: 'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'dead';
  readonly isDue: boolean;
  /** Index of the lease that holds the job; of a job that ended, the one that ended it or held it last. */
  readonly current: number | null;
  readonly isExpired: boolean;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly isCancelRequested: boolean;
  /** In the order of their tokens. */
  readonly leases: readonly LeaseRecord[];
  /** `lease:seq` -> whether it is superseded evidence. */
  readonly history: ReadonlyMap<string, boolean>;
  /** The lease whose progress the job shows. */
  readonly progressOf: number | null;
}

export interface Outcome {
  readonly job: JobModel;
  /** `lease N` for a claim that holds the job, otherwise the function's answer. */
  readonly answer: string;
}

/** The history's number for a result that came too late. */
export const LATE_RESULT = 'late';

export function newJob(rules: Rules): JobModel {
  return {
    rules,
    status: 'pending',
    isDue: true,
    current: null,
    isExpired: false,
    attempt: 0,
    maxAttempts: rules.maxAttempts,
    isCancelRequested: false,
    leases: [],
    history: new Map(),
    progressOf: null,
  };
}

export function apply(job: JobModel, step: Step): Outcome {
  switch (step.kind) {
    case 'claim':
      return claim(job, step.robot, step.request);
    case 'heartbeat':
      return underLease(job, step.lease, (held) => ({ ...held, isExpired: false }));
    case 'progress':
      return underLease(job, step.lease, (held) => ({ ...held, progressOf: step.lease }));
    case 'events':
      return events(job, step.lease, step.from, step.count);
    case 'complete':
      return complete(job, step.lease, step.ending);
    case 'release':
      return release(job, step.lease);
    case 'expire':
      return { job: job.status === 'running' ? { ...job, isExpired: true } : job, answer: '' };
    case 'reap':
      return { job: reap(job), answer: '' };
    case 'cancel':
      return cancel(job);
    case 'make-due':
      return { job: { ...job, isDue: true }, answer: '' };
    case 'restart':
      return restart(job);
    case 'redrive':
      return redrive(job);
  }
}

function claim(job: JobModel, robot: number, request: number): Outcome {
  const made = job.leases.findLastIndex((lease) => lease.robot === robot && lease.request === request);
  if (made !== -1) {
    const isHeld = job.status === 'running' && job.current === made;
    return isHeld ? { job: { ...job, isExpired: false }, answer: `lease ${made}` } : { job, answer: 'none' };
  }
  const swept = reap(job);
  if (swept.status !== 'pending' || !swept.isDue) return { job: swept, answer: 'none' };
  const lease = swept.leases.length;
  return {
    job: {
      ...swept,
      status: 'running',
      current: lease,
      isExpired: false,
      attempt: swept.attempt + 1,
      leases: [...swept.leases, { robot, request, outcome: null, ending: null }],
      progressOf: null,
    },
    answer: `lease ${lease}`,
  };
}

function standingOf(job: JobModel, lease: number): 'current' | 'ended' | 'stale' {
  if (job.status === 'running' && job.current === lease) return 'current';
  const outcome = job.leases[lease]?.outcome ?? null;
  return outcome === 'completed' || outcome === 'failed' || outcome === 'cancelled' ? 'ended' : 'stale';
}

function answerOf(job: JobModel, standing: 'current' | 'ended' | 'stale'): string {
  if (standing === 'current') return job.isCancelRequested ? 'cancelled' : 'ok';
  return standing === 'ended' ? 'ok' : 'stale';
}

function underLease(job: JobModel, lease: number, change: (held: JobModel) => JobModel): Outcome {
  const standing = standingOf(job, lease);
  return { job: standing === 'current' ? change(job) : job, answer: answerOf(job, standing) };
}

function events(job: JobModel, lease: number, from: number, count: number): Outcome {
  const standing = standingOf(job, lease);
  const history = new Map(job.history);
  for (let seq = from; seq < from + count; seq += 1) {
    const key = `${lease}:${seq}`;
    if (!history.has(key)) history.set(key, standing === 'stale');
  }
  return { job: { ...job, history }, answer: answerOf(job, standing) };
}

function complete(job: JobModel, lease: number, ending: Ending): Outcome {
  const standing = standingOf(job, lease);
  const isConflict = standing === 'ended' && job.leases[lease]?.ending !== ending;
  if (standing === 'stale' || isConflict) {
    const history = new Map(job.history);
    if (!history.has(`${lease}:${LATE_RESULT}`)) history.set(`${lease}:${LATE_RESULT}`, true);
    return { job: { ...job, history }, answer: isConflict ? 'conflict' : 'stale' };
  }
  if (standing === 'ended') return { job, answer: 'ok' };
  const isTransient = ending === 'failed-for-now';
  const outcome = ending === 'completed' || ending === 'cancelled' ? ending : 'failed';
  const ended = endLease(job, lease, outcome, ending);
  if (isTransient && job.attempt < job.maxAttempts && !job.isCancelRequested) {
    return { job: { ...returned(ended), isDue: false }, answer: 'ok' };
  }
  const isDead = isTransient && job.attempt >= job.maxAttempts && job.maxAttempts > 1;
  return { job: { ...ended, status: isDead ? 'dead' : outcome }, answer: 'ok' };
}

function release(job: JobModel, lease: number): Outcome {
  const standing = standingOf(job, lease);
  if (standing === 'current') {
    if (job.isCancelRequested) {
      return { job: { ...endLease(job, lease, 'cancelled', 'handed back'), status: 'cancelled' }, answer: 'cancelled' };
    }
    return { job: freeOfCharge(returned(endLease(job, lease, 'released'))), answer: 'ok' };
  }
  if (job.leases[lease]?.outcome === 'released') return { job, answer: 'ok' };
  return { job, answer: answerOf(job, standing) };
}

function reap(job: JobModel): JobModel {
  if (job.status !== 'running' || !job.isExpired || job.rules.onLost !== 'restart' || job.current === null) return job;
  const ended = endLease(job, job.current, 'lost');
  if (job.isCancelRequested) return { ...ended, status: 'cancelled' };
  if (job.maxAttempts > 1) return job.attempt >= job.maxAttempts ? { ...ended, status: 'dead' } : returned(ended);
  const losses = ended.leases.filter((lease) => lease.outcome === 'lost').length;
  return losses > 10 ? { ...ended, status: 'failed' } : freeOfCharge(returned(ended));
}

function cancel(job: JobModel): Outcome {
  if (job.status === 'pending') {
    return { job: { ...job, status: 'cancelled', isCancelRequested: true }, answer: 'cancelled' };
  }
  if (job.status !== 'running') return { job, answer: 'final' };
  return { job: { ...job, isCancelRequested: true }, answer: 'requested' };
}

function restart(job: JobModel): Outcome {
  if (job.status !== 'pending' && job.status !== 'running') return { job, answer: 'final' };
  if (job.status !== 'running' || !job.isExpired || job.current === null) return { job, answer: 'not-waiting' };
  return { job: freeOfCharge(returned(endLease(job, job.current, 'lost'))), answer: 'restarted' };
}

function redrive(job: JobModel): Outcome {
  if (job.status !== 'failed' && job.status !== 'dead') return { job, answer: 'not-failed' };
  const again = { ...returned(job), maxAttempts: Math.max(job.maxAttempts, job.attempt + 1), progressOf: null };
  return { job: { ...again, isCancelRequested: false }, answer: 'redriven' };
}

function endLease(
  job: JobModel,
  index: number,
  outcome: NonNullable<LeaseRecord['outcome']>,
  ending: LeaseRecord['ending'] = null,
): JobModel {
  const leases = job.leases.map((lease, n) => (n === index ? { ...lease, outcome, ending } : lease));
  return { ...job, leases };
}

function returned(job: JobModel): JobModel {
  return { ...job, status: 'pending', isDue: true, current: null, isExpired: false };
}

function freeOfCharge(job: JobModel): JobModel {
  return { ...job, attempt: job.attempt - 1 };
}
