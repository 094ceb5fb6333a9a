/**
 * The configuration as code builds it: a mutable object of sections with every default in place. Nothing is
 * checked until `validateConfig`. Printing it, or making JSON of it, shows no secret (I8).
 */
import { inspect } from 'node:util';
import { defaultSettings } from './defaults.ts';
import { requireObject } from './errors.ts';
import type { Host } from './ports.ts';
import { redactConfig } from './redact-config.ts';
import type {
  BrowserSettings,
  CircuitBreakerSettings,
  ConnectionSettings,
  FailureBundleSettings,
  JobExecutionSettings,
  JobProcessesSettings,
  LimitSettings,
  NodesSettings,
  ObservabilitySettings,
  PartialSettings,
  PermissionSettings,
  RobotSettings,
  SecretSettings,
  Settings,
} from './settings.ts';
import { systemHost } from './system-host.ts';

/**
 * @example
 * const config = new RobotConfig({ connection: { url: 'https://example.supabase.co', key: 'service-key' } });
 * config.jobExecution.maxConcurrentJobs = 5;
 * config.observability.auditEnabled = true;
 */
export class RobotConfig implements Settings {
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

  /**
   * @param overrides settings that differ from their defaults
   * @param host machine and account; default: this one
   * @throws ConfigError `CONFIG_INVALID` when they, or a section of them, are no object
   */
  constructor(overrides: PartialSettings = {}, host: Host = systemHost()) {
    const defaults = defaultSettings(host);
    this.robot = defaults.robot;
    this.connection = defaults.connection;
    this.circuitBreaker = defaults.circuitBreaker;
    this.jobExecution = defaults.jobExecution;
    this.jobProcesses = defaults.jobProcesses;
    this.observability = defaults.observability;
    this.failureBundles = defaults.failureBundles;
    this.nodes = defaults.nodes;
    this.permissions = defaults.permissions;
    this.secrets = defaults.secrets;
    this.limits = defaults.limits;
    this.browser = defaults.browser;
    Object.defineProperty(this, inspect.custom, { value: () => redactConfig(this) });
    // Names that do not exist are kept, so that validateConfig can tell about them.
    const sections = this as unknown as Record<string, object | undefined>;
    for (const [section, values] of Object.entries(requireObject(overrides, null))) {
      if (values === undefined) continue;
      sections[section] = { ...sections[section], ...withoutUndefined(requireObject(values, section)) };
    }
  }

  toJSON(): Settings {
    return redactConfig(this);
  }
}

function withoutUndefined(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
