/** What is worth a line in the audit log, how severe it is, and whether it must survive power loss. */
import * as must from '../arguments.ts';

export const AuditEventType = {
  ROBOT_STARTED: 'robot.started',
  ROBOT_STOPPED: 'robot.stopped',
  ROBOT_PAUSED: 'robot.paused',
  ROBOT_RESUMED: 'robot.resumed',
  /** Somebody asked it to stop, and how; it has stopped with `robot.stopped`. */
  ROBOT_STOP_REQUESTED: 'robot.stop_requested',
  STORE_INCIDENT: 'store.incident',
  /** Somebody had entries sent again that the database had refused, or removed such entries for good. */
  OUTBOX_REQUEUED: 'outbox.requeued',
  OUTBOX_DISCARDED: 'outbox.discarded',
  /** The operational log cannot be written to its files; the robot goes on. */
  LOGS_UNWRITABLE: 'logs.unwritable',
  LOGS_WRITABLE: 'logs.writable',
  CONFIG_CHANGED: 'config.changed',
  CONNECTION_ESTABLISHED: 'connection.established',
  CONNECTION_LOST: 'connection.lost',
  CONNECTION_RESTORED: 'connection.restored',
  CONNECTION_REFUSED: 'connection.refused',
  CIRCUIT_OPENED: 'circuit.opened',
  CIRCUIT_HALF_OPENED: 'circuit.half_opened',
  CIRCUIT_CLOSED: 'circuit.closed',
  JOB_RECEIVED: 'job.received',
  JOB_CLAIMED: 'job.claimed',
  JOB_STARTED: 'job.started',
  JOB_RESUMED: 'job.resumed',
  JOB_COMPLETED: 'job.completed',
  JOB_FAILED: 'job.failed',
  JOB_CANCEL_REQUESTED: 'job.cancel_requested',
  JOB_CANCELLED: 'job.cancelled',
  JOB_IN_DOUBT: 'job.in_doubt',
  /** Somebody answered a question about a job in doubt at the robot itself; it goes on with `job.answered`. */
  JOB_ANSWER_GIVEN: 'job.answer_given',
  JOB_ANSWERED: 'job.answered',
  JOB_RELEASED: 'job.released',
  JOB_LEASE_LOST: 'job.lease_lost',
  JOB_SYNCED: 'job.synced',
  NODE_STARTED: 'node.started',
  NODE_COMPLETED: 'node.completed',
  NODE_FAILED: 'node.failed',
  NODE_SKIPPED: 'node.skipped',
  NODE_RETRIED: 'node.retried',
  CHECKPOINT_SAVED: 'checkpoint.saved',
  CHECKPOINT_RESTORED: 'checkpoint.restored',
  ERROR_TRANSIENT: 'error.transient',
  ERROR_PERMANENT: 'error.permanent',
  /** The rest is written by the log itself. After entries could not be written: */
  AUDIT_ENTRIES_LOST: 'audit.entries_lost',
  /** The log that the robot goes on with is not as it was written. */
  AUDIT_DAMAGED: 'audit.damaged',
  /** First entry of the chain in a folder that has files from before it. */
  AUDIT_CHAIN_STARTED: 'audit.chain_started',
  /** Entries that no checkpoint covered when the log was taken up: of a crash, or of somebody who is not the robot. */
  AUDIT_ENTRIES_ADOPTED: 'audit.entries_adopted',
  AUDIT_SEGMENTS_REMOVED: 'audit.segments_removed',
  /** Files that are due to be removed stay, because they are not as they were written. */
  AUDIT_RETENTION_REFUSED: 'audit.retention_refused',
  AUDIT_KEY_ROTATED: 'audit.key_rotated',
  /** The old key was gone, so that it could not vouch for the new one. */
  AUDIT_KEY_REPLACED: 'audit.key_replaced',
} as const;

export type AuditEventType = (typeof AuditEventType)[keyof typeof AuditEventType];

export const AuditSeverity = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
} as const;

export type AuditSeverity = (typeof AuditSeverity)[keyof typeof AuditSeverity];

/** How what an entry tells of ended; null for what has no end or not yet. */
export type AuditOutcome = 'success' | 'failure' | 'cancelled' | 'unknown' | null;

