export type { AuditEntry } from './audit/audit-entry.ts';
export { AuditEventType, type AuditOutcome, AuditSeverity } from './audit/audit-event.ts';
export type { AuditLogEntryOptions, AuditLogOptions, AuditResult, AuditStatus } from './audit/audit-log.ts';
export { type AuditErrorInfo, AuditLogger } from './audit/audit-logger.ts';
export type { LostEntries } from './audit/audit-writer.ts';
export { type AuditFilter, type AuditReading, type DamagedLine, readAuditLog } from './audit/read-audit-log.ts';
export { AuditError, type AuditErrorCode } from './errors.ts';
export { type CreateLoggerOptions, createLogger, type OperationalLogger } from './logging/create-logger.ts';
export type { LogFormat } from './logging/format-line.ts';
export type { LogFileOptions } from './logging/log-sink.ts';
export { overflowLabel } from './metrics/bounded-labels.ts';
export type { DurationSummary } from './metrics/duration-histogram.ts';
export type {
  ActiveJob,
  FinishedJob,
  JobEnd,
  JobMetrics,
  JobStartOptions,
  RunStatus,
} from './metrics/job-metrics.ts';
export type {
  DroppedCounts,
  ErrorCodeStats,
  ErrorSummary,
  MetricsReport,
  MetricsSummary,
} from './metrics/metric-reports.ts';
export { MetricsCollector, type MetricsCollectorOptions } from './metrics/metrics-collector.ts';
export type { NodeRecord, NodeTypeStats } from './metrics/node-statistics.ts';
export type { Clock, Logger, LogLevel } from './ports.ts';
export { type RedactOptions, Redactor } from './redaction/redactor.ts';
export { ResourceMonitor, type ResourceMonitorOptions, type ResourceSample } from './resources/resource-monitor.ts';
export { systemClock } from './system-clock.ts';
