/** Turns a configuration made in code into one that can be used. */
import { join } from 'node:path';
import { defaultHeartbeatMs, defaultSettings } from './defaults.ts';
import { invalidConfig, requireObject } from './errors.ts';
import { mergeSources } from './merge-sources.ts';
import { readObject } from './object-source.ts';
import type { Host } from './ports.ts';
import type { Settings, ValidSettings } from './settings.ts';
import { systemHost } from './system-host.ts';

/**
 * Checks every setting and fills in what is derived from others (heartbeat, folders of audit and logs, file of secrets). Relative paths mean
 * the current folder. The argument is left as it is.
 *
 * @throws ConfigError `CONFIG_INVALID` with every problem; also for a status page beyond loopback without a token
 * @example
 * const settings = validateConfig(new RobotConfig());
 * settings.jobExecution.heartbeatIntervalMs // 10000
 */
export function validateConfig(config: Settings, host: Host = systemHost()): ValidSettings {
  requireObject(config, null);
  const source = readObject(config, { source: 'code' }, process.cwd());
  const { settings } = mergeSources(defaultSettings(host), [source], host.homedir);
  const { jobExecution, observability, robot, secrets } = settings;
  requireTokenBeyondLoopback(observability);
  return {
    ...settings,
    jobExecution: {
      ...jobExecution,
      heartbeatIntervalMs: jobExecution.heartbeatIntervalMs ?? defaultHeartbeatMs(jobExecution.lockTimeoutMs),
    },
    observability: {
      ...observability,
      auditDir: observability.auditDir ?? join(robot.home, 'audit'),
      logDir: observability.logDir ?? join(robot.home, 'logs'),
    },
    secrets: { ...secrets, file: secrets.file ?? join(robot.home, 'secrets.json') },
  };
}

/** Whoever can reach the port of the machine could read it otherwise. */
function requireTokenBeyondLoopback({ statusPort, statusHost, statusToken }: Settings['observability']): void {
  if (statusPort === null || statusToken !== null || isLoopback(statusHost)) return;
  const message = `${statusHost} is not a loopback address, so observability.statusToken (CASARE_OBSERVABILITY_STATUS_TOKEN) must be set`;
  throw invalidConfig([{ path: 'observability.statusHost', source: 'checked together', message }]);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