const severities: readonly AuditSeverity[] = ['debug', 'info', 'warning', 'error', 'critical'];

export function isAtLeast(severity: AuditSeverity, least: AuditSeverity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(least);
}

export interface EventRule {
  readonly severity: AuditSeverity;
  readonly outcome: AuditOutcome;
  /** Synced to disk before `log` returns. */
  readonly durable: boolean;
}

/** Events of the robot and its jobs are durable; those of nodes and connections, which are many, are not. */
export function ruleOf(type: AuditEventType): EventRule {
  must.text('type', type);
  return {
    severity: severityByType.get(type) ?? 'info',
    outcome: outcomeByType.get(type) ?? null,
    durable: /^(?:robot|store|outbox|config|job|audit)\.|^error\.permanent$/.test(type),
  };
}

const severityByType = new Map<AuditEventType, AuditSeverity>([
  [AuditEventType.ROBOT_PAUSED, 'warning'],
  [AuditEventType.LOGS_UNWRITABLE, 'error'],
  [AuditEventType.OUTBOX_DISCARDED, 'warning'],
  [AuditEventType.CONNECTION_LOST, 'warning'],
  [AuditEventType.CONNECTION_REFUSED, 'error'],
  [AuditEventType.CIRCUIT_OPENED, 'warning'],
  [AuditEventType.JOB_FAILED, 'error'],
  [AuditEventType.JOB_CANCELLED, 'warning'],
  [AuditEventType.JOB_IN_DOUBT, 'warning'],
  [AuditEventType.STORE_INCIDENT, 'critical'],
  [AuditEventType.JOB_LEASE_LOST, 'warning'],
  [AuditEventType.NODE_STARTED, 'debug'],
  [AuditEventType.NODE_FAILED, 'error'],
  [AuditEventType.NODE_RETRIED, 'warning'],
  [AuditEventType.CHECKPOINT_SAVED, 'debug'],
  [AuditEventType.ERROR_TRANSIENT, 'warning'],
  [AuditEventType.ERROR_PERMANENT, 'error'],
  [AuditEventType.AUDIT_ENTRIES_LOST, 'critical'],
  [AuditEventType.AUDIT_DAMAGED, 'critical'],
  [AuditEventType.AUDIT_RETENTION_REFUSED, 'critical'],
  [AuditEventType.AUDIT_KEY_REPLACED, 'critical'],
]);

const outcomeByType = new Map<AuditEventType, AuditOutcome>([
  [AuditEventType.CONNECTION_ESTABLISHED, 'success'],
  [AuditEventType.CONNECTION_RESTORED, 'success'],
  [AuditEventType.LOGS_UNWRITABLE, 'failure'],
  [AuditEventType.OUTBOX_REQUEUED, 'success'],
  [AuditEventType.OUTBOX_DISCARDED, 'success'],
  [AuditEventType.AUDIT_DAMAGED, 'failure'],
  [AuditEventType.AUDIT_RETENTION_REFUSED, 'failure'],
  [AuditEventType.LOGS_WRITABLE, 'success'],
  [AuditEventType.CONNECTION_LOST, 'failure'],
  [AuditEventType.CONNECTION_REFUSED, 'failure'],
  [AuditEventType.JOB_CLAIMED, 'success'],
  [AuditEventType.JOB_COMPLETED, 'success'],
  [AuditEventType.JOB_FAILED, 'failure'],
  [AuditEventType.JOB_CANCELLED, 'cancelled'],
  [AuditEventType.JOB_IN_DOUBT, 'unknown'],
  [AuditEventType.JOB_SYNCED, 'success'],
  [AuditEventType.NODE_COMPLETED, 'success'],
  [AuditEventType.NODE_FAILED, 'failure'],
  [AuditEventType.CHECKPOINT_SAVED, 'success'],
  [AuditEventType.CHECKPOINT_RESTORED, 'success'],
  [AuditEventType.ERROR_TRANSIENT, 'failure'],
  [AuditEventType.ERROR_PERMANENT, 'failure'],
  [AuditEventType.AUDIT_ENTRIES_LOST, 'failure'],
]);
