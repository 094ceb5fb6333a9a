/**
 * The audit log with one method per usual event, so that the same thing is always told in the same way. They
 * throw nothing but an ArgumentError, where what is told is no object, or its error none; `log` tells more. Methods about a job or a node take their ids from the surrounding context
 * where these are not given.
 */
import * as must from '../arguments.ts';
import { AuditEventType } from './audit-event.ts';
import { AuditLog, type AuditResult } from './audit-log.ts';

type Details = Readonly<Record<string, unknown>>;

export interface AuditErrorInfo {
  readonly code: string;
  readonly message: string;
  /** `transient`, `permanent` or `unknown`. */
  readonly category?: string;
  readonly [key: string]: unknown;
}

interface OfJob {
  readonly jobId?: string;
}

interface OfNode extends OfJob {
  readonly nodeId: string;
  readonly nodeType: string;
}

/**
 * @example
 * const audit = new AuditLogger({ robotId: 'robot-123', logDir: '/home/ann/.casare_rpa/audit' });
 * audit.robotStarted();
 * audit.jobStarted({ jobId: 'job-456', totalNodes: 10 });
 * audit.jobCompleted({ jobId: 'job-456', durationMs: 5_000 });
 * const recent = await audit.getRecent(100);
 */
export class AuditLogger extends AuditLog {
  robotStarted(details: Details = {}): AuditResult {
    return this.log(AuditEventType.ROBOT_STARTED, 'Robot started', { details });
  }

  robotStopped(stop: { readonly actor?: string } & Details = {}): AuditResult {
    const { actor, ...details } = given('stop', stop);
    return this.#byActor(AuditEventType.ROBOT_STOPPED, 'Robot stopped', details, actor);
  }

  /** Somebody asked it to stop; a later request may ask for more than an earlier one. */
  robotStopRequested(request: { readonly mode: string; readonly actor?: string } & Details): AuditResult {
    const { actor, ...details } = given('request', request);
    return this.#byActor(AuditEventType.ROBOT_STOP_REQUESTED, `Stop requested: ${request.mode}`, details, actor);
  }

  /** It takes no new jobs from now on, or note and end of its pause have changed. */
  robotPaused(pause: { readonly reason: string | null; readonly actor?: string } & Details): AuditResult {
    const { actor, ...details } = given('pause', pause);
    const reason = pause.reason === null ? '' : `: ${pause.reason}`;
    return this.#byActor(AuditEventType.ROBOT_PAUSED, `Robot paused${reason}`, details, actor);
  }

  /** It takes new jobs again. */
  robotResumed(resumption: { readonly reason: string | null; readonly actor?: string } & Details): AuditResult {
    const { actor, ...details } = given('resumption', resumption);
    const reason = resumption.reason === null ? '' : `: ${resumption.reason}`;
    return this.#byActor(AuditEventType.ROBOT_RESUMED, `Robot resumed${reason}`, details, actor);
  }

  /** The local store lost something, or set a damaged file aside. */
  storeIncident(incident: OfJob & { readonly kind: string; readonly detail: string } & Details): AuditResult {
    return this.#ofJob(AuditEventType.STORE_INCIDENT, `Store: ${given('incident', incident).kind}`, incident);
  }

  configChanged(change: { readonly setting: string; readonly actor?: string } & Details): AuditResult {
    const { actor, ...details } = given('change', change);
    return this.#byActor(AuditEventType.CONFIG_CHANGED, `Setting ${change.setting} changed`, details, actor);
  }

  connectionEstablished(details: Details = {}): AuditResult {
    return this.log(AuditEventType.CONNECTION_ESTABLISHED, 'Connected', { details });
  }

  connectionLost(details: Details = {}): AuditResult {
    return this.log(AuditEventType.CONNECTION_LOST, 'Connection lost', { details });
  }

  connectionRestored(details: Details = {}): AuditResult {
    return this.log(AuditEventType.CONNECTION_RESTORED, 'Connection restored', { details });
  }

  circuitOpened(details: Details = {}): AuditResult {
    return this.log(AuditEventType.CIRCUIT_OPENED, 'Circuit opened', { details });
  }

