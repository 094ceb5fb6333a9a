/** Errors of this package. They cross package borders by `code` and `category`, never by `instanceof`. */

export type ConfigErrorCode = 'CONFIG_INVALID' | 'CONFIG_MISSING_CONNECTION';

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Setting (`jobExecution.maxConcurrentJobs`), or what was written in its place; null when a whole source is unreadable. */
  readonly path: string | null;
  /** Where the value came from, in words. */
  readonly source: string;
  readonly message: string;
}

/** The configuration cannot be used. The message lists every problem and shows no secret. */
export class ConfigError extends Error {
  readonly code: ConfigErrorCode;
  readonly category = 'permanent';
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly ConfigProblem[]) {
    super(message);
    this.name = 'ConfigError';
    this.code = code;
    this.problems = problems;
  }
}

/** The value, which must be an object of settings. */
export function requireObject(value: unknown, path: string | null): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  const message =
    path === null ? 'is not a configuration, but has to be one: new RobotConfig()' : 'must be an object of settings';
  throw invalidConfig([{ path, source: 'code', message }]);
}

export function invalidConfig(problems: readonly ConfigProblem[]): ConfigError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(
    ({ path, source, message }) => `  - ${path === null ? `${source} ` : `${path} (${source}): `}${message}`,
  );
  return new ConfigError('CONFIG_INVALID', `The configuration has ${count}:\n${lines.join('\n')}`, problems);
}
