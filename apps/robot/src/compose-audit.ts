/** The robot's audit log as its settings describe it, and what depends on it: no record, no new jobs. */
import { join } from 'node:path';
import type { ValidSettings } from '@casare/config';
import type { Clock, Logger } from '@casare/execution';
import { AuditEventType, AuditLogger, type Redactor } from '@casare/observability';
import { type AnchorServer, AuditAnchors } from './audit-anchors.ts';
import { AuditCheck } from './audit-check.ts';
import type { RobotIdentity } from './identity.ts';

export interface AuditComposition {
  readonly config: ValidSettings;
  readonly identity: RobotIdentity;
  readonly redactor: Redactor;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Told when the log cannot be written, with the reason in words, and with null when it can again. */
  readonly onWritable: (problem: string | null) => void;
}

export interface RobotAudit {
  /** Null when it is switched off. */
  readonly audit: AuditLogger | null;
  /** What is wrong with the log that was found at the start; null when nothing is, or nobody has looked yet. */
  readonly problem: string | null;
  /** Sends anchors to the server; null without an audit log. */
  anchorsOn(server: AnchorServer): AuditAnchors | null;
  /** Whether durable entries can be written; after a failure, asking tries again. */
  isWritable(): boolean;
  close(): void;
}

const withoutAudit: RobotAudit = {
  audit: null,
  problem: null,
  anchorsOn: () => null,
  isWritable: () => true,
  close: () => undefined,
};
const dayMs = 86_400_000;
const megabyte = 1024 * 1024;

/** @throws AuditError `AUDIT_FOLDER_OWNED` when another robot writes to the folder, `AUDIT_KEY_WRONG` */
export function composeAudit({ config, identity, redactor, logger, clock, onWritable }: AuditComposition): RobotAudit {
  const settings = config.observability;
  if (!settings.auditEnabled) return withoutAudit;
  let anchors: AuditAnchors | null = null;
  let told: string | null = null;
  const audit = new AuditLogger({
    robotId: identity.robotId,
    logDir: settings.auditDir,
    keyDir: join(config.robot.home, 'keys'),
    bootId: identity.bootId,
    redact: redactor,
    maxAgeMs: settings.auditRetentionDays === null ? null : settings.auditRetentionDays * dayMs,
    maxTotalBytes: settings.auditMaxMb === null ? null : settings.auditMaxMb * megabyte,
    ...(settings.auditMirror ? { mirror: logger } : {}),
    onCheckpoint: (checkpoint) => anchors?.add(checkpoint),
    onError: (error) => {
      if (error.message !== told) logger.log('critical', error.message, { code: error.code });
      told = error.message;
    },
  });
  audit.open();
  const check = new AuditCheck({ audit, folder: settings.auditDir, logger, clock });
  void check.run();
  return {
    audit,
    get problem() {
      return check.problem;
    },
    anchorsOn: (server) => {
      anchors = new AuditAnchors({ audit, server, intervalMs: settings.auditAnchorIntervalMs, logger });
      return anchors;
    },
    isWritable: () => {
      const isWritable = audit.checkWritable();
      const why = audit.getStatus().lost?.error ?? 'its last write failed';
      onWritable(isWritable ? null : `the audit log cannot be written (${why}), so nothing would tell of them`);
      if (isWritable) told = null;
      return isWritable;
    },
    close() {
      check.stop();
      audit.close();
    },
  };
}

/** Records that the operational log does not reach its files any more, or does again. */
export function recordLogProblem(audit: AuditLogger | null, folder: string, problem: string | null): void {
  if (problem === null) audit?.log(AuditEventType.LOGS_WRITABLE, 'The log is written again', { details: { folder } });
  else audit?.log(AuditEventType.LOGS_UNWRITABLE, 'The log cannot be written', { details: { folder, problem } });
}
