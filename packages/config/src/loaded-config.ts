/** A loaded configuration that can say where each value came from. */
import { describeOrigin, type Origin } from './origin.ts';
import { redactConfig } from './redact-config.ts';
import type { RobotConfig } from './robot-config.ts';
import { findSetting, settingList } from './setting-catalog.ts';

/** One setting for showing. */
export interface ConfigEntry {
  readonly path: string;
  /** Redacted. */
  readonly value: unknown;
  readonly origin: Origin;
  /** Environment variable that sets it. */
  readonly variable: string;
}

export class LoadedConfig {
  readonly config: RobotConfig;
  /** The file that was read; null when there was none. */
  readonly file: string | null;
  /** What the user should know, though it stops nothing. */
  readonly warnings: readonly string[];
  readonly #origins: ReadonlyMap<string, Origin>;

  constructor(parts: {
    readonly config: RobotConfig;
    readonly file: string | null;
    readonly warnings: readonly string[];
    readonly origins: ReadonlyMap<string, Origin>;
  }) {
    this.config = parts.config;
    this.file = parts.file;
    this.warnings = parts.warnings;
    this.#origins = parts.origins;
  }

  /**
   * Where the loaded value of a setting came from; undefined when there is no such setting.
   *
   * @example
   * loadConfig().origin('jobExecution.maxConcurrentJobs') // { source: 'default' }
   */
  origin(path: string): Origin | undefined {
    return findSetting(path) === undefined ? undefined : (this.#origins.get(path) ?? { source: 'default' });
  }

  /** Every setting with its value, redacted, and its origin. */
  entries(): readonly ConfigEntry[] {
    const values = redactConfig(this.config) as unknown as Record<string, Record<string, unknown>>;
    return settingList.map(({ path, section, name, variable }) => ({
      path,
      value: values[section]?.[name],
      origin: this.#origins.get(path) ?? { source: 'default' },
      variable,
    }));
  }

  /** The entries as lines: `jobExecution.maxConcurrentJobs = 3 (default)`. */
  describe(): string {
    return this.entries()
      .map(({ path, value, origin }) => `${path} = ${JSON.stringify(value)} (${describeOrigin(origin)})`)
      .join('\n');
  }
}
