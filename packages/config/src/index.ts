export { ConfigError, type ConfigErrorCode, type ConfigProblem } from './errors.ts';
export type { Flags } from './flag-source.ts';
export { configJsonSchema } from './json-schema.ts';
export { type LoadConfigOptions, loadConfig } from './load-config.ts';
export type { ConfigEntry, LoadedConfig } from './loaded-config.ts';
export { nearestName } from './nearest-name.ts';
export { describeOrigin, type Origin } from './origin.ts';
export type { Environment, Host } from './ports.ts';
export { redactConfig } from './redact-config.ts';
export { requireConnection } from './require-connection.ts';
export { RobotConfig } from './robot-config.ts';
export type {
  BrowserSettings,
  CircuitBreakerSettings,
  ConnectionSettings,
  FailureBundleSettings,
  InDoubtPolicy,
  Isolation,
  JobExecutionSettings,
  JobProcessesSettings,
  LimitSettings,
  LogLevel,
  NodesSettings,
  ObservabilitySettings,
  PartialSettings,
  PermissionSettings,
  RobotSettings,
  SecretProviderName,
  SecretSettings,
  Settings,
  Synchronous,
  ValidSettings,
} from './settings.ts';
export { validateConfig } from './validate-config.ts';
