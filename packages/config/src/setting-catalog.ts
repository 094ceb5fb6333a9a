/** Every setting with its kind and its name in the environment: the one list that all sources share. */
import {
  decimal,
  durationMs,
  flag,
  httpUrl,
  listOf,
  oneOf,
  optional,
  passphrase,
  path,
  pathList,
  patternList,
  type SettingKind,
  secret,
  text,
  textList,
  uuid,
  wholeNumber,
} from './setting-kinds.ts';
import type { Settings } from './settings.ts';

export interface Setting {
  /** Section and name: `jobExecution.lockTimeoutMs`. */
  readonly path: string;
  readonly section: string;
  readonly name: string;
  /** Environment variable that sets it. */
  readonly variable: string;
  readonly kind: SettingKind<unknown>;
}

type Catalog = { readonly [S in keyof Settings]: { readonly [K in keyof Settings[S]]: SettingKind<Settings[S][K]> } };

const catalog: Catalog = {
  robot: {
    id: optional(uuid()),
    name: text(200),
    home: path(),
    tags: textList(),
    capabilities: textList(),
  },
  connection: {
    url: optional(httpUrl()),
    key: optional(secret()),
    email: optional(text(320)),
    password: optional(passphrase()),
    jwt: optional(secret()),
    jwtFile: optional(path()),
    authRetryIntervalMs: durationMs(10),
    wakeUpsEnabled: flag(),
    initialDelayMs: durationMs(),
    maxDelayMs: durationMs(),
    backoffMultiplier: decimal(1, 100),
    connectionTimeoutMs: durationMs(),
    idleProbeIntervalMs: optional(durationMs(10)),
    maxReconnectAttempts: optional(wholeNumber(0, 1_000_000)),
  },
  circuitBreaker: {
    failureThreshold: wholeNumber(1, 1_000_000),
    successThreshold: wholeNumber(1, 1_000_000),
    timeoutMs: durationMs(),
  },
  jobExecution: {
    maxConcurrentJobs: wholeNumber(1, 1_000),
    isolation: oneOf('process', 'in-process'),
    checkpointEnabled: flag(),
    checkpointOnEveryNode: flag(),
    synchronous: oneOf('full', 'normal'),
    storeLimitMb: optional(wholeNumber(8, 1_048_576)),
    progressReportingEnabled: flag(),
    progressIntervalMs: durationMs(10),
    cancellationCheckIntervalMs: durationMs(10),
    nodeTimeoutMs: durationMs(),
    jobTimeoutMs: optional(durationMs()),
    pollIntervalMs: durationMs(10),
    relaxedPollIntervalMs: durationMs(10),
    lockTimeoutMs: durationMs(1_000),
    heartbeatIntervalMs: optional(durationMs(10)),
    inDoubtPolicy: oneOf('retry', 'skip', 'fail', 'ask'),
    drainTimeoutMs: optional(durationMs(0)),
    cancelGraceMs: durationMs(0),
  },
  jobProcesses: {
    warm: wholeNumber(0, 100),
    memoryLimitMb: optional(wholeNumber(128, 1_048_576)),
    recycleAfterJobs: wholeNumber(1, 1_000_000),
    recycleAfterMs: durationMs(),
    recycleAboveMb: wholeNumber(32, 1_048_576),
  },
  observability: {
    metricsEnabled: flag(),
    resourceMonitoringEnabled: flag(),
    auditEnabled: flag(),
    resourceIntervalMs: durationMs(100),
    logLevel: oneOf('debug', 'info', 'warning', 'error', 'critical'),
    logFormat: oneOf('human', 'json'),
    logDir: optional(path()),
    logFileMb: wholeNumber(1, 1_024),
    logQuotaMb: wholeNumber(1, 1_048_576),
    jobLogsEnabled: flag(),
    jobLogQuotaMb: wholeNumber(1, 1_048_576),
    auditDir: optional(path()),
    statusPort: optional(wholeNumber(0, 65_535)),
    statusHost: text(255),
    statusToken: optional(secret()),
    readyTimeoutMs: durationMs(1_000),
    minFreeDiskMb: optional(wholeNumber(1, 1_073_741_824)),
    maxMemoryPercent: optional(decimal(1, 100)),
    auditRetentionDays: optional(wholeNumber(1, 36_500)),
    auditMaxMb: optional(wholeNumber(100, 10_000_000)),
    auditAnchorIntervalMs: durationMs(1_000),
    auditMirror: flag(),
    redactPatterns: patternList(),
  },
  failureBundles: {
    enabled: flag(),
    screenshots: flag(),
    traces: flag(),
    maxMb: wholeNumber(1, 10_240),
    quotaMb: wholeNumber(1, 1_048_576),
    maxCount: wholeNumber(1, 100_000),
    maxAgeDays: wholeNumber(1, 36_500),
  },
  nodes: { packages: textList(4_096) },
  permissions: { allowPaths: pathList(), allowCommands: textList(4_096), allowNet: textList() },
  secrets: { providers: listOf('environment', 'file', 'keyring'), file: optional(path()) },
  limits: {
    browsersPerJob: wholeNumber(0, 1_000),
    pagesPerJob: wholeNumber(0, 10_000),
    connectionsPerJob: wholeNumber(0, 10_000),
  },
  browser: { executablePath: optional(path()) },
};

/** Variables with a name of their own; every other one is `CASARE_<SECTION>_<SETTING>`. */
const wellKnownVariables: Readonly<Record<string, string>> = {
  'connection.url': 'SUPABASE_URL',
  'connection.key': 'SUPABASE_KEY',
  'robot.home': 'CASARE_HOME',
  'jobExecution.maxConcurrentJobs': 'CASARE_MAX_CONCURRENT_JOBS',
  'observability.logLevel': 'CASARE_LOG_LEVEL',
  'observability.logFormat': 'CASARE_LOG_FORMAT',
  'browser.executablePath': 'CASARE_BROWSER_PATH',
};

/** All settings, in the order of the sections. */
export const settingList: readonly Setting[] = Object.entries(catalog).flatMap(([section, kinds]) =>
  Object.entries(kinds as Record<string, SettingKind<unknown>>).map(([name, kind]) => {
    const settingPath = `${section}.${name}`;
    const variable = wellKnownVariables[settingPath] ?? `${sectionPrefix(section)}${upperSnake(name)}`;
    return { path: settingPath, section, name, variable, kind };
  }),
);

export const sectionNames: readonly string[] = Object.keys(catalog);

const settingsByPath: ReadonlyMap<string, Setting> = new Map(settingList.map((setting) => [setting.path, setting]));

export function findSetting(settingPath: string): Setting | undefined {
  return settingsByPath.get(settingPath);
}

/** `jobExecution` -> `CASARE_JOB_EXECUTION_`. */
export function sectionPrefix(section: string): string {
  return `CASARE_${upperSnake(section)}_`;
}

function upperSnake(camelCase: string): string {
  return camelCase.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
