/** The values of settings that nobody set. */
import { join } from 'node:path';
import type { Host } from './ports.ts';
import type { Settings } from './settings.ts';

export function defaultSettings(host: Host): Settings {
  return {
    robot: {
      id: null,
      name: `Robot-${host.hostname}`,
      home: join(host.homedir, '.casare_rpa'),
      tags: [],
      capabilities: [],
    },
    connection: {
      url: null,
      key: null,
      email: null,
      password: null,
      jwt: null,
      jwtFile: null,
      authRetryIntervalMs: 30_000,
      wakeUpsEnabled: true,
      initialDelayMs: 1_000,
      maxDelayMs: 300_000,
      backoffMultiplier: 2,
      connectionTimeoutMs: 30_000,
      idleProbeIntervalMs: 30_000,
      maxReconnectAttempts: null,
    },
    circuitBreaker: { failureThreshold: 5, successThreshold: 2, timeoutMs: 60_000 },
    jobExecution: {
      maxConcurrentJobs: 3,
      isolation: 'process',
      checkpointEnabled: true,
      checkpointOnEveryNode: true,
      synchronous: 'full',
      storeLimitMb: 1_024,
      progressReportingEnabled: true,
      progressIntervalMs: 1_000,
      cancellationCheckIntervalMs: 2_000,
      nodeTimeoutMs: 120_000,
      jobTimeoutMs: null,
      pollIntervalMs: 1_000,
      relaxedPollIntervalMs: 10_000,
      lockTimeoutMs: 300_000,
      heartbeatIntervalMs: null,
      inDoubtPolicy: 'ask',
      drainTimeoutMs: null,
      cancelGraceMs: 10_000,
    },
    jobProcesses: {
      warm: 1,
      memoryLimitMb: 2_048,
      recycleAfterJobs: 100,
      recycleAfterMs: 3_600_000,
      recycleAboveMb: 512,
    },
    observability: {
      metricsEnabled: true,
      resourceMonitoringEnabled: true,
      auditEnabled: true,
      resourceIntervalMs: 5_000,
      logLevel: 'info',
      logFormat: 'human',
      logDir: null,
      logFileMb: 10,
      logQuotaMb: 100,
      jobLogsEnabled: true,
      jobLogQuotaMb: 64,
      auditDir: null,
      statusPort: 0,
      statusHost: '127.0.0.1',
      statusToken: null,
      readyTimeoutMs: 30_000,
      minFreeDiskMb: 256,
      maxMemoryPercent: 90,
      auditRetentionDays: 365,
      auditMaxMb: 2_048,
      auditAnchorIntervalMs: 300_000,
      auditMirror: false,
      redactPatterns: [],
    },
    failureBundles: {
      enabled: true,
      screenshots: true,
      traces: false,
      maxMb: 20,
      quotaMb: 500,
      maxCount: 100,
      maxAgeDays: 30,
    },
    nodes: { packages: [] },
    permissions: { allowPaths: [], allowCommands: [], allowNet: [] },
    secrets: { providers: ['environment', 'file'], file: null },
    limits: { browsersPerJob: 5, pagesPerJob: 50, connectionsPerJob: 20 },
    browser: { executablePath: null },
  };
}

/** Heartbeat when none is set: ten chances per lease, and never rarer than every 10 s. */
export function defaultHeartbeatMs(lockTimeoutMs: number): number {
  return Math.min(10_000, Math.floor(lockTimeoutMs / 10));
}
