export { ArgumentError } from './arguments.ts';
export {
  type Anchor,
  type AnchorFile,
  anchorFileText,
  parseAnchorFile,
  parsePublicKeys,
} from './audit/anchor-file.ts';
export type { AuditEntry } from './audit/audit-entry.ts';
export { AuditEventType, type AuditOutcome, AuditSeverity } from './audit/audit-event.ts';
export { addAuditKey, publicKeyPem } from './audit/audit-keys.ts';
export type { AuditResult, AuditStatus } from './audit/audit-log.ts';
export type { AuditLogEntryOptions, AuditLogOptions } from './audit/audit-log-options.ts';
export { type AuditErrorInfo, AuditLogger } from './audit/audit-logger.ts';
export { csvHeader, csvRow } from './audit/audit-table.ts';
export type { LostEntries } from './audit/audit-writer.ts';
export type { AuditFinding, FindingKind } from './audit/chain-checker.ts';
export { type FolderAnchors, readFolderAnchors } from './audit/folder-anchors.ts';
export type { KeptFiles } from './audit/keep-audit-files.ts';
export type { AdoptedEntries } from './audit/log-marks.ts';
export {
  type AuditFilter,
  type AuditReading,
  type DamagedLine,
  readAuditLog,
  streamAuditLog,
} from './audit/read-audit-log.ts';
export type { Checkpoint } from './audit/signed-records.ts';
export type { AuditNote } from './audit/stray-files.ts';
export type { KeyTrust } from './audit/trusted-keys.ts';
export { type AuditVerification, type VerifyOptions, verifyAuditLog } from './audit/verify-audit-log.ts';
export type { VerifyPace } from './audit/verify-pace.ts';
export { AuditError, type AuditErrorCode } from './errors.ts';
export { collectorFamilies } from './exposition/collector-families.ts';
export { family, type MetricFamily, type MetricPoint } from './exposition/metric-family.ts';
export { type MetricDescriptor, type MetricKey, metricTable, prometheusName } from './exposition/metric-names.ts';
export { prometheusContentType, prometheusText } from './exposition/prometheus-text.ts';
export {
  type HealthFacts,
  type HealthReason,
  type HealthReasonCode,
  healthOf,
  type RobotHealth,
  type RobotState,
  type RunningStep,
  robotStates,
} from './health/robot-health.ts';
export { type CreateLoggerOptions, createLogger, type OperationalLogger } from './logging/create-logger.ts';
export { escapeControl, formatLine, type LogFormat, type LogRecord } from './logging/format-line.ts';
export type { LogFileOptions } from './logging/log-sink.ts';
export { type FollowOptions, followLog, type LogFilter, readLog } from './logging/read-log.ts';
export { overflowLabel } from './metrics/bounded-labels.ts';
export { DurationHistogram, type DurationSummary, type HistogramSnapshot } from './metrics/duration-histogram.ts';
export type {
  ActiveJob,
  FinishedJob,
  JobEnd,
  JobFailure,
  JobMetrics,
  JobStartOptions,
  RunStatus,
} from './metrics/job-metrics.ts';
export type { JobOutcome, TimelineSpan } from './metrics/job-timeline.ts';
export type {
  DroppedCounts,
  ErrorCodeStats,
  ErrorSummary,
  MetricsReport,
  MetricsSummary,
} from './metrics/metric-reports.ts';
export type { MetricSeries } from './metrics/metric-series.ts';
export { MetricsCollector, type MetricsCollectorOptions } from './metrics/metrics-collector.ts';
export { MetricsHistory, type MetricsHistoryOptions } from './metrics/metrics-history.ts';
export type { MetricsSnapshot } from './metrics/metrics-snapshot.ts';
export type { NodeRecord, NodeTypeStats } from './metrics/node-statistics.ts';
export type { Clock, Logger, LogLevel } from './ports.ts';
export { type RedactOptions, Redactor, type RedactRule } from './redaction/redactor.ts';
export {
  describeShortage,
  type ResourceShortage,
  type ResourceThresholds,
  shortagesOf,
} from './resources/claim-limits.ts';
export type { ContainerLimits } from './resources/container-limits.ts';
export type { DiskSpace } from './resources/disk-usage.ts';
export type { EventLoopUsage } from './resources/event-loop.ts';
export { ResourceMonitor, type ResourceMonitorOptions } from './resources/resource-monitor.ts';
export type { ResourceSample } from './resources/resource-sample.ts';
export { systemClock } from './system-clock.ts';