  circuitClosed(details: Details = {}): AuditResult {
    return this.log(AuditEventType.CIRCUIT_CLOSED, 'Circuit closed', { details });
  }

  jobReceived(job: OfJob & { readonly workflowName: string } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_RECEIVED, `Job received: ${given('job', job).workflowName}`, job);
  }

  jobClaimed(job: OfJob & { readonly attempt?: number } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_CLAIMED, 'Job claimed', job);
  }

  jobStarted(job: OfJob & { readonly totalNodes: number } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_STARTED, `Job started, ${given('job', job).totalNodes} nodes`, job);
  }

  /** `step`: the one that it goes on with, where that is known. */
  jobResumed(job: OfJob & { readonly step?: number } & Details): AuditResult {
    const { step } = given('job', job);
    return this.#ofJob(AuditEventType.JOB_RESUMED, `Job resumed${step === undefined ? '' : ` at step ${step}`}`, job);
  }

  jobCompleted(job: OfJob & { readonly durationMs: number } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_COMPLETED, 'Job completed', job);
  }

  /** `nodeId`: the node that failed, where it was one. */
  jobFailed(
    job: OfJob & { readonly nodeId?: string; readonly error: AuditErrorInfo; readonly durationMs?: number } & Details,
  ): AuditResult {
    return this.#ofJob(AuditEventType.JOB_FAILED, `Job failed: ${errorOf('job', job).message}`, job);
  }

  jobCancelRequested(job: OfJob & { readonly requestedBy?: string | null } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_CANCEL_REQUESTED, 'Cancel requested', job, given('job', job).requestedBy);
  }

  jobCancelled(job: OfJob & { readonly reason: string; readonly requestedBy?: string | null } & Details): AuditResult {
    return this.#ofJob(
      AuditEventType.JOB_CANCELLED,
      `Job cancelled: ${given('job', job).reason}`,
      job,
      given('job', job).requestedBy,
    );
  }

  /** `reason`: which node may or may not have had which effect, in words. Default: only that there is one. */
  jobInDoubt(
    job: OfJob & { readonly nodeId?: string; readonly nodes: readonly object[]; readonly reason?: string } & Details,
  ): AuditResult {
    const { reason = 'a node may or may not have run', ...rest } = given('job', job);
    return this.#ofJob(AuditEventType.JOB_IN_DOUBT, `Job in doubt: ${reason}`, rest);
  }

  /** Somebody gave the robot itself an answer to a question about a job in doubt. */
  jobAnswerGiven(
    job: OfJob & {
      readonly nodeId?: string;
      readonly answer: string;
      readonly actor: string;
      /** Why it does not count; null when it does. */
      readonly problem: string | null;
    } & Details,
  ): AuditResult {
    const { actor, problem, ...rest } = given('job', job);
    const { jobId, nodeId, ...details } = rest;
    return this.log(
      AuditEventType.JOB_ANSWER_GIVEN,
      `Answer given: ${rest.answer}${problem === null ? '' : `, refused: ${problem}`}`,
      {
        ...(jobId === undefined ? {} : { jobId }),
        ...(nodeId === undefined ? {} : { nodeId }),
        actor,
        outcome: problem === null ? 'success' : 'failure',
        details: { ...details, problem },
      },
    );
  }

  /** A job in doubt goes on by an operator's answer. */
  jobAnswered(
    job: OfJob & { readonly nodeId?: string; readonly answer: string; readonly actor: string } & Details,
  ): AuditResult {
    const { actor, ...rest } = given('job', job);
    const node = rest.nodeId === undefined ? '' : ` for node "${rest.nodeId}"`;
    return this.#ofJob(AuditEventType.JOB_ANSWERED, `Job in doubt: the answer${node} is ${rest.answer}`, rest, actor);
  }

  jobReleased(job: OfJob & { readonly reason: string } & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_RELEASED, `Job released: ${given('job', job).reason}`, job);
  }

  jobLeaseLost(job: OfJob & Details): AuditResult {
    return this.#ofJob(
      AuditEventType.JOB_LEASE_LOST,
      'Lease lost: another claim holds the job, or it was ended or removed',
      job,
    );
  }

  jobSynced(job: OfJob & Details): AuditResult {
    return this.#ofJob(AuditEventType.JOB_SYNCED, 'Job synced with the database', job);
  }

  nodeStarted(node: OfNode & Details): AuditResult {
    return this.#ofNode(AuditEventType.NODE_STARTED, `${given('node', node).nodeType} started`, node);
  }

  nodeCompleted(node: OfNode & { readonly durationMs: number } & Details): AuditResult {
    return this.#ofNode(AuditEventType.NODE_COMPLETED, `${given('node', node).nodeType} completed`, node);
  }

  nodeFailed(node: OfNode & { readonly error: AuditErrorInfo } & Details): AuditResult {
    return this.#ofNode(
      AuditEventType.NODE_FAILED,
      `${given('node', node).nodeType} failed: ${errorOf('node', node).message}`,
      node,
    );
  }

  nodeSkipped(node: OfNode & { readonly reason: string } & Details): AuditResult {
    return this.#ofNode(
      AuditEventType.NODE_SKIPPED,
      `${given('node', node).nodeType} skipped: ${given('node', node).reason}`,
      node,
    );
  }

  nodeRetried(node: OfNode & { readonly attempt: number } & Details): AuditResult {
    return this.#ofNode(
      AuditEventType.NODE_RETRIED,
      `${given('node', node).nodeType} retried, attempt ${given('node', node).attempt}`,
      node,
    );
  }

  checkpointSaved(checkpoint: OfJob & { readonly nodeId?: string } & Details): AuditResult {
    return this.#ofJob(AuditEventType.CHECKPOINT_SAVED, 'Checkpoint saved', checkpoint);
  }

  checkpointRestored(checkpoint: OfJob & { readonly nodeId?: string } & Details): AuditResult {
    return this.#ofJob(AuditEventType.CHECKPOINT_RESTORED, 'Checkpoint restored', checkpoint);
  }

  errorTransient(error: OfJob & AuditErrorInfo): AuditResult {
    return this.#ofJob(AuditEventType.ERROR_TRANSIENT, given('error', error).message, error);
  }

  errorPermanent(error: OfJob & AuditErrorInfo): AuditResult {
    return this.#ofJob(AuditEventType.ERROR_PERMANENT, given('error', error).message, error);
  }

  #ofJob(
    type: AuditEventType,
    message: string,
    job: OfJob & { readonly nodeId?: string } & Details,
    actor?: string | null,
  ): AuditResult {
    const { jobId, nodeId, ...details } = given('job', job);
    return this.log(type, message, {
      ...(jobId === undefined ? {} : { jobId }),
      ...(nodeId === undefined ? {} : { nodeId }),
      ...(typeof actor === 'string' ? { actor } : {}),
      details,
    });
  }

  #byActor(type: AuditEventType, message: string, details: Details, actor: string | undefined): AuditResult {
    return this.log(type, message, { ...(actor === undefined ? {} : { actor }), details });
  }

  #ofNode(type: AuditEventType, message: string, node: OfNode & Details): AuditResult {
    return this.#ofJob(type, message, node);
  }
}

/** In other letters they would stand among the details, and nobody would find the entry by its job. */
const idNames: ReadonlyMap<string, string> = new Map([
  ['jobid', 'jobId'],
  ['nodeid', 'nodeId'],
]);

function given<T extends object>(argument: string, value: T): T {
  must.object(argument, value);
  for (const [name, part] of Object.entries(value)) {
    if (typeof part === 'symbol') must.refuse(`${argument}.${name}`, 'what can be written down', part);
    const meant = idNames.get(name.toLowerCase());
    if (meant !== undefined && meant !== name)
      must.refuse(`${argument}.${name}`, `left out, or be written ${meant}`, part);
  }
  return value;
}

function errorOf(argument: string, of: { readonly error: AuditErrorInfo }): AuditErrorInfo {
  return given(`${argument}.error`, given(argument, of).error);
}
