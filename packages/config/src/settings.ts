/**
 * The settings of a robot, section by section. Durations are in milliseconds. Where `null` is allowed it
 * means "not set": the comment says what happens then.
 */

export interface RobotSettings {
  /** The robot's id in the database, a UUID. `null` (default): the robot makes one and keeps it in `home`. */
  id: string | null;
  /** Name shown to people. Default `Robot-<hostname>`. */
  name: string;
  /** Folder of the robot's own files. Default `~/.casare_rpa`. */
  home: string;
  /** Labels that jobs may require of a robot. Default none. */
  tags: string[];
  /** Abilities that jobs may require of a robot. Default none. */
  capabilities: string[];
}

export interface ConnectionSettings {
  /** Supabase project URL, http or https. `null` (default): no database. */
  url: string | null;
  /** Supabase API key. Never shown. `null` (default): no database. */
  key: string | null;
  /** Email address of the robot's own user in Supabase Auth; with it, `key` only names the project. `null` (default): none. */
  email: string | null;
  /** Password of that user. Never shown. `null` (default): none. */
  password: string | null;
  /** A JWT to act under instead. Never shown. `null` (default): none. */
  jwt: string | null;
  /** File with such a JWT, kept up to date by another program. `null` (default): none. */
  jwtFile: string | null;
  /** Time between two tries while the credentials are refused. Default 30,000. */
  authRetryIntervalMs: number;
  /** Whether the server may wake the robot over Realtime; polling goes on in any case. Default true. */
  wakeUpsEnabled: boolean;
  /** First reconnect delay. Default 1,000. */
  initialDelayMs: number;
  /** Longest reconnect delay. Default 300,000. */
  maxDelayMs: number;
  /** Growth of the delay per attempt. Default 2. */
  backoffMultiplier: number;
  /** Time limit of one request or connection attempt. Default 30,000. */
  connectionTimeoutMs: number;
  /** How long an idle connection may be silent before it is looked at. `null`: it is not. Default 30,000. */
  idleProbeIntervalMs: number | null;
  /** Reconnect attempts before giving up. `null` (default): never give up. */
  maxReconnectAttempts: number | null;
}

export interface CircuitBreakerSettings {
  /** Failures in a row before the circuit opens. Default 5. */
  failureThreshold: number;
  /** Successes before a half-open circuit closes. Default 2. */
  successThreshold: number;
  /** Time an open circuit waits before it tries again. Default 60,000. */
  timeoutMs: number;
}

export type Synchronous = 'full' | 'normal';
export type Isolation = 'process' | 'in-process';
export type InDoubtPolicy = 'retry' | 'skip' | 'fail' | 'ask';

export interface JobExecutionSettings {
  /** Jobs that run at the same time. Default 3. */
  maxConcurrentJobs: number;
  /**
   * `process` (default): each job has a process of its own, so that a node that blocks, leaks or dies hurts nothing but
   * its job. `in-process`: jobs run inside the robot's own process.
   */
  isolation: Isolation;
  /** Whether an interrupted job can be resumed. Default true. */
  checkpointEnabled: boolean;
  /** Whether a checkpoint follows every node. Default true. */
  checkpointOnEveryNode: boolean;
  /** `full` (default) survives power loss; `normal` survives the death of the process only, and is faster. */
  synchronous: Synchronous;
  /**
   * What the robot's own store may grow to, in MB. Near it, events are dropped first, then steps wait; what ends a job is
   * still saved. Default 1,024. `null`: no limit.
   */
  storeLimitMb: number | null;
  /** Whether progress is sent to the database. Default true. */
  progressReportingEnabled: boolean;
  /** Time between two progress reports of a job. Default 1,000. */
  progressIntervalMs: number;
  /** Time between two looks for a cancel request. Default 2,000. */
  cancellationCheckIntervalMs: number;
  /** Time limit of one node. Default 120,000. */
  nodeTimeoutMs: number;
  /** Time limit of a whole job. `null` (default): none. */
  jobTimeoutMs: number | null;
  /** Time between two looks for new jobs. Default 1,000. */
  pollIntervalMs: number;
  /** The same while the server can wake the robot. Default 10,000. */
  relaxedPollIntervalMs: number;
  /** How long a claim holds without a heartbeat. Default 300,000. */
  lockTimeoutMs: number;
  /** Time between two heartbeats. `null` (default): a tenth of `lockTimeoutMs`, at most 10,000. */
  heartbeatIntervalMs: number | null;
  /** What happens to a node that may or may not have run. Default `ask`. */
  inDoubtPolicy: InDoubtPolicy;
  /** How long a stopping robot waits for running jobs. `null` (default): until they end. */
  drainTimeoutMs: number | null;
  /** How long a cancelled node may take to end. Default 10,000. */
  cancelGraceMs: number;
}

