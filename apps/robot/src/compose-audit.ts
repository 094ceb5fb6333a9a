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
  /** What is wrong with the log: found at the start, or by retention since; null when nothing is, or nobody has looked yet. */
  readonly problem: string | null;
  /** Sends anchors to the server; null without an audit log. */
  anchorsOn(server: AnchorServer): AuditAnchors | null;
  /** Whether durable entries can be written, as far as is known: false from a failure until a try has succeeded. */
  readonly canWrite: boolean;
  /** After a failure, tries again. */
  tryToWrite(): void;
  close(): void;
}

const withoutAudit: RobotAudit = {
  audit: null,
  problem: null,
  anchorsOn: () => null,
  canWrite: true,
  tryToWrite: () => undefined,
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
      tellWhetherWritable();
    },
  });
  const tellWhetherWritable = (): void => {
    const { canWrite, lost } = audit.getStatus();
    const why = lost?.error ?? 'its last write failed';
    onWritable(canWrite ? null : `the audit log cannot be written (${why}), so nothing would tell of them`);
  };
  audit.open();
  const check = new AuditCheck({ audit, folder: settings.auditDir, logger, clock });
  void check.run();
  return {
    audit,
    get problem() {
      return check.problem ?? audit.getStatus().retentionProblem;
    },
    anchorsOn: (server) => {
      anchors = new AuditAnchors({ audit, server, intervalMs: settings.auditAnchorIntervalMs, logger });
      return anchors;
    },
    get canWrite() {
      return audit.getStatus().canWrite;
    },
    tryToWrite: () => {
      if (audit.checkWritable()) told = null;
      tellWhetherWritable();
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
