/**
 * Lays the given values over the defaults, later ones over earlier ones, and checks all of them: a bad value
 * is reported even where a later source overrides it.
 */
import { type ConfigProblem, invalidConfig } from './errors.ts';
import { checkGivenValue, type Source } from './given-value.ts';
import { describeOrigin, type Origin } from './origin.ts';
import type { Settings } from './settings.ts';

export interface MergedSettings {
  readonly settings: Settings;
  /** By setting path; a path that is missing has its default. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** @throws ConfigError `CONFIG_INVALID` with every problem of every source. */
export function mergeSources(defaults: Settings, sources: readonly Source[], homedir: string): MergedSettings {
  const origins = new Map<string, Origin>();
  const problems: ConfigProblem[] = [];
  const settings = defaults as unknown as Record<string, Record<string, unknown>>;
  for (const source of sources) {
    problems.push(...source.problems);
    for (const given of source.given) {
      const checked = checkGivenValue(given, homedir);
      if (!checked.ok) {
        problems.push(checked.problem);
        continue;
      }
      const section = settings[given.setting.section];
      if (section !== undefined) section[given.setting.name] = checked.value;
      origins.set(given.setting.path, given.origin);
    }
  }
  const refused = new Set(problems.map(({ path }) => path));
  for (const { paths, message } of conflicts(defaults)) {
    if (paths.some((path) => refused.has(path))) continue;
    const path = paths.find((candidate) => origins.has(candidate)) ?? paths[0];
    problems.push({ path, source: describeOrigin(origins.get(path) ?? { source: 'default' }), message });
  }
  if (problems.length > 0) throw invalidConfig(problems);
  return { settings: defaults, origins };
}

interface Conflict {
  readonly paths: readonly [string, string];
  readonly message: string;
}

/** Values that are allowed each, but not together. */
function conflicts({ connection, jobExecution }: Settings): Conflict[] {
  const { initialDelayMs, maxDelayMs } = connection;
  const { heartbeatIntervalMs, lockTimeoutMs } = jobExecution;
  const found: Conflict[] = [];
  if (maxDelayMs < initialDelayMs) {
    found.push({
      paths: ['connection.maxDelayMs', 'connection.initialDelayMs'],
      message: `connection.maxDelayMs (${maxDelayMs}) must not be less than connection.initialDelayMs (${initialDelayMs})`,
    });
  }
  found.push(...signInConflicts(connection));
  if (heartbeatIntervalMs !== null && heartbeatIntervalMs * 3 > lockTimeoutMs) {
    found.push({
      paths: ['jobExecution.heartbeatIntervalMs', 'jobExecution.lockTimeoutMs'],
      message: `jobExecution.heartbeatIntervalMs (${heartbeatIntervalMs}) must be at most a third of jobExecution.lockTimeoutMs (${lockTimeoutMs})`,
    });
  }
  return found;
}

function signInConflicts({ email, password, jwt, jwtFile }: Settings['connection']): Conflict[] {
  const found: Conflict[] = [];
  if ((email === null) !== (password === null)) {
    const missing = email === null ? 'connection.email' : 'connection.password';
    found.push({
      paths: ['connection.email', 'connection.password'],
      message: `a sign-in needs both connection.email and connection.password; ${missing} is not set`,
    });
  }
  const [first, second] = [
    ...(email === null && password === null ? [] : ['connection.email']),
    ...(jwt === null ? [] : ['connection.jwt']),
    ...(jwtFile === null ? [] : ['connection.jwtFile']),
  ];
  if (first !== undefined && second !== undefined) {
    found.push({
      paths: [first, second],
      message: `${first} and ${second} must not both be set: a robot signs in one way`,
    });
  }
  return found;
}