/** The processes that jobs run in; see `jobExecution.isolation`. */
export interface JobProcessesSettings {
  /** Processes started before there are jobs for them; used ones are kept besides. Default 1. */
  warm: number;
  /** Memory that one job may use, its browser included, in MB. Default 2,048. `null`: no limit. */
  memoryLimitMb: number | null;
  /** Jobs after which a process is replaced. Default 100. */
  recycleAfterJobs: number;
  /** Age at which a process is replaced. Default 3,600,000. */
  recycleAfterMs: number;
  /** Memory after a job above which a process is replaced, in MB. Default 512. */
  recycleAboveMb: number;
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

export interface ObservabilitySettings {
  /** Default true. */
  metricsEnabled: boolean;
  /** Default true. */
  resourceMonitoringEnabled: boolean;
  /** Default true. */
  auditEnabled: boolean;
  /** Time between two samples of CPU and memory. Default 5,000. */
  resourceIntervalMs: number;
  /** Least level that is logged. Default `info`. */
  logLevel: LogLevel;
  /** How the robot logs on its standard error; the files are always JSON. Default `human`. */
  logFormat: 'human' | 'json';
  /** Folder of the log files. `null` (default): `logs` in the robot's home. */
  logDir: string | null;
  /** Size at which a log file is put aside, in MB. Default 10. */
  logFileMb: number;
  /** Size of all log files together, in MB: the oldest is removed. Default 100. */
  logQuotaMb: number;
  /** Whether the log lines of a job are sent to the database. Default true. */
  jobLogsEnabled: boolean;
  /** Size of all log lines that wait for the database, in MB; what does not fit is counted as missing. Default 64. */
  jobLogQuotaMb: number;
  /** Folder of the audit files. `null` (default): `audit` in the robot's home. */
  auditDir: string | null;
  /** Port of the status page. 0 (default): a free one, see `status-page.json` in the home. `null`: no status page. */
  statusPort: number | null;
  /** Address that it listens on. Default `127.0.0.1`; any but a loopback address needs `statusToken`. */
  statusHost: string;
  /** Token that the page's actions ask for. Never shown. `null` (default): one is made, see `status-token` in the home. */
  statusToken: string | null;
  /** How long ago the last successful turn with the server may be for the robot to be ready. Default 30,000. */
  readyTimeoutMs: number;
  /** Free disk space in MB below which no new jobs are taken. Default 256. `null`: no limit. */
  minFreeDiskMb: number | null;
  /** Share of the memory that the robot, with all its processes, may use before no new jobs are taken, in percent. Default 90. `null`: no limit. */
  maxMemoryPercent: number | null;
  /** Days after which audit files are removed; `null`: never. Default 365. */
  auditRetentionDays: number | null;
  /** Size of the audit folder above which its oldest files are removed, in MB; `null`: none. Default 2,048. */
  auditMaxMb: number | null;
  /** Time between two anchors of the audit log on the server, in ms. Default 300,000. */
  auditAnchorIntervalMs: number;
  /** Audit entries also go to the operational log. Default false. */
  auditMirror: boolean;
  /** Regular expressions (flag `u`) of texts that never reach a log, the audit log or the page. They must end quickly on any text. Default empty. */
  redactPatterns: string[];
}

/** What is kept of a job that failed, in the folder `bundles` of the robot's home. */
export interface FailureBundleSettings {
  /** Default true. */
  enabled: boolean;
  /** Pictures of the open pages; password fields and known secrets in them are painted over. Default true. */
  screenshots: boolean;
  /** A Playwright trace of the open browsers, without pictures. Default false. */
  traces: boolean;
  /** Size of one bundle, in MB: what does not fit is left out. Default 20. */
  maxMb: number;
  /** Size of all bundles together, in MB: the oldest is removed. Default 500. */
  quotaMb: number;
  /** Default 100. */
  maxCount: number;
  /** Default 30. */
  maxAgeDays: number;
}

export interface NodesSettings {
  /** Further node packages to load, by package name or path. Default none. */
  packages: string[];
}

/** What nodes may touch besides the job's work folder and public hosts. `*` in a list: everything. */
export interface PermissionSettings {
  /** Folders and files. Default none. */
  allowPaths: string[];
  /** Programs, by name or absolute path. Default none. */
  allowCommands: string[];
  /** Hosts among loopback, link-local and metadata addresses: `host`, `host:port`, an address, a network. Default none. */
  allowNet: string[];
}

export type SecretProviderName = 'environment' | 'file' | 'keyring';

export interface SecretSettings {
  /** Where secrets are looked for, in this order. Default environment, file. */
  providers: SecretProviderName[];
  /** The file of the provider `file`. `null` (default): `secrets.json` in the robot's home. */
  file: string | null;
}

/** How many live objects the nodes of one job may hold at a time. */
export interface LimitSettings {
  /** Default 5. */
  browsersPerJob: number;
  /** Browser pages (tabs). Default 50. */
  pagesPerJob: number;
  /** Live objects of any other kind, for each kind. Default 20. */
  connectionsPerJob: number;
}

export interface BrowserSettings {
  /** Browser to drive. `null` (default): look for an installed one. */
  executablePath: string | null;
}

/** All settings of a robot. */
export interface Settings {
  robot: RobotSettings;
  connection: ConnectionSettings;
  circuitBreaker: CircuitBreakerSettings;
  jobExecution: JobExecutionSettings;
  jobProcesses: JobProcessesSettings;
  observability: ObservabilitySettings;
  failureBundles: FailureBundleSettings;
  nodes: NodesSettings;
  permissions: PermissionSettings;
  secrets: SecretSettings;
  limits: LimitSettings;
  browser: BrowserSettings;
}

/** Some of the settings. */
export type PartialSettings = { [S in keyof Settings]?: Partial<Settings[S]> };

/** Settings that passed validation, with every derived value filled in; paths are absolute. */
export type ValidSettings = {
  readonly [S in keyof Settings]: Readonly<Settings[S]>;
} & {
  readonly jobExecution: { readonly heartbeatIntervalMs: number };
  readonly observability: { readonly auditDir: string; readonly logDir: string };
  readonly secrets: { readonly file: string };
};
